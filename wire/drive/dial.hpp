#pragma once
/// @file
/// From a host to a connected socket.

#include <chrono>
#include <string>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>

#include <sluice/wire/conninfo.hpp>
#include "transport/link.hpp"

namespace sluice::wire {

using endpoint = asio::generic::stream_protocol::endpoint;

/// All addresses of a host: its Unix socket, its `hostaddr`, or those that its name resolves to.
/// @param where  for error messages
/// @par Errors  throws error: name_not_found, deadline_exceeded
[[nodiscard]] asio::awaitable<std::vector<endpoint>> resolve(const conninfo::host& host, clock::time_point deadline,
                                                             const link::context& where);

/// How TCP monitors a connection; zero: the system's default.
struct tcp_options {
  bool keepalives{true};
  std::chrono::seconds idle{};
  std::chrono::seconds interval{};
  int count{};
  std::chrono::milliseconds user_timeout{};
};

/// A connected socket; TCP sockets have TCP_NODELAY and keepalive set.
/// @param where  for error messages
/// @par Errors  throws error: connect_failed with the system's reason, deadline_exceeded, cancelled
[[nodiscard]] asio::awaitable<socket> dial(asio::any_io_executor on, endpoint to, clock::time_point deadline,
                                           const link::context& where, tcp_options tcp = {});

/// Such as "127.0.0.1:5432", "[::1]:5432", "/tmp/.s.PGSQL.5432"
[[nodiscard]] std::string to_string(const endpoint& of);

}  // namespace sluice::wire
