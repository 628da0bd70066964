#pragma once
/// @file
/// Bringing a query that nobody wants any more to its end, so that the connection is proven clean or closed.
///
///     little is left (its end is already here)?  -> drained
///     CancelRequest on a second connection; wait until the server closes that one; then skip rows by their headers
///     (a query in pages is left to end its page first, for as long as others share its transaction)
///       57014, ReadyForQuery     -> cancelled
///       the query ended first    -> the signal may still be on its way: one empty query takes it; drained
///       deadline, end of file    -> closed
/// @see PostgreSQL documentation, section "Canceling Requests in Progress"

#include <span>

#include <asio/awaitable.hpp>

#include <sluice/wire/exchange.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice::wire {

/// From now on the session is being left: its next query waits. `leave` must follow.
SLUICE_API void announce_leave(session& on) noexcept;

/// Ends `query`. Afterwards its session is broken, or nothing of the query is left on it. Does not throw for what the
/// server or the network does. One leave at a time: the next one waits for it.
/// @pre `announce_leave` was called
/// @param patience  how long all of it may take
[[nodiscard]] SLUICE_API asio::awaitable<leaving> leave(exchange& query, clock::duration patience);
/// The same for queries of one session that follow each other, first to last. What else was sent behind the last one is
/// not hit: then nothing is cancelled, and all is read to its end.
[[nodiscard]] SLUICE_API asio::awaitable<leaving> leave(std::span<exchange* const> unwanted, clock::duration patience);

/// Returns when nothing is being left on the session any more.
[[nodiscard]] SLUICE_API asio::awaitable<void> until_left(session& on);

/// Asks the server, on a connection of its own, to cancel what `target` is running, and waits until the server has
/// dealt with the request. That says nothing about whether there was something to cancel.
/// @par Errors  throws error: connection, deadline_exceeded
[[nodiscard]] SLUICE_API asio::awaitable<void> send_cancel(session& target, clock::time_point deadline);

}  // namespace sluice::wire
