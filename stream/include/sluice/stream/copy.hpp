#pragma once
/// @file
/// Many rows into a table, by COPY.
///
///     sluice::copy_writer to = co_await conn.copy_into("events", "id", "at", "data");
///     for (const event& each : events) co_await to.write(each.id, each.at, each.json);
///     const std::uint64_t rows = co_await to.finish();  // without this, nothing is stored
///
/// Rows are sent in the binary format, so that the server has no text to parse. Each value is checked against the type
/// of its column before it is sent: <sluice/stream/to_binary.hpp> says what fits. A row that does not fit is not
/// written, and the copy can go on. What the server refuses ends the copy: its error says in which row ("COPY events,
/// line 17").
///
/// Rows are collected in a buffer of 64 KiB; when it is full, `write` waits until the server has taken it. So a slow
/// server slows down the program, and memory stays the same.
/// @see PostgreSQL documentation, COPY

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/to_binary.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/stream/transaction.hpp>

namespace sluice {

namespace detail {
class copying;
class blocking_copying;
}  // namespace detail

/// A COPY into a table, in C++ values. Movable. If destroyed before `finish`, the server is told to store nothing.
/// @par Lifetime       keeps its connection open
/// @par Thread safety  none: as its connection, which carries nothing else until the copy is over
class [[nodiscard, gnu::visibility("default")]] copy_writer {
 public:
  /// No copy; also the moved-from state.
  copy_writer() noexcept;
  copy_writer(copy_writer&&) noexcept;
  copy_writer& operator=(copy_writer&&) noexcept;
  ~copy_writer();

  /// Adds a row: a value for each column. The values are read before this returns; what it returns waits for the server
  /// if need be.
  /// @par Errors        throws error: bad_column when they do not fit, at once: the copy goes on without the row;
  ///                    server_error, connection_lost and the like for rows written before: then the copy is over, and
  ///                    nothing was stored; bad_state when it is over
  /// @par Cancellation  terminal: the copy is over
  template <detail::binary_value... Values>
  [[nodiscard]] asio::awaitable<void> write(const Values&... values) {
    writer().add(values...);
    return sent_if_full();
  }
  /// A row that is a tuple.
  template <class... Values>
  [[nodiscard]] asio::awaitable<void> write(const std::tuple<Values...>& row) {
    std::apply([this](const Values&... values) { writer().add(values...); }, row);
    return sent_if_full();
  }
  /// A row whose number of values is not known to the compiler: `value(place, index)` is called for each column in
  /// turn, and calls `place.write` once.
  template <std::invocable<binary_place&, std::size_t> Value>
  [[nodiscard]] asio::awaitable<void> write_each(const Value& value) {
    writer().add_each(value);
    return sent_if_full();
  }
  /// With a completion token: `void(std::exception_ptr)`; @see async.hpp
  template <class... Values, class Token>
  auto write(const std::tuple<Values...>& row, Token&& token) {
    return detail::with_token(get_executor(), [&] { return write(row); }, std::forward<Token>(token));
  }
  template <std::invocable<binary_place&, std::size_t> Value, class Token>
  auto write_each(const Value& value, Token&& token) {
    return detail::with_token(get_executor(), [&] { return write_each(value); }, std::forward<Token>(token));
  }
  /// Ends the copy: everything is stored, or nothing.
  /// @return the number of rows
  /// @par Errors        throws error: as `write`; but after connection_lost, and a deadline that passes during the
  /// call,
  ///                    it is unknown which of both, unless it was in a `transaction`
  /// @par Cancellation  terminal: the same
  [[nodiscard]] asio::awaitable<std::uint64_t> finish();
  /// With a completion token: `void(std::exception_ptr, std::uint64_t)`
  template <class Token>
  auto finish(Token&& token) {
    return detail::with_token(get_executor(), [this] { return finish(); }, std::forward<Token>(token));
  }
  /// Rows written so far.
  [[nodiscard]] std::uint64_t rows() const noexcept;
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class connection;
  explicit copy_writer(std::shared_ptr<detail::copying> work) noexcept;
  [[nodiscard]] detail::row_writer& writer() const;
  [[nodiscard]] asio::awaitable<void> sent_if_full();

