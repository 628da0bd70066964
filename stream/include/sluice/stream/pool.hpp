#pragma once
/// @file
/// A pool: connections that are opened once and shared by many tasks, each connection serving one task at a time.
///
///     sluice::pool pool{executor, "postgresql://localhost/app", {.max_size = 8}};
///     auto conn = co_await pool.acquire();
///     auto stream = co_await conn->stream(sluice::from("v_user"));
///     ...                                    // the handle gives the connection back when it is destroyed
///
/// A connection returns to the pool only once it is proven clean: an abandoned query is cancelled on the server and an
/// open transaction is rolled back, both within `connection_options::leave_timeout`; otherwise the connection is
/// closed. Session state that a task has set (SET, LISTEN, temporary tables) stays, unless
/// `pool_options::reset_statements` says otherwise.
///
/// While a pool has more than `min_size` idle connections, it keeps a timer on its executor, so `io_context::run`
/// returns only after the pool has been destroyed or closed.

#include <chrono>
#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/wire/pool_options.hpp>

namespace sluice {

class pool;
class result_cache;
namespace wire {
class session_pool;
}
namespace detail {
class attempts_of;
class chunk_source;
[[nodiscard]] const std::shared_ptr<wire::session_pool>& sessions_of(const pool& from);
}  // namespace detail

/// A connection borrowed from a pool for as long as this handle lives. Movable.
///
/// A stream, a transaction, a COPY or a batch of the connection may outlive the handle; the connection then returns to
/// the pool once that is over, too.
/// @par Thread safety  as the pool's
class SLUICE_API pooled_connection {
 public:
  /// A handle without a connection; also the moved-from state.
  pooled_connection() noexcept;
  pooled_connection(pooled_connection&&) noexcept;
  pooled_connection& operator=(pooled_connection&&) noexcept;
  ~pooled_connection();

  /// @pre the handle has a connection
  connection& operator*() noexcept { return connection_; }
  connection* operator->() noexcept { return &connection_; }
  explicit operator bool() const noexcept { return from_ != nullptr; }

  /// Returns the connection to the pool now.
  void release() noexcept;

 private:
  friend class pool;
  friend class detail::attempts_of;
  friend class transaction;
  pooled_connection(std::shared_ptr<wire::session_pool> from, std::shared_ptr<wire::session> lent) noexcept;
  static asio::awaitable<pooled_connection> acquire_from(std::shared_ptr<wire::session_pool> sessions,
                                                         std::chrono::steady_clock::time_point deadline,
                                                         trace_context parent);

  std::shared_ptr<wire::session_pool> from_;
  connection connection_;
};

/// Retry policy for a query that failed before its first row. Only for queries that do nothing but read; the caller has
/// to know whether that is so.
struct retry_options {
  int attempts{1};                        ///< in total; 1: no retry
  std::chrono::milliseconds backoff{50};  ///< before the second attempt; doubled each time, up to `max_backoff`
  std::chrono::milliseconds max_backoff{2'000};
};

/// The rows of one query on a connection of a pool. Movable; a moved-from stream is at its end. If destroyed before its
/// end, it is abandoned in the background as a `row_stream` is. Nothing is sent before the first `next`. A statement
/// that may write
/// (`query::effect::any`) and was never asked for rows is sent, and read to its end, when the stream is destroyed.
///
/// Only failures that may not recur are retried: a lost connection, a server that is starting up or shutting down, a
/// serialization failure or deadlock, a prepared statement that the server no longer has or refuses to run.
/// @par Thread safety  as the pool's
class [[nodiscard, gnu::visibility("default")]] pooled_stream {
 public:
  pooled_stream(pooled_stream&&) noexcept;
  pooled_stream& operator=(pooled_stream&&) noexcept;
  ~pooled_stream();

