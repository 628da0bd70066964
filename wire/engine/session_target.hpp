#pragma once
// Selects which of several servers is suitable.

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include "engine/session.hpp"

namespace sluice::wire {

// Why the server is not of the wanted kind, or empty if it is. Servers since version 14 report enough during login;
// others are queried.
// Throws error: connection_lost, deadline_exceeded, cancelled, server_error.
[[nodiscard]] asio::awaitable<std::string_view> mismatch(session& on, session_target wanted);

}  // namespace sluice::wire
