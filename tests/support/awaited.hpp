#pragma once
// Coroutines that do not wait for anybody.
#include <exception>
#include <optional>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

namespace sluice::test {

/// Keeps the result, which asio::co_spawn can hand over only of types that have a default.
template <class Result>
asio::awaitable<void> keep_result(asio::awaitable<Result> running, std::optional<Result>& into) {
  into.emplace(co_await std::move(running));
}

/// The result of a coroutine that ends by itself.
/// @par Errors  throws what it throws
template <class Result>
Result awaited(asio::awaitable<Result> running) {
  asio::io_context context{1};
  std::exception_ptr failure;
  std::optional<Result> result;
  asio::co_spawn(context, keep_result(std::move(running), result),
                 [&](std::exception_ptr why) { failure = std::move(why); });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(result).value();
}

}  // namespace sluice::test