  /// @see row_stream::next; also throws the errors of `pool::acquire`. `query_options::timeout` and `first_row_timeout`
  ///      cover all attempts together, including the wait for a connection: once one of the query's deadlines has
  ///      passed, nothing is sent again
  [[nodiscard]] asio::awaitable<chunk> next();
  /// With a completion token: `void(std::exception_ptr, chunk)`; @see async.hpp
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }
  /// @see row_stream::cancel
  [[nodiscard]] asio::awaitable<leaving> cancel();
  /// With a completion token: `void(std::exception_ptr, leaving)`
  template <class Token>
  auto cancel(Token&& token) {
    return detail::with_token(get_executor(), [this] { return cancel(); }, std::forward<Token>(token));
  }
  /// Pauses the pages of a paged stream; the stream keeps its connection, which nobody else can use meanwhile.
  /// @par Errors  throws error: as `row_stream::pause`; bad_state before the first `next`, when nothing has been sent
  [[nodiscard]] asio::awaitable<void> pause(pause_options how = {});
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto pause(pause_options how, Token&& token) {
    return detail::with_token(get_executor(), [this, how] { return pause(how); }, std::forward<Token>(token));
  }
  /// @see row_stream::resume
  void resume();
  /// Statistics of the last attempt.
  [[nodiscard]] stream_stats stats() const;
  /// @see row_stream::columns
  [[nodiscard]] std::span<const result_column> columns() const noexcept;
  /// How often the query was sent, or a connection was requested in vain.
  [[nodiscard]] int attempts() const noexcept;
  [[nodiscard]] asio::any_io_executor get_executor() const;  ///< the pool's

 private:
  friend class pool;
  friend class detail::chunk_source;
  explicit pooled_stream(std::shared_ptr<detail::chunk_source> source) noexcept;
  void leave() noexcept;

  std::shared_ptr<detail::chunk_source> source_;  // kept alive by a waiting call
};

/// A pool of connections to one database. Movable; calls on a moved-from pool throw bad_state.
/// @par Thread safety  none: a pool, its connections and their streams belong to one executor that runs one handler at
///                     a time, such as an io_context with one thread, or a strand. A program with several threads has
///                     one pool per thread; pools share nothing
class SLUICE_API pool {
 public:
  /// Opens no connection yet.
  /// @par Errors  throws error: bad_conninfo; bad_state for impossible sizes
  pool(asio::any_io_executor on, std::string_view conninfo, pool_options options = {}, connection_options each = {});
  pool(asio::any_io_executor on, sluice::conninfo info, pool_options options = {}, connection_options each = {});
  pool(pool&&) noexcept;
  pool& operator=(pool&&) noexcept;
  /// As `close`. Borrowed connections stay with their users and are closed afterwards.
  ~pool();

  /// A connection that was seen alive or in use less than 100 ms ago; waits for one when all are in use. Waiting
  /// callers are served in order. If the server has ended it since, its next query throws a retryable error.
  /// @par Errors        throws error: deadline_exceeded (`acquire_timeout`), bad_state when the pool is closed; while
  ///                    the server is down, immediately, the error of the last attempt to connect
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<pooled_connection> acquire();
  /// The same as a part of a trace.
  [[nodiscard]] asio::awaitable<pooled_connection> acquire(trace_context parent);
  /// The same for any completion token; the signature is `void(std::exception_ptr, pooled_connection)`. Include
  /// <sluice/stream/async.hpp>, which says what holds for all such forms.
  template <class Token>
  auto acquire(Token&& token) {
    return detail::with_token(get_executor(), [this] { return acquire(); }, std::forward<Token>(token));
  }
  template <class Token>
  auto acquire(const trace_context& parent, Token&& token) {
    return detail::with_token(get_executor(), [&] { return acquire(parent); }, std::forward<Token>(token));
  }

  /// Streams one query on a connection that is acquired at the first `next` and returned at the end of the stream.
  /// @param retry  whether, and how often, the query is sent again if it fails before its first row
  [[nodiscard]] pooled_stream stream(query what, query_options options = {}, retry_options retry = {}) const;
  /// The rows as values of a C++ type. Include <sluice/stream/typed_stream.hpp>.
  template <class T>
  [[nodiscard]] typed_stream<T, pooled_stream> stream(query what, query_options options = {},
                                                      retry_options retry = {}) const;