  std::shared_ptr<detail::copying> work_;  // kept alive by a waiting call
};

/// The data of a COPY as it is: text, CSV or binary, however it is divided. Movable. If destroyed before `finish`, the
/// server is told to store nothing.
/// @par Lifetime, Thread safety  as `copy_writer`
class [[nodiscard, gnu::visibility("default")]] copy_data_writer {
 public:
  /// No copy; also the moved-from state.
  copy_data_writer() noexcept;
  copy_data_writer(copy_data_writer&&) noexcept;
  copy_data_writer& operator=(copy_data_writer&&) noexcept;
  ~copy_data_writer();

  /// Adds data, which is copied before this returns.
  /// @par Errors, Cancellation  as `copy_writer::write`
  [[nodiscard]] asio::awaitable<void> write(std::string_view data);
  /// With a completion token: `void(std::exception_ptr)`; @see async.hpp
  template <class Token>
  auto write(std::string_view data, Token&& token) {
    return detail::with_token(get_executor(), [&] { return write(data); }, std::forward<Token>(token));
  }
  /// @see copy_writer::finish
  [[nodiscard]] asio::awaitable<std::uint64_t> finish();
  /// With a completion token: `void(std::exception_ptr, std::uint64_t)`
  template <class Token>
  auto finish(Token&& token) {
    return detail::with_token(get_executor(), [this] { return finish(); }, std::forward<Token>(token));
  }
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend class connection;
  explicit copy_data_writer(std::shared_ptr<detail::copying> work) noexcept;

  std::shared_ptr<detail::copying> work_;
};

/// The same as `copy_writer` for a `client`. If destroyed before `finish`, it waits until the server has dropped the
/// rows.
class [[nodiscard, gnu::visibility("default")]] blocking_copy_writer {
 public:
  blocking_copy_writer(blocking_copy_writer&&) noexcept;
  blocking_copy_writer& operator=(blocking_copy_writer&&) noexcept;
  ~blocking_copy_writer();

  /// @see copy_writer::write
  template <detail::binary_value... Values>
  void write(const Values&... values) {
    writer().add(values...);
    send_if_full();
  }
  /// A row that is a tuple.
  template <class... Values>
  void write(const std::tuple<Values...>& row) {
    std::apply([this](const Values&... values) { write(values...); }, row);
  }
  /// @see copy_writer::write_each
  template <std::invocable<binary_place&, std::size_t> Value>
  void write_each(const Value& value) {
    writer().add_each(value);
    send_if_full();
  }
  /// @see copy_writer::finish
  std::uint64_t finish();
  [[nodiscard]] std::uint64_t rows() const noexcept;

 private:
  friend class client;
  friend class blocking_transaction;
  explicit blocking_copy_writer(std::unique_ptr<detail::blocking_copying> work) noexcept;
  [[nodiscard]] detail::row_writer& writer() const;
  void send_if_full();

  std::unique_ptr<detail::blocking_copying> work_;
};

/// The same as `copy_data_writer` for a `client`.
class [[nodiscard, gnu::visibility("default")]] blocking_copy_data_writer {
 public:
  blocking_copy_data_writer(blocking_copy_data_writer&&) noexcept;
  blocking_copy_data_writer& operator=(blocking_copy_data_writer&&) noexcept;
  ~blocking_copy_data_writer();

  void write(std::string_view data);
  /// @see copy_writer::finish
  std::uint64_t finish();

 private:
  friend class client;
  friend class blocking_transaction;
  explicit blocking_copy_data_writer(std::unique_ptr<detail::blocking_copying> work) noexcept;

  std::unique_ptr<detail::blocking_copying> work_;
};

template <std::convertible_to<std::string_view>... Columns>
blocking_copy_writer client::copy_into(std::string_view table, const Columns&... columns) {
  return copy_into(table, std::vector<std::string>{std::string{columns}...}, query_options{});
}
template <std::convertible_to<std::string_view>... Columns>
blocking_copy_writer blocking_transaction::copy_into(std::string_view table, const Columns&... columns) {
  return copy_into(table, std::vector<std::string>{std::string{columns}...}, query_options{});
}

}  // namespace sluice
