#pragma once
// An event that wakes a coroutine, from any thread.
#include <mutex>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/asio_errors.hpp>

namespace sluice::wire {

/// The waiting coroutine checks its condition, waits, and checks again. A ring in between is not lost, and wakeups may
/// be spurious.
class bell {
 public:
  using time_point = asio::steady_timer::time_point;

  explicit bell(const asio::any_io_executor& on) : timer_{on} {}

  void ring() {
    const std::lock_guard locked{mutex_};
    is_rung_ = true;
    timer_.cancel();
  }
  /// Returns when rung, or at `latest`.
  asio::awaitable<void> rung(time_point latest = time_point::max()) {
    asio_code ignored;
    const auto wait = [this, latest](auto handler) {
      const std::lock_guard locked{mutex_};
      timer_.expires_at(is_rung_ ? time_point::min() : latest);
      timer_.async_wait(std::move(handler));
    };
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await asio::async_initiate<decltype(token), void(asio_code)>(wait, token);
    const std::lock_guard locked{mutex_};
    is_rung_ = false;
  }

 private:
  std::mutex mutex_;
  asio::steady_timer timer_;
  bool is_rung_{false};
};

}  // namespace sluice::wire
