#pragma once
// How many pages of a query are on their way while its consumer has one.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "transport/deadline.hpp"

namespace sluice::wire {

/// One, until the beginning of a page has to be waited for although its rows then come at once: the server is far away,
/// and its pages are read as fast as they come only if there are many of them on their way. Then as many as take three
/// quarters of what may be buffered if another query has to be read first, judged by the largest page so far.
class pages_ahead {
 public:
  static constexpr std::size_t most = 96;
  static constexpr std::chrono::milliseconds long_wait{2};

  /// @param most_bytes  that may be buffered of the query's rows
  explicit pages_ahead(std::size_t most_bytes = 0) noexcept : most_bytes_{most_bytes} {}

  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }

  /// Nothing of a page has arrived yet.
  /// @param so_far  that the connection has been waited for in all
  void waits(clock::duration so_far) noexcept {
    if (!wait_began_) wait_began_ = so_far;
  }
  /// Rows have arrived.
  /// @param pages   that have ended before
  /// @param bytes   of the rows before, in all
  /// @param so_far  as above
  void arrived(std::uint64_t pages, std::uint64_t bytes, clock::duration so_far) noexcept {
    if (pages != pages_) {
      largest_ = std::max(largest_, (bytes - bytes_) / (pages - pages_) + 1);
      const clock::duration wait = wait_began_ ? so_far - *wait_began_ : clock::duration{};
      const bool is_far = wait >= long_wait && wait >= (so_far - waited_) / 2;  // otherwise the server needs the time
      wanted_ = is_far ? most : wanted_;
      wanted_ = static_cast<std::size_t>(
          std::min<std::uint64_t>(wanted_, std::max<std::uint64_t>(most_bytes_ / 4 * 3 / largest_, 1)));
      bytes_ = bytes;
      pages_ = pages;
      waited_ = so_far;
    }
    wait_began_.reset();
  }
  /// Another query uses the connection: it should not have to wait for many pages.
  void shared() noexcept { wanted_ = 1; }

 private:
  std::size_t most_bytes_;
  std::size_t wanted_{1};
  std::uint64_t pages_{0};
  std::uint64_t bytes_{0};    // when the last of them had ended
  clock::duration waited_{};  // likewise
  std::uint64_t largest_{1};  // page, in bytes
  std::optional<clock::duration> wait_began_{};
};

}  // namespace sluice::wire