  /// Runs one statement, with its parameters, on a connection of the pool. It is sent once: nothing is retried.
  /// @par Errors  throws error: as `acquire` and `connection::execute`
  [[nodiscard]] asio::awaitable<command_result> execute(query what, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, command_result)`
  template <class Token>
  auto execute(query what, query_options options, Token&& token) {
    return detail::with_token(
        get_executor(), [&] { return execute(std::move(what), options); }, std::forward<Token>(token));
  }
  /// Runs statements without parameters on a connection of the pool; @see connection::execute
  [[nodiscard]] asio::awaitable<command_result> execute(std::string_view statements, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, command_result)`
  template <class Token>
  auto execute(std::string_view statements, query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return execute(statements, options); }, std::forward<Token>(token));
  }

  /// Writes many rows into a table, on a connection of the pool, which gets it back when the copy is over. Include
  /// <sluice/stream/copy.hpp>. @see connection::copy_into
  /// @par Errors  throws error: as `acquire` and `connection::copy_into`
  [[nodiscard]] asio::awaitable<copy_writer> copy_into(std::string_view table, std::vector<std::string> columns,
                                                       query_options options = {});
  /// With a completion token: `void(std::exception_ptr, copy_writer)`
  template <class Token>
  auto copy_into(std::string_view table, std::vector<std::string> columns, query_options options, Token&& token) {
    return detail::with_token(
        get_executor(), [&] { return copy_into(table, std::move(columns), options); }, std::forward<Token>(token));
  }
  /// The same for columns that are named one by one.
  template <std::convertible_to<std::string_view>... Columns>
  [[nodiscard]] auto copy_into(std::string_view table, const Columns&... columns) {
    return copy_into(table, std::vector<std::string>{std::string{columns}...}, query_options{});
  }
  /// Sends the data of a COPY FROM STDIN as it is. Include <sluice/stream/copy.hpp>.
  /// @par Errors  throws error: as `acquire` and `connection::copy_data`
  [[nodiscard]] asio::awaitable<copy_data_writer> copy_data(std::string_view statement, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, copy_data_writer)`
  template <class Token>
  auto copy_data(std::string_view statement, query_options options, Token&& token) {
    return detail::with_token(
        get_executor(), [&] { return copy_data(statement, options); }, std::forward<Token>(token));
  }
  /// Runs one statement for many rows of values, each row by itself. Each group of rows takes a connection of the pool,
  /// and gives it back once it is answered. Include <sluice/stream/batch.hpp>. Nothing is sent yet.
  /// @see connection::batch
  [[nodiscard]] batch_writer batch(std::string_view statement, batch_options how = {});

  /// Begins a transaction on a connection of the pool, which gets it back when the transaction is over. Include
  /// <sluice/stream/transaction.hpp>.
  /// @par Errors  throws error: as `acquire`
  [[nodiscard]] asio::awaitable<transaction> begin(transaction_options how = {});
  /// With a completion token: `void(std::exception_ptr, transaction)`
  template <class Token>
  auto begin(transaction_options how, Token&& token) {
    return detail::with_token(get_executor(), [this, how] { return begin(how); }, std::forward<Token>(token));
  }

  /// Opens connections until there are `min_size`; from then on the pool keeps that many.
  /// @par Errors  throws error: the error of connecting
  [[nodiscard]] asio::awaitable<void> warm_up();
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto warm_up(Token&& token) {
    return detail::with_token(get_executor(), [this] { return warm_up(); }, std::forward<Token>(token));
  }

  /// Stops lending: waiting callers get an error, idle connections send Terminate and are closed.
  void close() noexcept;
  /// Closes the pool, and waits until every borrowed connection has been returned.
  /// @return whether that happened within `patience`
  /// @par Cancellation  terminal: returns at once; the pool is closed all the same
  [[nodiscard]] asio::awaitable<bool> drain(std::chrono::milliseconds patience);
  /// With a completion token: `void(std::exception_ptr, bool)`
  template <class Token>
  auto drain(std::chrono::milliseconds patience, Token&& token) {
    return detail::with_token(get_executor(), [&] { return drain(patience); }, std::forward<Token>(token));
  }

  [[nodiscard]] pool_stats stats() const;
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class result_cache;
  friend const std::shared_ptr<wire::session_pool>& detail::sessions_of(const pool& from);
  [[nodiscard]] const std::shared_ptr<wire::session_pool>& held() const;
  static pooled_stream stream_on(std::shared_ptr<wire::session_pool> sessions, query what, query_options options,
                                 retry_options retry);
  template <class Call>
  static auto run(std::shared_ptr<wire::session_pool> on, Call call, query_options options)
      -> decltype(call(std::declval<connection&>(), options));

  std::shared_ptr<wire::session_pool> sessions_;
};

}  // namespace sluice
