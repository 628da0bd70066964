#pragma once
// Asking a server to cancel what one of its sessions is running.
#include <asio/awaitable.hpp>

#include "engine/session.hpp"

namespace sluice::wire {

/// Asks on a separate connection, and waits until the server has processed the request. That does not tell whether
/// there was anything to cancel.
/// @par Errors  throws error: connection, deadline_exceeded, cancelled
/// @see PostgreSQL documentation, section "Canceling Requests in Progress"
[[nodiscard]] asio::awaitable<void> send_cancel(session& target, clock::time_point deadline);

}  // namespace sluice::wire
