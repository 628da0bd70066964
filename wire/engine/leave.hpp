#pragma once
/// @file
/// Bringing a query that nobody wants any more to its end, so that the connection is proven clean or closed.
///
///     little is left (its end is already here)?  -> drained
///     it may go on by itself (`exchange::disown`)? -> its end is waited for first: drained
///     CancelRequest on a second connection; wait until the server closes that one; then skip rows by their headers
///     (a query in pages is left to end its page first, for as long as others share its transaction)
///       57014, ReadyForQuery     -> cancelled
///       the query ended first    -> the signal may still be on its way: one empty query takes it; drained
///       deadline, end of file    -> closed
/// @see PostgreSQL documentation, section "Canceling Requests in Progress"

#include <memory>
#include <span>

#include <asio/awaitable.hpp>

#include <sluice/wire/leaving.hpp>
#include "engine/exchange.hpp"

namespace sluice::wire {

/// From its making on, the session is being left: its next query waits, and a coroutine that waits for rows looks
/// again. One that goes before `leave` is done with it, for whatever reason, has broken the session.
class departure {
 public:
  explicit departure(std::shared_ptr<session> from) noexcept;
  departure(departure&&) noexcept = default;
  departure& operator=(departure&&) = delete;
  ~departure();

  [[nodiscard]] session& from() const noexcept { return *from_; }
  void is_done() noexcept { is_done_ = true; }

 private:
  std::shared_ptr<session> from_;  // null: moved from
  bool is_done_{false};
};

/// Ends `query`. Afterwards its session is broken, or nothing of the query is left on it. Does not throw for what the
/// server or the network does. One leave at a time: the next one waits for it, and each for those who wait for rows.
/// The session's patience is how long it may take, from when the query may not go on by itself any more.
/// @pre `disown` was called
/// @par Cancellation  terminal: closes the connection, for it cannot be waited for any more
[[nodiscard]] asio::awaitable<leaving> leave(departure from, exchange& query);
/// The same for queries of one session that follow each other, first to last. What else was sent behind the last one is
/// not hit: then nothing is cancelled, and all is read to its end.
[[nodiscard]] asio::awaitable<leaving> leave(departure from, std::span<exchange* const> unwanted);

/// Waits until something has ended on the session: a leave, a query that others stand behind, a wait for rows. Or until
/// `latest`.
[[nodiscard]] asio::awaitable<void> changed(session& on, clock::time_point latest = clock::time_point::max());
/// Returns when nothing is being left on the session any more.
/// @par Errors  throws error: cancelled, deadline_exceeded after `latest`
[[nodiscard]] asio::awaitable<void> until_left(session& on, clock::time_point latest = clock::time_point::max());

/// Asks the server, on a connection of its own, to cancel what `target` is running, and waits until the server has
/// dealt with the request. That says nothing about whether there was something to cancel.
/// @par Errors  throws error: connection, deadline_exceeded
[[nodiscard]] asio::awaitable<void> send_cancel(session& target, clock::time_point deadline);

}  // namespace sluice::wire
