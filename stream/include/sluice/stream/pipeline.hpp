#pragma once
/// @file
/// Several queries in one write, their results in order.
///
///     std::vector<sluice::query> wanted{sluice::from("v_user").limit(10), sluice::from("v_order").limit(10)};
///     auto results = co_await conn.send(wanted);
///     while (results.has_next()) {
///       auto stream = co_await results.next();
///       while (sluice::chunk chunk = co_await stream.next()) ...
///     }
///
/// @see PostgreSQL documentation, section "Pipelining"

#include <deque>
#include <memory>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_stream.hpp>

namespace sluice {

namespace wire {
struct session;
}

/// Queries that are on their way. Movable. Destroyed before its end, it leaves what is left of them in the background,
/// each as `row_stream` does: no statement that may write is cancelled, nor is one before it.
/// @par Thread safety  none: use it, its streams and its connection from one coroutine or strand
class [[nodiscard, gnu::visibility("default")]] pipeline {
 public:
  /// Without queries; also what is left by moving.
  pipeline() noexcept;
  pipeline(pipeline&&) noexcept;
  pipeline& operator=(pipeline&&) noexcept;
  ~pipeline();

  /// Whether results are left that `next` has not given.
  [[nodiscard]] bool has_next() const noexcept { return remaining() != 0; }
  /// How many.
  [[nodiscard]] std::size_t remaining() const noexcept { return waiting_ == nullptr ? 0 : waiting_->size(); }

  /// The rows of the next query; what the server has to say against it comes with their first `next`. The stream before
  /// has to be at its end, or gone: what is left of it is then read and dropped, not cancelled, since a request to
  /// cancel might hit the query behind it.
  /// Deadlines of a query count from here on.
  /// @par Errors  throws error: bad_state when there is none, or the stream before is still open; cancelled when the
  ///              pipeline is destroyed meanwhile
  [[nodiscard]] asio::awaitable<row_stream> next();

 private:
  friend class connection;
  using queries = std::deque<std::shared_ptr<detail::running_query>>;
  explicit pipeline(queries sent);
  static asio::awaitable<row_stream> next_of(std::shared_ptr<queries> waiting);
  void leave() noexcept;

  std::shared_ptr<queries> waiting_;  // a `next` that waits keeps it
};

}  // namespace sluice
