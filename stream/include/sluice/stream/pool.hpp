#pragma once
/// @file
/// Connections that are opened once and used by many tasks, one at a time each.
///
///     sluice::pool pool{executor, "postgresql://localhost/app", {.max_size = 8}};
///     auto conn = co_await pool.acquire();
///     auto stream = co_await conn->stream(sluice::from("v_user"));
///     ...                                    // the handle gives the connection back when it is destroyed
///
/// A connection comes back only when it is proven clean: a query that was left is cancelled on the server, an open
/// transaction is rolled back, both within `connection_options::leave_timeout`, or the connection is closed. What a
/// task has set in the session (SET, LISTEN, temporary tables) stays, unless `pool_options::reset_statements` says
/// otherwise.
///
/// While a pool has idle connections beyond `min_size` it has a timer on its executor, so that `io_context::run`
/// returns only after the pool has gone or been closed.

#include <chrono>
#include <memory>
#include <string_view>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/wire/pool_options.hpp>

namespace sluice {

namespace wire {
class session_pool;
}

/// A connection of a pool for as long as this lives. Movable.
///
/// A stream of the connection may outlive it: then the connection goes back when the stream has gone, too.
/// @par Thread safety  as the pool's
class SLUICE_API pooled_connection {
 public:
  /// Without a connection; also what is left by moving.
  pooled_connection() noexcept;
  pooled_connection(pooled_connection&&) noexcept;
  pooled_connection& operator=(pooled_connection&&) noexcept;
  ~pooled_connection();

  /// @pre has a connection
  connection& operator*() noexcept { return connection_; }
  connection* operator->() noexcept { return &connection_; }
  explicit operator bool() const noexcept { return from_ != nullptr; }

  /// Gives it back now.
  void release() noexcept;

 private:
  friend class pool;
  friend class pooled_stream;
  pooled_connection(std::shared_ptr<wire::session_pool> from, std::shared_ptr<wire::session> lent) noexcept;
  static asio::awaitable<pooled_connection> acquire_from(std::shared_ptr<wire::session_pool> sessions,
                                                         std::chrono::steady_clock::time_point deadline);

  std::shared_ptr<wire::session_pool> from_;
  connection connection_;
};

/// Sending a query again that failed before its first row: only for queries that do nothing but read, which is for the
/// caller to know.
struct retry_options {
  int attempts{1};                        ///< in all; 1: none again
  std::chrono::milliseconds backoff{50};  ///< before the second; doubled each time, up to `max_backoff`
  std::chrono::milliseconds max_backoff{2'000};
};

/// The rows of one query on a connection of a pool. Movable. Destroyed before its end, it is left in the background as
/// a `row_stream` is. Nothing is sent before the first `next`; a statement that may write (`query::effect::any`) and
/// was never asked for rows is sent, and read to its end, when this is destroyed.
///
/// Tried again is what may go well another time: a connection that was lost, a server that is starting up or shutting
/// down, a serialization failure or deadlock, a prepared statement that the server has no more or will not run.
/// @par Thread safety  as the pool's
class [[nodiscard, gnu::visibility("default")]] pooled_stream {
 public:
  pooled_stream(pooled_stream&&) noexcept;
  pooled_stream& operator=(pooled_stream&&) noexcept;
  ~pooled_stream();

  /// @see row_stream::next; and the errors of `pool::acquire`. `query_options::timeout` and `first_row_timeout` are for
  ///      all attempts together, waiting for a connection included: after one of the query's deadlines nothing is sent
  ///      again
  [[nodiscard]] asio::awaitable<chunk> next();
  /// @see row_stream::cancel
  [[nodiscard]] asio::awaitable<leaving> cancel();
  /// Of the last attempt.
  [[nodiscard]] stream_stats stats() const;
  /// How often the query was sent, or a connection asked for in vain.
  [[nodiscard]] int attempts() const noexcept;

 private:
  friend class pool;
  class attempts_of;
  explicit pooled_stream(std::shared_ptr<attempts_of> work) noexcept;
  void leave() noexcept;

  std::shared_ptr<attempts_of> work_;  // a call that waits keeps it
};

/// A pool of connections to one database. Movable.
/// @par Thread safety  none: a pool, its connections and their streams belong to one executor that runs one handler at
/// a
///                     time, such as an io_context with one thread, or a strand. A program with several threads has a
///                     pool for each: they share nothing
class SLUICE_API pool {
 public:
  /// Opens nothing yet.
  /// @par Errors  throws error: bad_conninfo; bad_state for sizes that cannot be
  pool(asio::any_io_executor on, std::string_view conninfo, pool_options options = {}, connection_options each = {});
  pool(asio::any_io_executor on, sluice::conninfo info, pool_options options = {}, connection_options each = {});
  pool(pool&&) noexcept;
  pool& operator=(pool&&) noexcept;
  /// As `close`. Connections that are lent stay with those who have them, and are closed afterwards.
  ~pool();

  /// A connection that was alive just now; waits for one when all are in use. Those who wait are served in their order.
  /// @par Errors        throws error: deadline_exceeded (`acquire_timeout`), bad_state when the pool is closed; while
  ///                    the server is down, at once, what it said
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<pooled_connection> acquire();

  /// One query, on a connection that is taken at the first `next` and goes back at the stream's end.
  /// @param retry  whether, and how often, it is sent again when it fails before its first row
  [[nodiscard]] pooled_stream stream(query what, query_options options = {}, retry_options retry = {}) const;

  /// Opens connections until there are `min_size`; from now on so many are kept.
  /// @par Errors  throws error: what connecting said
  [[nodiscard]] asio::awaitable<void> warm_up();

  /// Lends no more: those who wait get an error, idle connections say goodbye and are closed.
  void close() noexcept;
  /// The same, and waits until all that is lent has come back.
  /// @return whether it did within `patience`
  [[nodiscard]] asio::awaitable<bool> drain(std::chrono::milliseconds patience);

  [[nodiscard]] pool_stats stats() const;

 private:
  std::shared_ptr<wire::session_pool> sessions_;
};

}  // namespace sluice
