#pragma once
/// @file
/// One statement for many rows of values.
///
///     sluice::batch_writer done = co_await conn.batch("update job set done = $1 where id = $2");
///     for (const job& each : jobs) co_await done.write(each.done, each.id);
///     const sluice::batch_result result = co_await done.finish();  // without this, the last rows are not sent
///
/// Rows are collected, and sent and answered many at a time: one round trip for `batch_options::rows` of them. What a
/// failing row means depends on where the batch runs. In a `transaction` all rows are part of it, and the first that
/// fails ends it. Elsewhere each row is a transaction of its own: the others are run all the same.
///
/// To fill a table, `copy_into` is faster.
/// @see PostgreSQL documentation, section "Pipelining"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/batch_options.hpp>
#include <sluice/stream/bind_value.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/stream/transaction.hpp>

namespace sluice {

namespace detail {
class batching;
class blocking_batching;

template <class T>
concept bindable = std::constructible_from<bind_value, const T&>;
}  // namespace detail

/// What the rows of a batch have done.
struct batch_result {
  std::uint64_t rows{0};           ///< that the server has answered
  std::uint64_t failed{0};         ///< of these, reported to `batch_options::on_failure`
  std::uint64_t affected_rows{0};  ///< of all of them together; see `command_result`
};

/// Many rows for one statement, bound as the values of `sql` are. Movable. If destroyed before `finish`, rows that were
/// not sent yet are dropped.
///
/// The type of each parameter follows from the C++ types of a row. A row whose types differ from those of the row
/// before it begins a new group.
/// @par Lifetime       keeps its connection open, and keeps a pool from lending it again, until the batch is over:
///                     after `finish`, after a failure, or at the end of its transaction; that of `pool::batch` keeps
///                     the pool, and has a connection only while rows are sent
/// @par Thread safety  none: as its connection, on which other queries may run between two calls
class [[nodiscard, gnu::visibility("default")]] batch_writer {
 public:
  /// No batch; also the moved-from state.
  batch_writer() noexcept;
  batch_writer(batch_writer&&) noexcept;
  batch_writer& operator=(batch_writer&&) noexcept;
  ~batch_writer();

  /// Adds a row: a value for each parameter, from `$1` on. The values are read before this returns; when there are
  /// `batch_options::rows`, what it returns waits until the server has answered them all.
  /// @par Errors        throws error: bad_query, at once, for another number of values than before: the batch goes on
  ///                    without the row; as `connection::execute` for a row that failed, or a statement that cannot be
  ///                    run: then the batch is over; bad_state when it is over. The error says which row it was
  /// @par Cancellation  terminal: the batch is over; rows that were sent are run all the same
  template <detail::bindable... Values>
  [[nodiscard]] asio::awaitable<void> write(const Values&... values) {
    std::array<bind_value, sizeof...(Values)> row{bind_value{values}...};
    add(row);
    return sent_if_full();
  }
  /// A row that is a tuple.
  template <detail::bindable... Values>
  [[nodiscard]] asio::awaitable<void> write(const std::tuple<Values...>& row) {
    return std::apply([this](const Values&... values) { return write(values...); }, row);
  }
  /// A row whose number of values is not known to the compiler.
  /// @param row  moved from
  [[nodiscard]] asio::awaitable<void> write_row(std::span<bind_value> row) {
    add(row);
    return sent_if_full();
  }
  /// With a completion token: `void(std::exception_ptr)`; @see async.hpp
  template <detail::bindable... Values, class Token>
  auto write(const std::tuple<Values...>& row, Token&& token) {
    return detail::with_token(get_executor(), [&] { return write(row); }, std::forward<Token>(token));
  }
  template <class Token>
  auto write_row(std::span<bind_value> row, Token&& token) {
    return detail::with_token(get_executor(), [&] { return write_row(row); }, std::forward<Token>(token));
  }
  /// Sends the rows that are left, and ends the batch.
  /// @par Errors, Cancellation  as `write`
  [[nodiscard]] asio::awaitable<batch_result> finish();
  /// With a completion token: `void(std::exception_ptr, batch_result)`
  template <class Token>
  auto finish(Token&& token) {
    return detail::with_token(get_executor(), [this] { return finish(); }, std::forward<Token>(token));
  }
  /// Rows written so far.
  [[nodiscard]] std::uint64_t rows() const noexcept;
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class connection;
  friend class pool;
  friend class transaction;
  batch_writer(std::shared_ptr<wire::session> on, std::shared_ptr<detail::batching> work) noexcept;
  batch_writer(std::shared_ptr<wire::session_pool> from, std::shared_ptr<detail::batching> work) noexcept;
  void add(std::span<bind_value> row);
  [[nodiscard]] asio::awaitable<void> sent_if_full();

  std::shared_ptr<wire::session> session_;    // null: one is taken for each group
  std::shared_ptr<wire::session_pool> pool_;  // from here
  std::shared_ptr<detail::batching> work_;    // kept alive by a waiting call
};

/// The same for a `client`.
class [[nodiscard, gnu::visibility("default")]] blocking_batch_writer {
 public:
  blocking_batch_writer(blocking_batch_writer&&) noexcept;
  blocking_batch_writer& operator=(blocking_batch_writer&&) noexcept;
  ~blocking_batch_writer();

  /// @see batch_writer::write
  template <detail::bindable... Values>
  void write(const Values&... values) {
    std::array<bind_value, sizeof...(Values)> row{bind_value{values}...};
    add(row);
  }
  /// A row that is a tuple.
  template <detail::bindable... Values>
  void write(const std::tuple<Values...>& row) {
    std::apply([this](const Values&... values) { write(values...); }, row);
  }
  /// @see batch_writer::write_row
  void write_row(std::span<bind_value> row) { add(row); }
  /// @see batch_writer::finish
  batch_result finish();
  [[nodiscard]] std::uint64_t rows() const noexcept;

 private:
  friend class client;
  friend class blocking_transaction;
  explicit blocking_batch_writer(std::unique_ptr<detail::blocking_batching> work) noexcept;
  void add(std::span<bind_value> row);

  std::unique_ptr<detail::blocking_batching> work_;
};

}  // namespace sluice
