#pragma once
// TLS with OpenSSL on a socket that is never waited for. A `tls_context` holds the TLS settings of a connection string,
// with the certificates that it names, and may be shared by many connections and threads; a `tls_stream` is one
// connection.
//
// Asio's ssl::stream returns one record per read, and a server fills records of 8 KiB at most. Here a read continues as
// long as there are records (docs/decisions/driving-openssl.md).

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/wire/conninfo.hpp>
#include "transport/link.hpp"
#include "transport/secured_stream.hpp"

namespace sluice::wire {

struct openssl_free {
  void operator()(SSL_CTX* context) const noexcept;
  void operator()(SSL* stream) const noexcept;
};

class tls_context {
 public:
  // Throws error: tls_failed if a named file cannot be used, or if others may read the key.
  tls_context(const conninfo& info, const link::context& where);

  [[nodiscard]] SSL_CTX* get() const noexcept { return context_.get(); }
  [[nodiscard]] tls_mode mode() const noexcept { return mode_; }
  [[nodiscard]] tls_negotiation negotiation() const noexcept { return negotiation_; }
  [[nodiscard]] bool names_the_host() const noexcept { return sni_; }
  // Whether the server must request a certificate, and there must be one to present.
  [[nodiscard]] bool needs_certificate() const noexcept { return needs_certificate_; }
  // Where the trusted authorities were read from, for messages.
  [[nodiscard]] const std::string& roots() const noexcept { return roots_; }

 private:
  std::unique_ptr<SSL_CTX, openssl_free> context_;
  tls_mode mode_;
  tls_negotiation negotiation_;
  bool sni_;
  bool needs_certificate_;
  std::string roots_;
};

class tls_stream final : public secured_stream {
 public:
  tls_stream(std::shared_ptr<const tls_context> with, int descriptor, const conninfo::host& peer);
  ~tls_stream() override;

  // What one call reads is bounded: OpenSSL processes TLS's own messages, of which a peer may send any number, for as
  // long as there are any.
  [[nodiscard]] status handshake() override;
  [[nodiscard]] result read(std::span<std::byte> into) noexcept override;
  [[nodiscard]] result write(std::span<const std::byte> from) noexcept override;
  void close() noexcept override;
  void detach() noexcept override { transport_.descriptor = -1; }
  // Whether OpenSSL itself has something to send.
  [[nodiscard]] bool wants_to_send() const noexcept override { return wants_to_send_; }
  [[nodiscard]] int system_error() const noexcept override { return transport_.error; }
  [[nodiscard]] const std::string& failure() const noexcept override { return failure_; }
  [[nodiscard]] std::string_view name() const noexcept override { return "TLS"; }

  // Such as "TLSv1.3"
  [[nodiscard]] std::string_view version() const noexcept;
  // For channel binding as RFC 5929 defines tls-server-end-point; empty when the certificate's signature has no hash.
  [[nodiscard]] std::string certificate_hash() const;

  // For OpenSSL's callbacks.
  struct transport {
    int descriptor;
    int error;           // of the last call that failed permanently
    std::size_t budget;  // bytes that may still be read during this call
  };
  void on_bad_certificate(X509_STORE_CTX* checked);
  void on_certificate_request() noexcept { certificate_wanted_ = true; }

 private:
  [[nodiscard]] status status_of(int returned) noexcept;
  [[nodiscard]] status check_handshake();
  [[nodiscard]] std::string reason();

  std::shared_ptr<const tls_context> context_;
  std::unique_ptr<SSL, openssl_free> ssl_;
  transport transport_;
  std::string peer_;
  std::string failure_;
  bool certificate_wanted_{false};
  bool shaken_{false};
  bool wants_to_send_{false};
};

}  // namespace sluice::wire
