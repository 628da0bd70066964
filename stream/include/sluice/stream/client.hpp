#pragma once
/// @file
/// The blocking face: one connection, plain loops, no Asio in sight.
///
///     sluice::client db{"postgresql://localhost/app"};
///     for (sluice::row row : db.stream(sluice::from("v_user").limit(10))) std::cout << row.text() << '\n';

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_iterator.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/events.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {

namespace detail {
class blocking_connection;
}  // namespace detail

/// The rows of one query: a std::ranges input range. Movable, and iterators stay valid when it moves.
/// Destroyed before its end, it cancels the query on the server and makes sure that the connection is clean, within
/// `connection_options::leave_timeout`. A statement that may write is not cancelled: its end is waited for, however
/// long that takes, unless the query's own deadline passes or `client::interrupt` is called (see `sql`,
/// docs/leaving.md).
/// @par Lifetime  keeps the connection alive; a row is valid until the iterator goes on to the next chunk
/// @par Errors    `begin`, `++` and `next` throw error as `row_stream::next` does
class [[nodiscard, gnu::visibility("default")]] row_range {
 public:
  using iterator = row_iterator<detail::blocking_query>;

  row_range(row_range&&) noexcept;
  row_range& operator=(row_range&&) noexcept;
  ~row_range();

  /// Reads up to the first row. To be called once: there is one pass.
  [[nodiscard]] iterator begin();
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// The next rows, for loops over chunks; empty at the end. Do not mix with iterators.
  [[nodiscard]] chunk next();
  /// Stops before the end, whatever the query does, and tells how that went. `next` then throws cancelled, unless the
  /// end was reached before.
  leaving cancel();
  /// @see row_stream::pause; here the time limit is looked at when the stream goes on, since nothing runs meanwhile
  void pause(pause_options how = {});
  void resume();
  [[nodiscard]] stream_stats stats() const;

 private:
  friend class client;
  explicit row_range(std::unique_ptr<detail::blocking_query> query) noexcept;

  std::unique_ptr<detail::blocking_query> query_;
};

template <class T>
class typed_range;

/// One connection for one thread.
/// @par Thread safety  none, but for `interrupt`
class SLUICE_API client {
 public:
  /// Connects and logs in; see `connect` for errors.
  explicit client(std::string_view conninfo, connection_options options = {});
  explicit client(const sluice::conninfo& info, connection_options options = {});
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;
  ~client();

  /// Sends the query; errors of the server come with the first row. While streams in pages are open, others may be,
  /// too: see `row_stream`.
  /// @par Errors  throws error: bad_query, bad_state when another range is open
  [[nodiscard]] row_range stream(const query& what, query_options options = {});
  /// The rows as values of a C++ type. Include <sluice/stream/typed.hpp>, where errors and policies are described.
  template <class T>
  [[nodiscard]] typed_range<T> stream(const query& what, query_options options = {});
  /// Runs statements without parameters and passes over their rows; @see connection::execute
  std::string execute(std::string_view statements, query_options options = {});

  /// Sends several queries in one write, and gives their rows in that order; to be read in that order, too. What is
  /// true of `connection::send` is true of this.
  /// @par Errors  throws error: bad_query, then nothing is sent; bad_state
  [[nodiscard]] std::vector<row_range> send(const std::vector<query>& queries, query_options options = {});

  /// Ends the wait of the thread that uses this client with `cancelled`, or its next wait. May be called from any
  /// thread and from a signal handler.
  void interrupt() noexcept;

  /// @see connection::parameter
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  [[nodiscard]] std::uint32_t backend_pid() const noexcept;
  /// "TLSv1.3"; empty when the connection is not in TLS.
  [[nodiscard]] std::string_view tls_version() const noexcept;
  [[nodiscard]] bool is_idle() const noexcept;
  [[nodiscard]] bool is_closed() const noexcept;
  void on_notice(notice_handler handler);
  void on_notification(notification_handler handler);

 private:
  std::shared_ptr<detail::blocking_connection> connection_;
};

}  // namespace sluice
