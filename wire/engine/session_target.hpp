#pragma once
// Which of several servers will do.

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include "engine/session.hpp"

namespace sluice::wire {

// Why the server is not of the kind wanted, or empty when it is. Servers from version 14 on say enough when they let
// us in; others are asked.
// Throws error: connection_lost, deadline_exceeded, cancelled, server_error.
[[nodiscard]] asio::awaitable<std::string_view> mismatch(session& on, session_target wanted);

}  // namespace sluice::wire
