#pragma once
/// @file
/// A point in time at which what is being waited for is cancelled.

#include <chrono>
#include <functional>
#include <memory>

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>

#include <sluice/export.hpp>

namespace sluice::wire {

using clock = std::chrono::steady_clock;

class SLUICE_API deadline {
 public:
  /// @param cancel  called on the executor when the time comes while armed; must not throw
  deadline(const asio::any_io_executor& on, std::function<void()> cancel);
  ~deadline();
  deadline(const deadline&) = delete;
  deadline& operator=(const deadline&) = delete;

  /// `clock::time_point::max()` for never.
  void set(clock::time_point when) noexcept;
  /// Before a wait: makes sure that the timer runs. Costs nothing when it already does.
  void arm();
  [[nodiscard]] clock::time_point when() const noexcept { return state_->due; }
  [[nodiscard]] bool has_passed() const noexcept {
    return state_->due != clock::time_point::max() && clock::now() >= state_->due;
  }

 private:
  struct state {  // outlives this in the timer's handler, which may be queued already when it is called off
    std::function<void()> cancel;
    clock::time_point due{clock::time_point::max()};
  };

  asio::steady_timer timer_;
  std::shared_ptr<state> state_;
  clock::time_point armed_for_{clock::time_point::max()};
};

}  // namespace sluice::wire
