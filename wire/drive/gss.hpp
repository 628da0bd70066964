#pragma once
// GSSAPI with a server: to log in, and to encrypt. In a build without it, `has_gssapi` is false and nothing else may be
// used.

#include <cstddef>
#include <memory>
#include <span>

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include "transport/gss_target.hpp"
#include "transport/link.hpp"

namespace sluice::wire {

class gss_context;

// The service that the connection string means. Without a host name it is that of the address, as in libpq.
[[nodiscard]] gss_target gss_target_of(const conninfo& info, const conninfo::host& host);

// Why there are no credentials, or empty.
// Throws error: deadline_exceeded, cancelled.
[[nodiscard]] asio::awaitable<std::string> missing_credentials(clock::time_point deadline, const link::context& where);

// Asks for encryption by GSSAPI and establishes it. Returns false if the server does not have it; then nothing else was
// sent on `io`.
// Throws error: auth_method if there is no ticket for the server, auth_proof if it does not prove who it is;
// tls_unavailable, tls_failed, connection_lost, deadline_exceeded, cancelled.
[[nodiscard]] asio::awaitable<bool> start_gss(link& io, gss_target with);

// The client's side of AuthenticationGSS.
class gss_login {
 public:
  explicit gss_login(gss_target with);

  // Makes the next token. The deadline is that of `io`.
  // Throws error: auth_method, auth_proof as above; deadline_exceeded, cancelled.
  [[nodiscard]] asio::awaitable<void> step(link& io, std::span<const std::byte> from_server);
  [[nodiscard]] std::span<const std::byte> token() const noexcept;
  [[nodiscard]] bool is_established() const noexcept;

 private:
  std::shared_ptr<gss_context> context_;  // shared with the thread that steps it
};

}  // namespace sluice::wire
