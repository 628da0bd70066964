#pragma once
/// @file
/// Rows as Arrow batches, for coroutines.
///
///     auto batches = co_await conn.arrow(sluice::from("events").of_columns());
///     while (sluice::arrow_batch batch = co_await batches.next()) use(batch.array());
///
/// The Arrow C stream interface blocks its caller, so there is none here: export it from an `arrow_reader`.

#include <concepts>
#include <exception>
#include <memory>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/arrow/batch.hpp>
#include <sluice/arrow/options.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/row_stream.hpp>
#include <sluice/stream/token.hpp>

namespace sluice {

/// The rows of a query as batches. Movable; a waiting call continues when it is moved.
/// @tparam Rows  what it reads, of an `arrow_query` or `arrow_relation` with the same options: a row_stream, a
///               pooled_stream or a parallel_stream; errors, cancellation and thread safety are theirs
template <class Rows>
class [[nodiscard]] arrow_stream {
 public:
  /// An empty stream.
  arrow_stream()
    requires std::default_initializable<Rows>
      : arrow_stream{Rows{}} {}
  /// @par Errors  throws error: bad_query for impossible options
  explicit arrow_stream(Rows rows, const arrow_options& how = {})
      : state_{std::make_shared<state>(std::move(rows), how)} {}

  /// The next batch; none at the end. @see arrow_reader::next
  [[nodiscard]] asio::awaitable<arrow_batch> next() { return next_of(state_); }
  /// With a completion token: `void(std::exception_ptr, arrow_batch)`; @see async.hpp
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }
  /// The type of the batches. Waits for the first rows, unless there were any.
  [[nodiscard]] asio::awaitable<arrow_schema> schema() { return schema_of(state_); }
  /// With a completion token: `void(std::exception_ptr, arrow_schema)`
  template <class Token>
  auto schema(Token&& token) {
    return detail::with_token(get_executor(), [this] { return schema(); }, std::forward<Token>(token));
  }
  /// The stream of rows, for its `stats` and `cancel`.
  /// @par Lifetime  as this object
  [[nodiscard]] Rows& rows() noexcept { return state_->rows; }
  /// The executor of the stream of rows.
  [[nodiscard]] asio::any_io_executor get_executor() const { return state_->rows.get_executor(); }

 private:
  struct state {
    state(Rows from, const arrow_options& how) : rows{std::move(from)}, made{how} {}
    Rows rows;
    detail::batch_assembly made;
  };

  static asio::awaitable<void> read(std::shared_ptr<state> from) {
    try {
      const chunk rows = co_await from->rows.next();
      from->made.take(rows, from->rows.columns());
    } catch (...) {
      from->made.fail(std::current_exception());
    }
  }
  static asio::awaitable<arrow_batch> next_of(std::shared_ptr<state> from) {
    while (from->made.is_hungry()) {
      asio::awaitable<void> more = read(from);
      co_await std::move(more);
    }
    co_return from->made.next();
  }
  static asio::awaitable<arrow_schema> schema_of(std::shared_ptr<state> from) {
    while (!from->made.is_known() && from->made.is_hungry()) {
      asio::awaitable<void> more = read(from);
      co_await std::move(more);
    }
    co_return from->made.schema();
  }

  std::shared_ptr<state> state_;  // kept alive by a waiting call
};

namespace detail {

template <class Rows>
asio::awaitable<arrow_stream<Rows>> in_batches(asio::awaitable<Rows> rows, arrow_options how) {
  Rows all = co_await std::move(rows);
  co_return arrow_stream<Rows>{std::move(all), how};
}

}  // namespace detail

template <std::convertible_to<query> What>
asio::awaitable<arrow_stream<row_stream>> connection::arrow(const What& what) {
  return arrow(what, arrow_options{});
}
template <std::convertible_to<query> What>
asio::awaitable<arrow_stream<row_stream>> connection::arrow(const What& what, const arrow_options& how,
                                                            query_options options) {
  return detail::in_batches(stream(arrow_query(what, how), options), how);
}

}  // namespace sluice
