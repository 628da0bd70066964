#pragma once
/// @file
/// One connection to a server, for coroutines.
///
///     auto conn = co_await sluice::connect("postgresql://localhost/app");
///     auto stream = co_await conn.stream(sluice::from("v_user"));
///     while (sluice::chunk chunk = co_await stream.next())
///       for (sluice::row row : chunk) use(row.text());

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pipeline.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/events.hpp>

namespace sluice {

/// A connection that has logged in. Movable. Destroyed idle, it says goodbye to the server (Terminate).
/// @par Thread safety  none: use it and its streams from one coroutine or strand, and one waiting call at a time where
///                     deadlines matter: they are the connection's
class SLUICE_API connection {
 public:
  /// A closed connection; also what is left by moving. Only to be assigned to, or asked whether it is closed.
  connection() noexcept;
  explicit connection(std::shared_ptr<wire::session> session) noexcept;
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  /// Sends the query, in one write, and gives the stream of its rows without waiting for the answer: what the server
  /// has to say about the query comes with the first `next`. Waits only while an earlier, abandoned query is still
  /// being cancelled.
  /// @par Errors  throws error: bad_query when it cannot be sent (the connection stays usable), bad_state when another
  ///              stream is open or the connection is closed
  [[nodiscard]] asio::awaitable<row_stream> stream(const query& what, query_options options = {});

  /// Runs one or more statements without parameters, separated by semicolons, by the simple protocol; rows are passed
  /// over. They are one transaction unless they say otherwise.
  /// @return the last command's tag, such as "INSERT 0 42"
  /// @par Errors  throws error: as `row_stream::next`; the first failing statement ends the rest
  [[nodiscard]] asio::awaitable<std::string> execute(std::string_view statements, query_options options = {});

  /// Sends several queries in one write; their results come in the same order, without a round trip for each. Every
  /// query is a transaction of its own: an error of one does not touch the others. None may be in pages, and each has
  /// to say what its rows are, as `sluice::from` or `query::as_document`, `as_object` and `as_columns` do.
  /// @par Errors  throws error: bad_query, then nothing is sent; bad_state
  [[nodiscard]] asio::awaitable<pipeline> send(std::vector<query> queries, query_options options = {});

  /// What the server last reported of a parameter, such as "server_version" or "TimeZone"; empty when it did not.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  [[nodiscard]] std::uint32_t backend_pid() const noexcept;
  /// "TLSv1.3"; empty when the connection is not in TLS.
  [[nodiscard]] std::string_view tls_version() const noexcept;
  /// Whether a query could be sent now.
  [[nodiscard]] bool is_idle() const noexcept;
  /// Closed by either side, or by an error that leaves no other choice.
  [[nodiscard]] bool is_closed() const noexcept;
  [[nodiscard]] asio::any_io_executor get_executor() const;

  /// Called for each NoticeResponse, between the rows where it stands; the handler must not use this connection.
  void on_notice(notice_handler handler);
  /// Called for each NotificationResponse that arrives while the connection is read.
  void on_notification(notification_handler handler);

  /// Says goodbye when idle. An open stream goes on and keeps what it needs.
  void close() noexcept;
  /// Gives its session away, whatever state it is in.
  [[nodiscard]] std::shared_ptr<wire::session> release() && noexcept { return std::move(session_); }

 private:
  void require_open() const;
  static asio::awaitable<row_stream> start(std::shared_ptr<wire::session> on, query what, query_options options);
  static asio::awaitable<pipeline> send_all(std::shared_ptr<wire::session> on, std::vector<query> queries,
                                            query_options options);
  static asio::awaitable<std::string> run(std::shared_ptr<wire::session> on, std::string statements,
                                          query_options options);

  std::shared_ptr<wire::session> session_;
};

/// Connects and logs in on the coroutine's executor.
/// @param conninfo  URI or key=value string; with the PG* environment variables and libpq's defaults for what it leaves
///                  out
/// @par Errors        throws error: bad_conninfo, name_not_found, connect_failed, auth_*, tls_*, server_error,
///                    protocol_violation, deadline_exceeded (connect_timeout)
/// @par Cancellation  terminal
[[nodiscard]] SLUICE_API asio::awaitable<connection> connect(std::string_view conninfo,
                                                             connection_options options = {});
[[nodiscard]] SLUICE_API asio::awaitable<connection> connect(const conninfo& info, connection_options options = {});

}  // namespace sluice
