#pragma once
// A pause between two attempts.
#include <chrono>
#include <string_view>

#include <asio/awaitable.hpp>

namespace sluice::detail {

// Throws `cancelled` with this message, a literal, if the coroutine is cancelled before or during the wait.
asio::awaitable<void> pause_for(std::chrono::milliseconds time, std::string_view words);

}  // namespace sluice::detail
