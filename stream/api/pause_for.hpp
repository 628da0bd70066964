#pragma once
// A pause between two attempts.
#include <chrono>
#include <string_view>

#include <asio/awaitable.hpp>

namespace sluice::detail {

// A random time: half of it is fixed, so that clients that failed together do not try again together.
[[nodiscard]] std::chrono::milliseconds spread(std::chrono::milliseconds longest);

// Throws `cancelled` with this message, a literal, if the coroutine is cancelled before or during the wait.
asio::awaitable<void> pause_for(std::chrono::milliseconds time, std::string_view words);

}  // namespace sluice::detail
