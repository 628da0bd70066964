#pragma once
/// @file
/// A point in time at which a wait is cancelled.

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>

namespace sluice::wire {

using clock = std::chrono::steady_clock;

/// Converts a duration to the clock's. The clock's range is smaller than that of `std::chrono::hours`; longer durations
/// become the longest one.
template <class Rep, class Period>
[[nodiscard]] constexpr clock::duration saturated(std::chrono::duration<Rep, Period> time) noexcept {
  constexpr auto longest = std::chrono::duration_cast<std::chrono::duration<Rep, Period>>(clock::duration::max());
  if (time >= longest) return clock::duration::max();
  if (time <= -longest) return -clock::duration::max();
  return std::chrono::duration_cast<clock::duration>(time);
}

/// `since + time`, or `clock::time_point::max()`, which means never, if that exceeds the clock's range. Every timeout
/// given by a caller passes through here. A zero or negative timeout expires at once.
template <class Rep, class Period>
[[nodiscard]] constexpr clock::time_point later(clock::time_point since,
                                                std::chrono::duration<Rep, Period> time) noexcept {
  const clock::duration whole = saturated(time);
  if (whole <= clock::duration::zero()) return since;
  return whole < clock::time_point::max() - since ? since + whole : clock::time_point::max();
}
/// The same, counted from now.
template <class Rep, class Period>
[[nodiscard]] clock::time_point from_now(std::chrono::duration<Rep, Period> time) noexcept {
  return later(clock::now(), time);
}
/// The same for an option whose zero (or negative) value means no limit.
template <class Rep, class Period>
[[nodiscard]] constexpr clock::time_point limit_after(clock::time_point since,
                                                      std::chrono::duration<Rep, Period> time) noexcept {
  return time > time.zero() ? later(since, time) : clock::time_point::max();
}

/// The pauses between attempts: each is twice as long as the one before, up to `most`.
class back_off {
 public:
  using duration = std::chrono::milliseconds;
  constexpr back_off(duration first, duration most) noexcept : next_{std::min(first, most)}, most_{most} {}

  [[nodiscard]] constexpr duration next() noexcept {
    return std::exchange(next_, next_ > most_ / 2 ? most_ : next_ * 2);
  }

 private:
  duration next_;
  duration most_;
};

class deadline {
 public:
  /// @param cancel  called on the executor when the time comes while armed; must not throw
  deadline(const asio::any_io_executor& on, std::function<void()> cancel);
  ~deadline();
  deadline(const deadline&) = delete;
  deadline& operator=(const deadline&) = delete;

  /// `clock::time_point::max()` for never.
  void set(clock::time_point when) noexcept;
  /// Call before a wait: makes sure that the timer runs. Costs nothing if it already does.
  void arm();
  [[nodiscard]] clock::time_point when() const noexcept { return state_->due; }
  [[nodiscard]] bool has_passed() const noexcept {
    return state_->due != clock::time_point::max() && clock::now() >= state_->due;
  }

 private:
  struct state {  // outlives this object in the timer's handler, which may already be queued when the timer is
                  // cancelled
    std::function<void()> cancel;
    clock::time_point due{clock::time_point::max()};
  };

  asio::steady_timer timer_;
  std::shared_ptr<state> state_;
  clock::time_point armed_for_{clock::time_point::max()};
};

}  // namespace sluice::wire
