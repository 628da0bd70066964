#pragma once
// Work that begins when it is due, whether or not what came before has ended, and the times that it took.
#include <algorithm>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sluice::bench {

/// Calls `start(i, due)` for each piece of work when it is due.
/// @param rate  pieces per second
template <class Start>
asio::awaitable<void> at_a_rate(double rate, int count, Start start) {
  using clock = std::chrono::steady_clock;
  asio::steady_timer timer{co_await asio::this_coro::executor};
  const clock::time_point began = clock::now();
  for (int i = 0; i < count; ++i) {
    const clock::time_point due =
        began + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(i / rate));
    if (due > clock::now()) {
      timer.expires_at(due);
      co_await timer.async_wait(asio::use_awaitable);
    }
    start(i, due);
  }
}

using microseconds = std::vector<double>;

inline double microseconds_since(std::chrono::steady_clock::time_point due) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - due).count();
}

/// Times in order.
class percentiles {
 public:
  explicit percentiles(microseconds took) : took_{std::move(took)} {
    if (took_.empty()) throw std::runtime_error{"nothing was measured"};
    std::ranges::sort(took_);
  }
  [[nodiscard]] double at(double share) const {
    return took_[static_cast<std::size_t>(share * static_cast<double>(took_.size() - 1))];
  }

 private:
  microseconds took_;
};

}  // namespace sluice::bench
