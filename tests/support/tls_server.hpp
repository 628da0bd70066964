#pragma once
// The server's end of a TLS connection, with a key and a certificate that are generated when a test begins.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "listener.hpp"
#include "temporary_folder.hpp"

namespace sluice::test {

/// A server's key and self-signed certificate, for 127.0.0.1 unless `others` says otherwise.
class tls_identity {
 public:
  /// @param others  a subjectAltName in OpenSSL's syntax; null: none
  explicit tls_identity(std::string_view words = "sluice test", const char* others = "IP:127.0.0.1") {
    X509_set_version(certificate_.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3'600);
    X509_set_pubkey(certificate_.get(), key_.get());
    X509_NAME* const name = X509_get_subject_name(certificate_.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(words.data()),
                               static_cast<int>(words.size()), -1, 0);
    X509_set_issuer_name(certificate_.get(), name);
    if (others != nullptr) {
      const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> names{
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, others), X509_EXTENSION_free};
      X509_add_ext(certificate_.get(), names.get(), -1);
    }
    const std::unique_ptr<FILE, closing> file{std::fopen(root().c_str(), "w")};
    if (X509_sign(certificate_.get(), key_.get(), EVP_sha256()) == 0 || file == nullptr ||
        PEM_write_X509(file.get(), certificate_.get()) == 0 ||
        SSL_CTX_use_certificate(context_.get(), certificate_.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context_.get(), key_.get()) != 1)
      throw std::runtime_error("no certificate");
    SSL_CTX_set_alpn_select_cb(context_.get(), take_first_protocol, nullptr);
  }

  /// The path for `sslrootcert`.
  [[nodiscard]] std::string root() const { return folder_.path("root.crt"); }
  [[nodiscard]] SSL_CTX* context() const noexcept { return context_.get(); }

 private:
  struct closing {
    void operator()(FILE* file) const noexcept { (void)std::fclose(file); }
  };

  static int take_first_protocol(SSL*, const unsigned char** taken, unsigned char* size, const unsigned char* offered,
                                 unsigned int, void*) {
    *size = *offered;
    *taken = offered + 1;
    return SSL_TLSEXT_ERR_OK;
  }

  temporary_folder folder_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate_{X509_new(), X509_free};
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
};

/// The server's end, after the handshake. Create it in its own thread: there, SIGPIPE is blocked, because OpenSSL
/// writes without MSG_NOSIGNAL and the client may have closed the connection.
class tls_end {
 public:
  tls_end(const server_end& client, const tls_identity& as) : tls_{SSL_new(as.context()), SSL_free} {
    sigset_t pipes{};
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
    SSL_set_fd(tls_.get(), client.descriptor());
    is_open_ = SSL_accept(tls_.get()) == 1;
  }

  /// Whether the handshake succeeded.
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }
  /// The data of one record; empty at the end.
  [[nodiscard]] std::string receive() const {
    std::string bytes(65536, '\0');
    const int count = is_open_ ? SSL_read(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) : 0;
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  void send(std::string_view bytes) const { (void)try_send(bytes); }
  /// @return false if the client has closed the connection
  [[nodiscard]] bool try_send(std::string_view bytes) const {
    return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  }

 private:
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
  bool is_open_{false};
};

}  // namespace sluice::test
