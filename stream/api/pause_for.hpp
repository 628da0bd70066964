#pragma once
// A pause between two attempts.
#include <chrono>
#include <string_view>

#include <asio/awaitable.hpp>

namespace sluice::detail {

// Throws `cancelled` with these words, a literal, when the coroutine is cancelled before or while it waits.
asio::awaitable<void> pause_for(std::chrono::milliseconds time, std::string_view words);

}  // namespace sluice::detail
