#pragma once
/// @file
/// From a connection string to a session that has logged in.

#include <memory>

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include "engine/session.hpp"

namespace sluice::wire {

/// Of the session to be made.
struct session_options {
  proto::limits limits{};
  std::size_t buffer_bytes{};
  std::size_t first_buffer_bytes{};
  clock::duration patience{};  ///< see `session::patience`
  double warn_at{1.0};         ///< share of a limit
  std::size_t statements{0};   ///< capacity of the statement cache
  observer* watch{};
  bool trace{false};
};

/// Tries the hosts in their order, each with all its addresses, until a server of the kind wanted lets us in, over TLS
/// or not as `sslmode` says. `connect_timeout` is for each address, login included.
/// @par Errors  throws error: what the only host said, or connect_failed with what each of them said. A server that
///              refuses the login, the database or TLS ends the search; one that cannot be reached, is starting up or
///              shutting down, or is not what `target_session_attrs` wants, does not
/// @see PostgreSQL documentation, sections "Specifying Multiple Hosts" and "SSL Support"
[[nodiscard]] asio::awaitable<std::shared_ptr<session>> connect(conninfo info, session_options options);

}  // namespace sluice::wire
