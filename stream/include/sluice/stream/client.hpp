#pragma once
/// @file
/// The blocking API: one connection and plain loops, without Asio in the interface.
///
///     sluice::client db{"postgresql://localhost/app"};
///     for (sluice::row row : db.stream(sluice::from("v_user").limit(10))) std::cout << row.text() << '\n';

#include <concepts>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/stream/batch_options.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/command_result.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_iterator.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/stream/transaction_options.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/events.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {

class arrow_reader;
struct arrow_options;

namespace detail {
class blocking_connection;
}  // namespace detail

/// The rows of one query: a std::ranges input range. Movable; iterators stay valid when it moves. A moved-from range is
/// at its end, and cannot be iterated.
///
/// If destroyed before its end, it cancels the query on the server and makes sure that the connection is clean, within
/// `connection_options::leave_timeout`. A statement that may write is not cancelled: the destructor waits for its end,
/// however long that takes, unless the query's own deadline passes or `client::interrupt` is called (see `sql`,
/// docs/leaving.md).
/// @par Lifetime  keeps the connection alive; a row is valid until the iterator moves on to the next chunk
/// @par Errors    `begin`, `++` and `next` throw error as `row_stream::next` does
class [[nodiscard, gnu::visibility("default")]] row_range {
 public:
  using iterator = row_iterator<detail::blocking_query>;

  row_range(row_range&&) noexcept;
  row_range& operator=(row_range&&) noexcept;
  ~row_range();

  /// Reads up to the first row. Call it only once: the range is single-pass.
  [[nodiscard]] iterator begin();
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// The next rows, for loops over chunks; empty at the end. Do not mix it with iterators.
  [[nodiscard]] chunk next();
  /// Stops before the end, whatever the query does, and returns the outcome. `next` then throws cancelled, unless the
  /// end was reached before.
  leaving cancel();
  /// @see row_stream::pause; here the time limit is checked when the stream continues, since nothing runs in between
  void pause(pause_options how = {});
  void resume();
  [[nodiscard]] stream_stats stats() const;
  /// @see row_stream::columns
  [[nodiscard]] std::span<const result_column> columns() const noexcept;

 private:
  friend class client;
  friend class blocking_transaction;
  explicit row_range(std::unique_ptr<detail::blocking_query> query) noexcept;
  [[nodiscard]] detail::blocking_query& held() const;
  static std::vector<row_range> send(const std::shared_ptr<detail::blocking_connection>& on,
                                     const std::vector<query>& queries, const query_options& options,
                                     std::uint64_t block);

  std::unique_ptr<detail::blocking_query> query_;
};

template <class T, class Rows = row_range>
class typed_range;
class blocking_transaction;
class blocking_copy_writer;
class blocking_copy_data_writer;
class blocking_batch_writer;

/// One connection for one thread. Movable; calls on a moved-from client throw bad_state.
/// @par Thread safety  none, except for `interrupt`
class SLUICE_API client {
 public:
  /// Connects and logs in; see `connect` for errors.
  explicit client(std::string_view conninfo, connection_options options = {});
  explicit client(const sluice::conninfo& info, connection_options options = {});
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;
  ~client();

  /// Sends the query; server errors surface with the first row. While paged streams are open, other streams may be
  /// open, too: see `row_stream`.
  /// @par Errors  throws error: bad_query, bad_state when another range is open
  [[nodiscard]] row_range stream(const query& what, query_options options = {});
  /// The rows as values of a C++ type. Include <sluice/stream/typed.hpp>, where errors and policies are described.
  template <class T>
  [[nodiscard]] typed_range<T> stream(const query& what, query_options options = {});
  /// The rows as Arrow batches. Include <sluice/arrow/reader.hpp>, and link libsluice_arrow.
  template <std::convertible_to<query> What>
  [[nodiscard]] arrow_reader arrow(const What& what);
  /// The same with bounds of the batches and a choice of types.
  template <std::convertible_to<query> What>
  [[nodiscard]] arrow_reader arrow(const What& what, const arrow_options& how, query_options options = {});
  /// Runs one statement, with its parameters, to its end; rows are discarded. @see connection::execute
  command_result execute(const query& what, query_options options = {});
  /// Runs statements without parameters and discards their rows; @see connection::execute
  command_result execute(std::string_view statements, query_options options = {});
  /// Writes many rows into a table. Include <sluice/stream/copy.hpp>. @see connection::copy_into
  [[nodiscard]] blocking_copy_writer copy_into(std::string_view table, std::vector<std::string> columns,
                                               query_options options = {});
  /// The same for columns that are named one by one.
  template <std::convertible_to<std::string_view>... Columns>
  [[nodiscard]] blocking_copy_writer copy_into(std::string_view table, const Columns&... columns);
  /// Sends the data of a COPY FROM STDIN as it is. Include <sluice/stream/copy.hpp>.
  [[nodiscard]] blocking_copy_data_writer copy_data(std::string_view statement, query_options options = {});
  /// Runs one statement for many rows of values, each row by itself. Include <sluice/stream/batch.hpp>.
  /// @see connection::batch
  [[nodiscard]] blocking_batch_writer batch(std::string_view statement, batch_options how = {});
  /// Begins a transaction. Include <sluice/stream/transaction.hpp>. @see connection::begin
  [[nodiscard]] blocking_transaction begin(transaction_options how = {});

  /// Sends several queries in one write and returns their rows in the same order; read them in that order, too.
  /// Everything said about `connection::send` applies here.
  /// @par Errors  throws error: bad_query, in which case nothing is sent; bad_state
  [[nodiscard]] std::vector<row_range> send(const std::vector<query>& queries, query_options options = {});

  /// Interrupts the thread that uses this client: its current wait, or else its next one, ends with `cancelled`. May be
  /// called from any thread and from a signal handler.
  void interrupt() noexcept;

  /// @see connection::parameter
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  [[nodiscard]] std::uint32_t backend_pid() const noexcept;
  /// "TLSv1.3", for example; empty when the connection does not use TLS.
  [[nodiscard]] std::string_view tls_version() const noexcept;
  [[nodiscard]] bool is_idle() const noexcept;
  [[nodiscard]] bool is_closed() const noexcept;
  void on_notice(notice_handler handler);
  void on_notification(notification_handler handler);

 private:
  [[nodiscard]] const std::shared_ptr<detail::blocking_connection>& held() const;

  std::shared_ptr<detail::blocking_connection> connection_;
};

}  // namespace sluice
