#pragma once
/// @file
/// Bringing a query that nobody wants any more to its end, so that the connection is proven clean or closed.
///
///     little is left (its end is already here)?  -> drained
///     CancelRequest on a second connection; wait until the server closes that one; then skip rows by their headers
///       57014, ReadyForQuery     -> cancelled
///       the query ended first    -> the signal may still be on its way: one empty query takes it; drained
///       deadline, end of file    -> closed
/// @see PostgreSQL documentation, section "Canceling Requests in Progress"

#include <asio/awaitable.hpp>

#include <sluice/wire/exchange.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice::wire {

/// Ends `query`. Afterwards its session is idle or broken. Does not throw for what the server or the network does.
/// @param patience  how long all of it may take
[[nodiscard]] SLUICE_API asio::awaitable<leaving> leave(exchange& query, clock::duration patience);

/// Asks the server, on a connection of its own, to cancel what `target` is running, and waits until the server has
/// dealt with the request. That says nothing about whether there was something to cancel.
/// @par Errors  throws error: connection, deadline_exceeded
[[nodiscard]] SLUICE_API asio::awaitable<void> send_cancel(session& target, clock::time_point deadline);

}  // namespace sluice::wire
