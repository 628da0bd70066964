#include "replay_tls.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <stdexcept>

namespace sluice::bench {

namespace {

/// A self-signed certificate, valid for an hour, with a P-256 key; created once per process.
SSL_CTX* context() {
  static SSL_CTX* const made = [] {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("replay"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    SSL_CTX* const server = SSL_CTX_new(TLS_server_method());
    const bool good = X509_sign(certificate, key, EVP_sha256()) != 0 && server != nullptr &&
                      SSL_CTX_use_certificate(server, certificate) == 1 && SSL_CTX_use_PrivateKey(server, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (!good) throw std::runtime_error{"the replay server cannot make a certificate"};
    SSL_CTX_set_options(server, SSL_OP_NO_TICKET);  // as Postgres does
    SSL_CTX_set_num_tickets(server, 0);
    return server;
  }();
  return made;
}

}  // namespace

void replay_tls::release::operator()(SSL* stream) const noexcept { SSL_free(stream); }

replay_tls::replay_tls(int descriptor) : stream_{SSL_new(context())} {
  if (stream_ == nullptr || SSL_set_fd(stream_.get(), descriptor) != 1 || SSL_accept(stream_.get()) != 1)
    throw std::runtime_error{"the replay server's TLS handshake failed"};
}

std::size_t replay_tls::receive(char* into, std::size_t size) {
  const int got = SSL_read(stream_.get(), into, static_cast<int>(size));
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::size_t replay_tls::send(std::string_view bytes) {
  constexpr std::size_t record{8192};
  const int sent = SSL_write(stream_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), record)));
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

}  // namespace sluice::bench
