#pragma once
/// @file
/// One connection to a server, for coroutines.
///
///     auto conn = co_await sluice::connect("postgresql://localhost/app");
///     auto stream = co_await conn.stream(sluice::from("v_user"));
///     while (sluice::chunk chunk = co_await stream.next())
///       for (sluice::row row : chunk) use(row.text());

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/batch_options.hpp>
#include <sluice/stream/command_result.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pipeline.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/stream/transaction_options.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/events.hpp>

namespace sluice {

template <class T, class Rows = row_stream>
class typed_stream;
template <class Rows = row_stream>
class arrow_stream;
struct arrow_options;
class transaction;
class copy_writer;
class copy_data_writer;
class batch_writer;

/// A connection that has logged in. Movable. If destroyed while idle, it sends Terminate to the server.
/// @par Thread safety  none: use it and its streams from one coroutine or strand. Where deadlines matter, have only one
///                     call waiting at a time, since deadlines belong to the connection
class SLUICE_API connection {
 public:
  /// A closed connection; also the moved-from state. It can only be assigned to, or asked whether it is closed.
  connection() noexcept;
  explicit connection(std::shared_ptr<wire::session> session) noexcept;
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  /// Sends the query in one write and returns the stream of its rows without waiting for the answer: a server error
  /// surfaces with the first `next`. It waits only while an earlier, abandoned query is still being cancelled.
  /// @par Errors  throws error: bad_query when it cannot be sent (the connection stays usable), bad_state when another
  ///              stream is open or the connection is closed
  [[nodiscard]] asio::awaitable<row_stream> stream(const query& what, query_options options = {});
  [[nodiscard]] asio::awaitable<row_stream> stream(query&& what, query_options options = {});
  /// The rows as values of a C++ type. Include <sluice/stream/typed_stream.hpp>.
  template <class T>
  [[nodiscard]] asio::awaitable<typed_stream<T>> stream(const query& what, query_options options = {});
  /// The same for any completion token; the signature is `void(std::exception_ptr, row_stream)`. Include
  /// <sluice/stream/async.hpp>, which says what holds for all such forms.
  template <class Token>
  auto stream(const query& what, query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return stream(what, options); }, std::forward<Token>(token));
  }
  /// With a completion token: `void(std::exception_ptr, typed_stream<T>)`
  template <class T, class Token>
  auto stream(const query& what, query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return stream<T>(what, options); }, std::forward<Token>(token));
  }

  /// The rows as Arrow batches. Include <sluice/arrow/stream.hpp>, and link libsluice_arrow.
  template <std::convertible_to<query> What>
  [[nodiscard]] asio::awaitable<arrow_stream<row_stream>> arrow(const What& what);
  /// The same with bounds of the batches and a choice of types.
  template <std::convertible_to<query> What>
  [[nodiscard]] asio::awaitable<arrow_stream<row_stream>> arrow(const What& what, const arrow_options& how,
                                                                query_options options = {});
  /// With a completion token: `void(std::exception_ptr, arrow_stream<row_stream>)`
  template <std::convertible_to<query> What, class Token>
  auto arrow(const What& what, const arrow_options& how, query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return arrow(what, how, options); }, std::forward<Token>(token));
  }

  /// Runs one statement, with its parameters, to its end; rows are discarded. `query_options::mode` does not apply.
  /// @par Errors  throws error: as `stream` and `row_stream::next`. After `connection_lost` it is unknown whether the
  ///              statement has run, unless it was in a `transaction`
  [[nodiscard]] asio::awaitable<command_result> execute(const query& what, query_options options = {});
  /// Runs one or more statements without parameters, separated by semicolons, by the simple protocol; rows are
  /// discarded. The statements form one transaction unless they say otherwise.
  /// @return of the last statement
  /// @par Errors  throws error: as `row_stream::next`; the first failing statement ends the rest
  [[nodiscard]] asio::awaitable<command_result> execute(std::string_view statements, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, command_result)`
  /// @param what  a query, or statements
  template <class What, class Token>
  auto execute(const What& what, query_options options, Token&& token) {
    return detail::with_token(get_executor(), [&] { return execute(what, options); }, std::forward<Token>(token));
  }

  /// Writes many rows into a table. Include <sluice/stream/copy.hpp>.
  /// @param table    as for `sluice::from`
  /// @param columns  their names; none: all but generated ones, in the table's order
  /// @par Errors  throws error: as `stream` and `row_stream::next`; bad_column for a column that does not exist
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
  /// @par Errors  throws error: as `stream`; unsupported_result when the statement is something else
  [[nodiscard]] asio::awaitable<copy_data_writer> copy_data(std::string_view statement, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, copy_data_writer)`
  template <class Token>
  auto copy_data(std::string_view statement, query_options options, Token&& token) {
    return detail::with_token(
        get_executor(), [&] { return copy_data(statement, options); }, std::forward<Token>(token));
  }

  /// Runs one statement for many rows of values, each row by itself. Include <sluice/stream/batch.hpp>. Nothing is sent
  /// yet.
  /// @param statement  with `$1`, `$2`, ... for the values of a row
  [[nodiscard]] batch_writer batch(std::string_view statement, batch_options how = {});
  /// Begins a transaction. Include <sluice/stream/transaction.hpp>.
  /// @par Errors  throws error: bad_state when a transaction block is open already, or a stream in pages, which has one
  [[nodiscard]] asio::awaitable<transaction> begin(transaction_options how = {});
  /// With a completion token: `void(std::exception_ptr, transaction)`
  template <class Token>
  auto begin(transaction_options how, Token&& token) {
    return detail::with_token(get_executor(), [this, how] { return begin(how); }, std::forward<Token>(token));
  }

  /// Sends several queries in one write; their results arrive in the same order, without a round trip for each. Every
  /// query is a transaction of its own, so an error in one does not affect the others. None may be paged, and each has
  /// to declare the shape of its rows, as `sluice::from` or `query::as_document`, `as_object` and `as_columns` do.
  /// @par Errors  throws error: bad_query, in which case nothing is sent; bad_state
  [[nodiscard]] asio::awaitable<pipeline> send(std::vector<query> queries, query_options options = {});
  /// With a completion token: `void(std::exception_ptr, pipeline)`
  template <class Token>
  auto send(std::vector<query> queries, query_options options, Token&& token) {
    return detail::with_token(
        get_executor(), [&] { return send(std::move(queries), options); }, std::forward<Token>(token));
  }

  /// The value of a parameter as the server last reported it, such as "server_version" or "TimeZone"; empty if it never
  /// did.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  [[nodiscard]] std::uint32_t backend_pid() const noexcept;
  /// "TLSv1.3", for example; empty when the connection does not use TLS.
  [[nodiscard]] std::string_view tls_version() const noexcept;
  /// Whether a query could be sent now.
  [[nodiscard]] bool is_idle() const noexcept;
  /// Whether the connection was closed, by either side or by an error that left no other choice.
  [[nodiscard]] bool is_closed() const noexcept;
  /// @par Errors  throws error: bad_state for a connection that was never opened, or was moved from; so do calls with
  ///              a completion token
  [[nodiscard]] asio::any_io_executor get_executor() const;

  /// Sets the handler called for each NoticeResponse, at its place between the rows. The handler must not use this
  /// connection. What it throws closes the connection, and comes out of the call that was reading.
  void on_notice(notice_handler handler);
  /// Sets the handler called for each NotificationResponse that arrives while the connection is read; the same holds
  /// for it.
  void on_notification(notification_handler handler);

  /// Sends Terminate if idle. An open stream continues and keeps what it needs.
  void close() noexcept;
  /// Gives up its session, whatever state it is in.
  [[nodiscard]] std::shared_ptr<wire::session> release() && noexcept { return std::move(session_); }

 private:
  friend class transaction;
  void require_open() const;
  // `block`: of which transaction; 0: of whatever is open.
  static asio::awaitable<row_stream> start(std::shared_ptr<wire::session> on, query what, query_options options,
                                           std::uint64_t block);
  static asio::awaitable<command_result> run(std::shared_ptr<wire::session> on, query what, query_options options,
                                             std::uint64_t block);
  static asio::awaitable<command_result> run_all(std::shared_ptr<wire::session> on, std::string statements,
                                                 query_options options, std::uint64_t block);
  static asio::awaitable<pipeline> send_all(std::shared_ptr<wire::session> on, std::vector<query> queries,
                                            query_options options, std::uint64_t block);

  static asio::awaitable<copy_writer> begin_copy_into(std::shared_ptr<wire::session> on, std::string table,
                                                      std::vector<std::string> columns, query_options options,
                                                      std::uint64_t block);
  static asio::awaitable<copy_data_writer> begin_copy_data(std::shared_ptr<wire::session> on, std::string statement,
                                                           query_options options, std::uint64_t block);

  std::shared_ptr<wire::session> session_;
};

/// Connects and logs in on the coroutine's executor.
/// @param conninfo  URI or key=value string; the PG* environment variables and libpq's defaults supply what it leaves
///                  out
/// @par Errors        throws error: bad_conninfo, name_not_found, connect_failed, auth_*, tls_*, server_error,
///                    protocol_violation, deadline_exceeded (connect_timeout)
/// @par Cancellation  terminal
[[nodiscard]] SLUICE_API asio::awaitable<connection> connect(std::string_view conninfo,
                                                             connection_options options = {});
[[nodiscard]] SLUICE_API asio::awaitable<connection> connect(const conninfo& info, connection_options options = {});
/// With a completion token: `void(std::exception_ptr, connection)`; @see async.hpp
/// @param on     the connection's executor
/// @param where  a connection string or a conninfo
template <class Token, class Where>
auto connect(const asio::any_io_executor& on, const Where& where, connection_options options, Token&& token) {
  return detail::with_token(on, [&] { return sluice::connect(where, options); }, std::forward<Token>(token));
}

}  // namespace sluice
