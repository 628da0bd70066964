#pragma once
/// @file
/// A transaction that is run again when another one has got in its way.
///
///     co_await sluice::in_transaction(pool, [&](sluice::transaction& tx) -> asio::awaitable<void> {
///       co_await tx.execute(sluice::sql("update account set balance = balance - $1 where id = $2", 10, from));
///       co_await tx.execute(sluice::sql("update account set balance = balance + $1 where id = $2", 10, to));
///     });
///
/// The body may run several times, each time in a new transaction: it must have no effects but those on the database.
/// It runs again when it, or the commit, threw an error that is `retryable`: a serialization failure (40001), a
/// deadlock (40P01), and, with a pool, a connection that was lost before COMMIT was sent. Never after
/// `outcome_unknown`: then the first run may have been committed. Nor after `deadline_exceeded`. Between two runs there
/// is a pause, twice as long each time, and partly random.

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/pool.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/stream/transaction.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

namespace detail {

/// The attempts of one transaction.
class SLUICE_API attempts {
 public:
  explicit attempts(const retry_options& how) noexcept : left_{how.attempts}, pause_{how.backoff}, how_{how} {}
  /// @param reconnects  whether the next attempt has another connection
  /// @return how long to wait before the next attempt; nothing: the failure is final
  [[nodiscard]] std::optional<std::chrono::milliseconds> after(const error& failure, bool reconnects);

 private:
  int left_;
  std::chrono::milliseconds pause_;
  retry_options how_;
};

SLUICE_API asio::awaitable<void> pause_between_attempts(std::chrono::milliseconds time);
SLUICE_API void sleep_between_attempts(std::chrono::milliseconds time);

inline constexpr retry_options five_attempts{.attempts = 5};

/// In an expression with co_await, GCC 12 destroys what a temporary lambda has captured twice.
template <class Body>
constexpr void require_name() noexcept {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
  static_assert(std::is_lvalue_reference_v<Body> || std::is_trivially_destructible_v<Body>,
                "GCC 12 destroys the captures of this body twice: give the lambda a name, and pass that");
#endif
}

template <class On, class Body>
auto repeat(On& on, Body body, retry_options retry, transaction_options how)
    -> std::invoke_result_t<Body&, transaction&> {
  using result = typename std::invoke_result_t<Body&, transaction&>::value_type;
  for (attempts tries{retry};;) {
    transaction tx = co_await on.begin(how);
    std::optional<std::chrono::milliseconds> pause;
    try {
      if constexpr (std::is_void_v<result>) {
        co_await body(tx);
        co_await tx.commit();
        co_return;
      } else {
        result value = co_await body(tx);
        co_await tx.commit();
        co_return value;
      }
    } catch (const error& failure) {
      pause = tries.after(failure, std::is_same_v<On, pool>);
      if (!pause) throw;
    }
    tx = {};  // rolls back, and gives the connection back before the pause
    co_await pause_between_attempts(*pause);
  }
}

}  // namespace detail

/// Runs a body in a transaction, and commits it.
/// @param on    outlives the call
/// @param body  `asio::awaitable<T>(transaction&)`; it must not end the transaction. With GCC 12, a lambda needs a name
///              if it captures more than references and plain values
/// @return what the body returned in the run that was committed
/// @par Errors  what the body throws, after which everything is rolled back; as `transaction::commit`, `pool::begin`
template <class Body>
auto in_transaction(pool& on, Body&& body, retry_options retry = detail::five_attempts, transaction_options how = {})
    -> std::invoke_result_t<std::decay_t<Body>&, transaction&> {
  detail::require_name<Body>();
  return detail::repeat<pool, std::decay_t<Body>>(on, std::forward<Body>(body), retry, how);
}
/// The same on one connection.
template <class Body>
auto in_transaction(connection& on, Body&& body, retry_options retry = detail::five_attempts,
                    transaction_options how = {}) -> std::invoke_result_t<std::decay_t<Body>&, transaction&> {
  detail::require_name<Body>();
  return detail::repeat<connection, std::decay_t<Body>>(on, std::forward<Body>(body), retry, how);
}
/// With a completion token: `void(std::exception_ptr, T)`; @see async.hpp
/// @param on  a pool or a connection
template <class On, class Body, class Token>
auto in_transaction(On& on, Body&& body, retry_options retry, transaction_options how, Token&& token) {
  return detail::with_token(
      on.get_executor(), [&] { return in_transaction(on, std::forward<Body>(body), retry, how); },
      std::forward<Token>(token));
}

/// The same in a plain loop.
/// @param body  `T(blocking_transaction&)`
template <class Body>
auto in_transaction(client& on, Body body, retry_options retry = detail::five_attempts, transaction_options how = {})
    -> std::invoke_result_t<Body&, blocking_transaction&> {
  using result = std::invoke_result_t<Body&, blocking_transaction&>;
  for (detail::attempts tries{retry};;) {
    std::optional<std::chrono::milliseconds> pause;
    try {
      blocking_transaction tx = on.begin(how);
      if constexpr (std::is_void_v<result>) {
        body(tx);
        return tx.commit();
      } else {
        result value = body(tx);
        tx.commit();
        return value;
      }
    } catch (const error& failure) {
      pause = tries.after(failure, false);
      if (!pause) throw;
    }
    detail::sleep_between_attempts(*pause);
  }
}

}  // namespace sluice
