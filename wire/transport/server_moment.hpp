#pragma once
// A thread that has read everything from a Unix socket backs off briefly to let the servers write, instead of waking up
// for each of their writes; see docs/decisions/a-moment-for-the-server.md. A coroutine does not: Asio's reactor wakes
// up for every write, whatever is waited for. Over TCP, low_water.hpp does it better.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "transport/deadline.hpp"

namespace sluice::wire {

/// For one connection. While rows flow, the server writes every 8 KiB, and waking up for each of its writes costs both
/// sides more than the rows do. After a number of short waits it is better to back off, until that brings nothing.
class row_flow {
 public:
  static constexpr std::chrono::microseconds moment{30};

  void waited(clock::duration time) noexcept { short_waits_ = time < short_wait ? short_waits_ + 1 : 0; }
  void sent() noexcept { short_waits_ = 0; }
  void received() noexcept { gave_a_moment_ = false; }

  /// Whether rows keep coming, one short wait after the other.
  [[nodiscard]] bool is_steady() const noexcept { return short_waits_ >= steady; }
  /// Whether to back off for a `moment` instead of waiting for the server.
  [[nodiscard]] bool take_moment() noexcept {
    if (!is_steady()) return false;
    if (!std::exchange(gave_a_moment_, true)) return true;
    gave_a_moment_ = false;
    short_waits_ = 0;  // the back-off brought nothing
    return false;
  }

 private:
  static constexpr int steady = 8;
  static constexpr std::chrono::microseconds short_wait{1'000};

  int short_waits_{0};         // since the last output
  bool gave_a_moment_{false};  // and nothing has arrived since
};

/// For several connections that one thread reads. The back-off is as long as they take to write a fair amount.
class shared_moment {
 public:
  /// @param bytes  received since the last one
  [[nodiscard]] std::chrono::microseconds next(std::uint64_t bytes, std::uint32_t connections) noexcept {
    const auto adapted = bytes > comfortable * connections ? moment_ * 4 / 5 : moment_ * 6 / 5;
    return moment_ = std::clamp(adapted, shortest, longest);
  }

 private:
  static constexpr std::uint64_t comfortable = 32U << 10U;  // bytes in a socket: a lot to read, and no server blocks
  static constexpr std::chrono::microseconds shortest{20};
  static constexpr std::chrono::microseconds longest{300};

  std::chrono::microseconds moment_{shortest};
};

}  // namespace sluice::wire
