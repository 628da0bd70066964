#pragma once
/// @file
/// From a connection string to a logged-in session.

#include <memory>

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include "engine/session.hpp"

namespace sluice::wire {

/// Options of the session to be created.
struct session_options {
  proto::limits limits{};
  std::size_t buffer_bytes{};
  std::size_t first_buffer_bytes{};
  clock::duration patience{};  ///< see `session::patience`
  double warn_at{1.0};         ///< share of a limit
  std::size_t statements{0};   ///< capacity of the statement cache
  observer* watch{};
  bool trace{false};
  trace_context parent{};  ///< of the span of connecting
};

/// Tries the hosts in order, each with all its addresses, until a server of the wanted kind accepts the login, over TLS
/// or not as `sslmode` says. `connect_timeout` applies to each address and includes the login.
/// @par Errors  throws error: the error of the only host, or connect_failed with the errors of all of them. A server
///              that refuses the login, the database or TLS ends the search; one that cannot be reached, is starting up
///              or shutting down, or does not match `target_session_attrs` does not
/// @see PostgreSQL documentation, sections "Specifying Multiple Hosts" and "SSL Support"
[[nodiscard]] asio::awaitable<std::shared_ptr<session>> connect(conninfo info, session_options options);

}  // namespace sluice::wire
