#pragma once
// Asking a server to cancel what one of its sessions is running.
#include <memory>

#include <asio/awaitable.hpp>

#include "engine/session.hpp"

namespace sluice::wire {

/// Opens a connection for the request, secured as the session's own is. Nothing of the request has been sent then.
/// @par Errors  throws error: connection, deadline_exceeded, cancelled
[[nodiscard]] asio::awaitable<std::unique_ptr<link>> open_for_cancel(session& target, clock::time_point deadline);

/// Asks, and waits until the server has processed the request. That does not tell whether there was anything to cancel.
/// @param to  from `open_for_cancel`, whose deadline counts here, too
/// @par Errors  throws error: connection_lost, deadline_exceeded, cancelled. The request may have been sent then
/// @see PostgreSQL documentation, section "Canceling Requests in Progress"
[[nodiscard]] asio::awaitable<void> send_cancel(link& to, const server_facts& target);

}  // namespace sluice::wire
