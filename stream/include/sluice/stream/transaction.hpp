#pragma once
/// @file
/// Transactions, for coroutines and for plain loops.
///
///     sluice::transaction tx = co_await conn.begin({.isolation = sluice::isolation::serializable});
///     co_await tx.execute(sluice::sql("update account set balance = balance - $1 where id = $2", 10, from));
///     co_await tx.execute(sluice::sql("update account set balance = balance + $1 where id = $2", 10, to));
///     co_await tx.commit();  // without this, everything is rolled back
///
/// `begin` costs no round trip: BEGIN travels with the first statement, and a transaction without a statement sends
/// nothing at all. Only a first statement in pages, a pipeline, a list of statements and a savepoint wait for its
/// answer.
///
/// A commit has three ends. It returns: the server has committed. It throws `rolled_back`, or the server's error:
/// nothing of the transaction remains. It throws `outcome_unknown`: the connection was lost, or the wait for the answer
/// was given up, after COMMIT was sent and before it was answered; only a look at the data can tell.
///
/// While a transaction is open, whatever is sent on its connection runs in it.
/// @see PostgreSQL documentation, BEGIN, COMMIT, SAVEPOINT

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/batch_options.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/command_result.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pipeline.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/stream/transaction_options.hpp>

namespace sluice {

namespace wire {
class session_pool;
}
class pool;
class pooled_connection;

/// A transaction block, or a savepoint in one. Movable. If destroyed before `commit` or `rollback`, it is rolled back
/// in the background, and the connection's next statement waits for that; so does the pool, before it lends the
/// connection again.
///
/// A statement that fails, or a stream that is left while the server is still sending its rows, fails the transaction:
/// further statements are refused by the server (25P02) until it is rolled back. To go on after an error, run the
/// statement in a savepoint.
/// @par Lifetime       keeps its connection open, and the loan of a pool
/// @par Thread safety  none: as its connection
class [[nodiscard, gnu::visibility("default")]] transaction {
 public:
  /// No transaction; also the moved-from state.
  transaction() noexcept;
  transaction(transaction&&) noexcept;
  transaction& operator=(transaction&&) noexcept;
  ~transaction();

  /// @see connection::stream
  /// @par Errors  throws error: also bad_state when the transaction is over, or a savepoint in it is open
  [[nodiscard]] asio::awaitable<row_stream> stream(const query& what, query_options options = {});
  /// Rows as values of a C++ type. Include <sluice/stream/typed_stream.hpp>.
  template <class T>
  [[nodiscard]] asio::awaitable<typed_stream<T>> stream(const query& what, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, row_stream)`; @see async.hpp
  template <class Token>
  auto stream(const query& what, query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return stream(what, options); }, std::forward<Token>(token));
  }
  /// With a completion token: `void(std::exception_ptr, typed_stream<T>)`
  template <class T, class Token>
  auto stream(const query& what, query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return stream<T>(what, options); }, std::forward<Token>(token));
  }

  /// @see connection::execute
  /// @par Errors  throws error: as `stream`
  [[nodiscard]] asio::awaitable<command_result> execute(const query& what, query_options options = {});
  /// @see connection::execute
  [[nodiscard]] asio::awaitable<command_result> execute(std::string_view statements, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, command_result)`
  /// @param what  a query, or statements
  template <class What, class Token>
  auto execute(const What& what, query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return execute(what, options); }, std::forward<Token>(token));
  }

  /// @see connection::send; here an error in one query fails those after it, too
  [[nodiscard]] asio::awaitable<pipeline> send(std::vector<query> queries, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, pipeline)`
  template <class Token>
  auto send(std::vector<query> queries, query_options options, Token&& token) {
    return detail::with_token(
        get_executor(), [&] { return send(std::move(queries), options); }, std::forward<Token>(token));
  }

  /// Writes many rows into a table. Include <sluice/stream/copy.hpp>. @see connection::copy_into
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
  [[nodiscard]] asio::awaitable<copy_data_writer> copy_data(std::string_view statement, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, copy_data_writer)`
  template <class Token>
  auto copy_data(std::string_view statement, query_options options, Token&& token) {
    return detail::with_token(
        get_executor(), [&] { return copy_data(statement, options); }, std::forward<Token>(token));
  }

  /// Runs one statement for many rows of values: all are run, or the first that fails fails the transaction. Include
  /// <sluice/stream/batch.hpp>. Nothing is sent yet.
  /// @par Errors  throws error: bad_state for `batch_options::on_failure`; as `stream`
  [[nodiscard]] batch_writer batch(std::string_view statement, batch_options how = {});
  /// A savepoint, as a transaction of its own: its `commit` releases the savepoint, `rollback` or its end undoes what
  /// was done since. Until then, this transaction is not to be used.
  /// @param options  its deadlines
  /// @par Errors  throws error: as `stream`
  [[nodiscard]] asio::awaitable<transaction> begin(query_options options = {});
  /// With a completion token: `void(std::exception_ptr, transaction)`
  template <class Token>
  auto begin(query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return begin(options); }, std::forward<Token>(token));
  }

  /// Ends it: everything that it did becomes visible to others, or, of a savepoint, part of the transaction around it.
  /// @param options  its deadlines; one that has passed is an outcome_unknown
  /// @par Errors        throws error: rolled_back when a statement had failed; server_error when the server could not
  ///                    commit, which has then rolled back (a deferred constraint; 40001, which is `retryable`);
  ///                    outcome_unknown; bad_state when it is over, or a stream of it is still open, which beside a
  ///                    savepoint may be one in pages: then it goes on
  /// @par Cancellation  terminal: throws outcome_unknown
  [[nodiscard]] asio::awaitable<void> commit(query_options options = {});
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto commit(query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return commit(options); }, std::forward<Token>(token));
  }
  /// Ends it and undoes what it did.
  /// @par Errors  throws error: bad_state as `commit`; connection_lost, after which the server rolls back as well
  [[nodiscard]] asio::awaitable<void> rollback(query_options options = {});
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto rollback(query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return rollback(options); }, std::forward<Token>(token));
  }

  /// Whether neither `commit` nor `rollback` was called, and the connection is not known to be lost.
  [[nodiscard]] bool is_open() const noexcept;
  /// @par Errors  throws error: bad_state for a moved-from transaction; so do calls with a completion token
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class connection;
  friend class pool;
  using session_ptr = std::shared_ptr<wire::session>;
  transaction(session_ptr on, std::uint64_t block, std::shared_ptr<pooled_connection> lent) noexcept;
  static asio::awaitable<transaction> begin_on(session_ptr on, transaction_options how,
                                               std::shared_ptr<pooled_connection> lent);
  static asio::awaitable<transaction> begin_in(std::shared_ptr<wire::session_pool> from, transaction_options how);
  static asio::awaitable<transaction> nest(session_ptr on, std::uint64_t in, query_options options);
  void require_open() const;
  void drop() noexcept;

  session_ptr session_;
  std::uint64_t block_{0};
  std::shared_ptr<pooled_connection> lent_;
};

