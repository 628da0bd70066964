#pragma once
/// @file
/// Brings an abandoned query to its end, so that the connection is proven clean, or closed.
///
///     little is left (its end is already here)?  -> drained
///     it may go on by itself (`query_reader::disown`)? -> its end is waited for first: drained
///     CancelRequest on a second connection; wait until the server closes that one; then skip rows by their headers
///     (a query in pages is left to end its page first, for as long as others share its transaction)
///       57014, ReadyForQuery     -> cancelled
///       the query ended first    -> the signal may still be on its way: one empty query takes it; drained
///       deadline, end of file    -> closed
/// @see PostgreSQL documentation, section "Canceling Requests in Progress"

#include <memory>
#include <span>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/wire/leaving.hpp>
#include "engine/query_reader.hpp"

namespace sluice::wire {

/// Queries of a session that nobody wants any more. From its construction on, the session is being left: its next query
/// waits, and a coroutine that waits for rows checks again. If it is destroyed before `leave` is done with it, for
/// whatever reason, the session is broken.
class departure {
 public:
  /// @param unwanted  consecutive queries, first to last; `disown` was called for each. None: only rolls back what was
  ///                  dropped of a transaction
  departure(std::shared_ptr<session> from, std::vector<query_reader*> unwanted) noexcept;
  departure(departure&&) noexcept = default;
  departure& operator=(departure&&) = delete;
  ~departure();

  [[nodiscard]] session& from() const noexcept { return *from_; }
  [[nodiscard]] std::span<query_reader* const> unwanted() const noexcept { return unwanted_; }
  void is_done() noexcept { is_done_ = true; }

 private:
  std::shared_ptr<session> from_;  // null: moved from
  std::vector<query_reader*> unwanted_;
  bool is_done_{false};
};

/// Ends the unwanted queries, and takes back the transaction block, or the part of it, that was dropped, if the session
/// is then free. Afterwards their session is broken, or nothing of them is left on it. Other queries sent
/// after the last one are not hit: in that case nothing is cancelled, and everything is read to its end. Does not throw
/// for errors of the server or the network. Calls run one at a time: each waits for the one before, and for the
/// coroutines that wait for rows. It may take the session's patience, counted from when the queries may no longer
/// continue on their own.
/// @par Cancellation  terminal: closes the connection, because it cannot be waited for any more
[[nodiscard]] asio::awaitable<leaving> leave(departure from);

/// Something of `open_blocks` was dropped: if it has to be taken back, that is done in the background, as soon as the
/// session is free.
void take_back(const std::shared_ptr<session>& on) noexcept;

/// Waits until something has ended on the session (a leave, a query that others wait behind, a wait for rows), or until
/// `latest`.
[[nodiscard]] asio::awaitable<void> changed(session& on, clock::time_point latest = clock::time_point::max());
/// Whether something on the session is being left, or waits to be left before a query can be sent.
[[nodiscard]] bool is_being_left(const session& on) noexcept;
/// Returns when nothing on the session is being left any more, and nothing waits to be left before a query can be sent.
/// @par Errors  throws error: cancelled, deadline_exceeded after `latest`
[[nodiscard]] asio::awaitable<void> until_left(session& on, clock::time_point latest = clock::time_point::max());

}  // namespace sluice::wire
