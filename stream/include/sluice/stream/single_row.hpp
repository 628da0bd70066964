#pragma once
/// @file
/// Queries of one row, or of one value.
///
///     auto count = sluice::value<std::int64_t>(db, sluice::sql("select count(*) from job"));
///     auto [name, born] = co_await sluice::one_row<std::string, std::chrono::sys_days>(conn, by_id);
///     auto found = co_await sluice::optional_row<std::string>(tx, by_id);  // std::optional<std::tuple<std::string>>
///
/// `on` is a client or blocking_transaction, and the result is returned; or a connection, transaction or pool, and the
/// result is awaited. The query is read to its end before that, so an error after the row is not lost. Columns are
/// read as `row::get` reads them; <sluice/stream/columns.hpp> lists the types. A single type with SLUICE_JSON is read
/// from the columns by their names, as <sluice/stream/typed.hpp> says, which has to be included.

#include <concepts>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/columns.hpp>
#include <sluice/stream/concepts.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

namespace detail {

template <class T>
inline constexpr bool is_view_of_a_row = false;
template <>
inline constexpr bool is_view_of_a_row<std::string_view> = true;
template <class T>
inline constexpr bool is_view_of_a_row<std::span<T>> = true;
template <>
inline constexpr bool is_view_of_a_row<bit_string> = true;
template <>
inline constexpr bool is_view_of_a_row<ltree> = true;
template <>
inline constexpr bool is_view_of_a_row<raw_value> = true;
template <class T>
inline constexpr bool is_view_of_a_row<std::optional<T>> = is_view_of_a_row<T>;
template <class T>
inline constexpr bool is_view_of_a_row<std::vector<T>> = is_view_of_a_row<T>;
template <class T>
inline constexpr bool is_view_of_a_row<multi_array<T>> = is_view_of_a_row<T>;
template <class T>
inline constexpr bool is_view_of_a_row<range<T>> = is_view_of_a_row<T>;
template <class T>
inline constexpr bool is_view_of_a_row<multirange<T>> = is_view_of_a_row<T>;
template <class First, class Second>
inline constexpr bool is_view_of_a_row<std::pair<First, Second>> = is_view_of_a_row<First> || is_view_of_a_row<Second>;
template <class... Ts>
inline constexpr bool is_view_of_a_row<std::tuple<Ts...>> = (is_view_of_a_row<Ts> || ...);

/// How a row is read: here, by the positions of its columns.
template <class... Ts>
struct row_reader {
  using type = std::tuple<Ts...>;
  static_assert(!(is_view_of_a_row<Ts> || ...), "the row is gone when its values are returned: take a std::string");
  static query prepared(const query& what) { return query{what}.as_columns(); }
  static type read(const row& from) { return from.get<Ts...>(); }
};

[[noreturn]] SLUICE_API void fail_several_rows();
[[noreturn]] SLUICE_API void fail_no_row();

/// The only row of some chunks.
template <class Reader>
class only_row {
 public:
  void take(const chunk& rows) {
    for (const row each : rows) {
      if (found_) fail_several_rows();
      found_.emplace(Reader::read(each));
    }
  }
  [[nodiscard]] std::optional<typename Reader::type> found() && { return std::move(found_); }

 private:
  std::optional<typename Reader::type> found_{};
};

template <class Result>
Result required(std::optional<Result> found) {
  if (!found) fail_no_row();
  return *std::move(found);
}
template <class Result>
std::optional<Result> as_it_is(std::optional<Result> found) {
  return found;
}
template <class Result>
Result first_value(std::optional<Result> found) {
  return required(std::move(found));
}
template <class T>
T first_value(std::optional<std::tuple<T>> found) {
  return std::get<0>(required(std::move(found)));
}

template <class Reader, class Finish, awaitable_stream Rows>
auto read_only_row(Rows rows, Finish finish)
    -> asio::awaitable<decltype(finish(std::optional<typename Reader::type>{}))> {
  only_row<Reader> only;
  while (const chunk some = co_await rows.next()) only.take(some);
  co_return finish(std::move(only).found());
}
template <class Reader, class Finish>
auto read_only_row(asio::awaitable<row_stream> begun, Finish finish)
    -> asio::awaitable<decltype(finish(std::optional<typename Reader::type>{}))> {
  row_stream rows = co_await std::move(begun);
  only_row<Reader> only;
  while (const chunk some = co_await rows.next()) only.take(some);
  co_return finish(std::move(only).found());
}
template <class Reader, class Finish, blocking_stream Rows>
auto read_only_row(Rows rows, Finish finish) {
  only_row<Reader> only;
  while (const chunk some = rows.next()) only.take(some);
  return finish(std::move(only).found());
}

}  // namespace detail

/// The only row: a std::tuple of its first columns, or the one type with SLUICE_JSON.
/// @return it, or an asio::awaitable of it
/// @par Errors  throws error: unexpected_rows when there is none, or more than one; bad_column, or bad_json of a type
///              with SLUICE_JSON, when it does not fit: a statement that writes has then been run all the same, so
///              run it in a transaction; as `stream` and `next`
template <class... Ts, class On>
[[nodiscard]] auto one_row(On& on, const query& what, query_options options = {}) {
  using reader = detail::row_reader<Ts...>;
  return detail::read_only_row<reader>(on.stream(reader::prepared(what), options),
                                       [](auto found) { return detail::required(std::move(found)); });
}
/// With a completion token: `void(std::exception_ptr, std::tuple<Ts...>)`; @see async.hpp
template <class... Ts, class On, class Token>
auto one_row(On& on, const query& what, query_options options, Token&& token) {
  return detail::with_token(
      on.get_executor(), [&] { return one_row<Ts...>(on, what, options); }, std::forward<Token>(token));
}

/// The same, or nothing if there is no row.
/// @par Errors  throws error: unexpected_rows when there is more than one; as above
template <class... Ts, class On>
[[nodiscard]] auto optional_row(On& on, const query& what, query_options options = {}) {
  using reader = detail::row_reader<Ts...>;
  return detail::read_only_row<reader>(on.stream(reader::prepared(what), options),
                                       [](auto found) { return detail::as_it_is(std::move(found)); });
}
/// With a completion token: `void(std::exception_ptr, std::optional<std::tuple<Ts...>>)`
template <class... Ts, class On, class Token>
auto optional_row(On& on, const query& what, query_options options, Token&& token) {
  return detail::with_token(
      on.get_executor(), [&] { return optional_row<Ts...>(on, what, options); }, std::forward<Token>(token));
}

/// The first column of the only row.
/// @par Errors  throws error: as `one_row`
template <class T, class On>
[[nodiscard]] auto value(On& on, const query& what, query_options options = {}) {
  using reader = detail::row_reader<T>;
  return detail::read_only_row<reader>(on.stream(reader::prepared(what), options),
                                       [](auto found) { return detail::first_value(std::move(found)); });
}
/// With a completion token: `void(std::exception_ptr, T)`
template <class T, class On, class Token>
auto value(On& on, const query& what, query_options options, Token&& token) {
  return detail::with_token(on.get_executor(), [&] { return value<T>(on, what, options); }, std::forward<Token>(token));
}

}  // namespace sluice