/// The same for a `client`. If destroyed before `commit` or `rollback`, it is rolled back before the destructor
/// returns, or, while a range of it is still open, before the client's next statement.
/// @par Lifetime       keeps the connection open
/// @par Thread safety  none: as the client
class [[nodiscard, gnu::visibility("default")]] blocking_transaction {
 public:
  blocking_transaction(blocking_transaction&&) noexcept;
  blocking_transaction& operator=(blocking_transaction&&) noexcept;
  ~blocking_transaction();

  /// @see client::stream, transaction::stream
  [[nodiscard]] row_range stream(const query& what, query_options options = {});
  /// Rows as values of a C++ type. Include <sluice/stream/typed.hpp>.
  template <class T>
  [[nodiscard]] typed_range<T> stream(const query& what, query_options options = {}) {
    return typed_range<T>{stream(what, options)};
  }
  /// @see transaction::execute
  command_result execute(const query& what, query_options options = {});
  command_result execute(std::string_view statements, query_options options = {});
  /// @see transaction::send
  [[nodiscard]] std::vector<row_range> send(const std::vector<query>& queries, query_options options = {});
  /// Writes many rows into a table. Include <sluice/stream/copy.hpp>. @see client::copy_into
  [[nodiscard]] blocking_copy_writer copy_into(std::string_view table, std::vector<std::string> columns,
                                               query_options options = {});
  /// The same for columns that are named one by one.
  template <std::convertible_to<std::string_view>... Columns>
  [[nodiscard]] blocking_copy_writer copy_into(std::string_view table, const Columns&... columns);
  /// Sends the data of a COPY FROM STDIN as it is. Include <sluice/stream/copy.hpp>.
  [[nodiscard]] blocking_copy_data_writer copy_data(std::string_view statement, query_options options = {});
  /// Runs one statement for many rows of values. Include <sluice/stream/batch.hpp>. @see transaction::batch
  [[nodiscard]] blocking_batch_writer batch(std::string_view statement, batch_options how = {});
  /// @see transaction::begin
  [[nodiscard]] blocking_transaction begin(query_options options = {});
  /// @see transaction::commit
  void commit(query_options options = {});
  /// @see transaction::rollback
  void rollback(query_options options = {});
  [[nodiscard]] bool is_open() const noexcept;

 private:
  friend class client;
  using connection_ptr = std::shared_ptr<detail::blocking_connection>;
  blocking_transaction(connection_ptr on, std::uint64_t block) noexcept;
  void require_open() const;
  void drop() noexcept;

  connection_ptr connection_;
  std::uint64_t block_{0};
};

}  // namespace sluice
