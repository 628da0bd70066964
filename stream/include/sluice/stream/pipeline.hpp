#pragma once
/// @file
/// Several queries in one write, with their results in order.
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
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/token.hpp>

namespace sluice {

namespace wire {
class session;
}
namespace detail {
class task_line;
}

/// Queries in flight. Movable. If destroyed before its end, the remaining queries are abandoned in the background, each
/// as `row_stream` does: neither a statement that may write nor any query before it is cancelled.
/// @par Thread safety  none: use it, its streams and its connection from one coroutine or strand
class [[nodiscard, gnu::visibility("default")]] pipeline {
 public:
  /// A pipeline without queries; also the moved-from state.
  pipeline() noexcept;
  pipeline(pipeline&&) noexcept;
  pipeline& operator=(pipeline&&) noexcept;
  ~pipeline();

  /// Whether there are results that `next` has not returned yet.
  [[nodiscard]] bool has_next() const noexcept { return remaining() != 0; }
  /// How many results are left.
  [[nodiscard]] std::size_t remaining() const noexcept { return waiting_ == nullptr ? 0 : waiting_->size(); }

  /// The rows of the next query; a server error for it is thrown by their first `next`. The previous stream has to be
  /// at its end or destroyed. What is left of it is then read and dropped, not cancelled, since a cancel request might
  /// hit the query after it. The deadlines of a query count from this call on.
  /// @par Errors  throws error: bad_state when there is none, or the previous stream is still open; cancelled when the
  ///              pipeline is destroyed meanwhile
  [[nodiscard]] asio::awaitable<row_stream> next();
  /// With a completion token: `void(std::exception_ptr, row_stream)`; @see async.hpp
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }
  /// @par Errors  throws error: bad_state when there is no result left; so does `next` with a completion token
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class connection;
  friend class detail::task_line;
  using queries = std::deque<std::shared_ptr<detail::running_query>>;
  explicit pipeline(queries sent);
  void add(std::shared_ptr<detail::running_query> sent);
  static asio::awaitable<row_stream> next_of(std::shared_ptr<queries> waiting);
  void leave() noexcept;

  std::shared_ptr<queries> waiting_;  // kept alive by a waiting `next`
};

}  // namespace sluice
