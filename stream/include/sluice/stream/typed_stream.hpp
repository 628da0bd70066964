#pragma once
/// @file
/// Rows as values of a C++ type, for coroutines: `connection::stream<T>`, `pool::stream<T>` and
/// `stream_in_parallel<T>`. See <sluice/stream/typed.hpp> for what an error of a row does.
///
///     auto rows = co_await conn.stream<user>(sluice::from("v_user"));
///     while (auto users = co_await rows.next())
///       for (const user& each : users) ...

#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/stream/chunk.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/pool.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/stream/transaction.hpp>
#include <sluice/stream/typed.hpp>

namespace sluice {

/// The rows of a query as values. Movable; a waiting call continues when it is moved, and ends as the stream of rows
/// says when it is destroyed.
/// @tparam Rows  what it reads: a row_stream, a pooled_stream or a parallel_stream; errors, cancellation and thread
///               safety are theirs
template <class T, class Rows>
class [[nodiscard]] typed_stream : public detail::typed_rows<typed_stream<T, Rows>, T, Rows> {
  using shared = detail::typed_rows<typed_stream, T, Rows>;

 public:
  /// An empty stream.
  typed_stream()
    requires std::default_initializable<Rows>
      : typed_stream{Rows{}} {}
  explicit typed_stream(Rows rows) : shared{std::move(rows)} {}

  /// The next rows: all that have arrived, at least one; empty at the end. A row that does not fit throws bad_json
  /// where the loop over the chunk reaches it; the next call goes on with the rows after that chunk.
  /// @par Lifetime  until the next call on this stream, and no longer than this stream
  [[nodiscard]] asio::awaitable<typed_chunk<T>> next() { return next_of(this->owned()); }
  /// With a completion token: `void(std::exception_ptr, typed_chunk<T>)`; @see async.hpp
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }

  using shared::cancel;
  /// With a completion token: `void(std::exception_ptr, leaving)`
  template <class Token>
  auto cancel(Token&& token) {
    return this->held().rows->cancel(std::forward<Token>(token));
  }
  using shared::pause;
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto pause(pause_options how, Token&& token) {
    return this->held().rows->pause(how, std::forward<Token>(token));
  }

  /// The executor of the stream of rows.
  [[nodiscard]] asio::any_io_executor get_executor() const { return this->held().rows->get_executor(); }

 private:
  static asio::awaitable<typed_chunk<T>> next_of(std::shared_ptr<typename shared::state> state) {
    const chunk rows = co_await state->rows->next();
    co_return state->show(rows);
  }
};

namespace detail {

template <class T, class Rows>
asio::awaitable<typed_stream<T, Rows>> typed(asio::awaitable<Rows> rows) {
  Rows all = co_await std::move(rows);
  co_return typed_stream<T, Rows>{std::move(all)};
}

}  // namespace detail

template <class T>
asio::awaitable<typed_stream<T>> connection::stream(const query& what, query_options options) {
  return detail::typed<T>(stream(what, options));
}

template <class T>
asio::awaitable<typed_stream<T>> transaction::stream(const query& what, query_options options) {
  return detail::typed<T>(stream(what, options));
}

template <class T>
typed_stream<T, pooled_stream> pool::stream(query what, query_options options, retry_options retry) const {
  return typed_stream<T, pooled_stream>{stream(std::move(what), options, retry)};
}

template <class T, class Where>
asio::awaitable<typed_stream<T, parallel_stream>> stream_in_parallel(const Where& where, relation what,
                                                                     parallel_options how) {
  return detail::typed<T>(stream_in_parallel(where, std::move(what), how));
}

}  // namespace sluice
