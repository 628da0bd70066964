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
/// or it needs its time for pages so small that it sends each as a whole. So a few are tried. If that hardly shortens
/// the waits, it is the server's time, and there is one again for a while. If there is next to nothing to wait for, it
/// is the distance, and there are many: as many as take three quarters of what may be buffered if another query has to
/// be read first, judged by the largest page so far. If the login has shown that the server is about as far away as the
/// wait was long, nothing is tried.
class pages_ahead {
 public:
  static constexpr std::size_t few = 8;
  static constexpr std::size_t most = 96;
  static constexpr std::size_t pause = 32;  ///< pages after which a few are tried again
  static constexpr std::chrono::milliseconds long_wait{2};
  static constexpr std::chrono::milliseconds long_way{10};  ///< a server begins its process in less

  /// @param most_bytes  that may be buffered of the query's rows
  /// @param round_trip  takes no longer than this
  explicit pages_ahead(std::size_t most_bytes = 0, clock::duration round_trip = {}) noexcept
      : most_bytes_{most_bytes}, round_trip_{round_trip} {}

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
      bytes_ = bytes;
      pages_ = pages;
      const clock::duration beginning = wait_began_ ? so_far - *wait_began_ : clock::duration{};
      judge(beginning, so_far - waited_);
      wanted_ = static_cast<std::size_t>(
          std::min<std::uint64_t>(wanted_, std::max<std::uint64_t>(most_bytes_ / 4 * 3 / largest_, 1)));
      waited_ = so_far;
    }
    wait_began_.reset();
  }
  /// Another query uses the connection: it should not have to wait for many pages.
  void shared() noexcept { want(1); }

 private:
  /// @param beginning  the wait for the beginning of a page
  /// @param all        the same, and for rows of the page before
  void judge(clock::duration beginning, clock::duration all) noexcept {
    if (wanted_ == 1) {
      const bool may_be_far = beginning >= long_wait && beginning >= all / 2 && pages_ >= next_try_;
      if (!may_be_far) return;
      alone_ = all;
      want(round_trip_ >= long_way && beginning <= 2 * round_trip_ ? most : few);
    } else if (++judged_, waits_ += all; judged_ == few) {
      const clock::duration each = waits_ / few;
      const bool is_no_use = each >= alone_ / 4 * 3;
      if (is_no_use) next_try_ = pages_ + pause;
      want(is_no_use ? 1 : each <= alone_ / 6 ? most : few);
    }
  }
  void want(std::size_t pages) noexcept {
    wanted_ = pages;
    judged_ = 0;
    waits_ = {};
  }

  std::size_t most_bytes_;
  clock::duration round_trip_;
  std::size_t wanted_{1};
  std::size_t judged_{0};      // pages since that was decided
  clock::duration waits_{};    // for them
  clock::duration alone_{};    // the wait for one, when there was one
  std::uint64_t next_try_{0};  // as many pages have to have ended before
  std::uint64_t pages_{0};
  std::uint64_t bytes_{0};    // when the last of them had ended
  clock::duration waited_{};  // likewise
  std::uint64_t largest_{1};  // page, in bytes
  std::optional<clock::duration> wait_began_{};
};

}  // namespace sluice::wire
