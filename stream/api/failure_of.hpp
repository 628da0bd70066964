#pragma once
// The failure of work as a value: where it is caught, a coroutine cannot wait.
#include <optional>
#include <utility>

#include <asio/awaitable.hpp>

#include <sluice/wire/error.hpp>

namespace sluice::detail {

inline asio::awaitable<std::optional<error>> failure_of(asio::awaitable<void> work) {
  std::optional<error> failure;
  try {
    co_await std::move(work);
  } catch (const error& why) {
    failure = why;
  }
  co_return failure;
}

}  // namespace sluice::detail
