#include "api/pause_for.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include <sluice/wire/error.hpp>
#include "drive/coroutine_driver.hpp"

namespace sluice::detail {

std::chrono::milliseconds spread(std::chrono::milliseconds longest) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const auto half = std::max(longest, std::chrono::milliseconds{}) / 2;
  return half + std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{0, half.count()}(random)};
}

asio::awaitable<void> pause_for(std::chrono::milliseconds time, std::string_view words) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  asio::steady_timer timer{on, wire::from_now(time)};
  const bool goes_on = co_await wire::wait_for(timer);
  if (!goes_on) throw error{errc::cancelled, std::string{words}};
}

}  // namespace sluice::detail
