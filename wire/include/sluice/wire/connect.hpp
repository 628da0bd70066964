#pragma once
/// @file
/// From a connection string to a session that has logged in.

#include <chrono>
#include <memory>

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/session.hpp>

namespace sluice::wire {

/// Of the session to be made.
struct session_options {
  proto::limits limits{};
  std::size_t buffer_bytes{};
  clock::duration patience{};  ///< see `session::patience`
};

/// Tries the hosts in their order, each with all its addresses, until a server lets us in.
/// @par Errors  throws error: what the only host said, or connect_failed with what each of them said. A server that
///              refuses the login or the database ends the search; one that cannot be reached, or is starting up or
///              shutting down, does not
[[nodiscard]] SLUICE_API asio::awaitable<std::shared_ptr<session>> connect(conninfo info, session_options options);

}  // namespace sluice::wire
