#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include "engine/pages_ahead.hpp"

namespace pages_ahead_test {
namespace {

using namespace std::chrono_literals;
using sluice::wire::clock;
using sluice::wire::pages_ahead;

constexpr std::size_t much = 16U << 20U;

/// A query whose pages have 1,000 bytes each.
class reading {
 public:
  explicit reading(std::size_t most_bytes = much, clock::duration round_trip = {}) : ahead_{most_bytes, round_trip} {
    ahead_.arrived(0, 0, {});
  }

  /// One page has ended, and the next begins after these waits: for its beginning, and for rows of the page before.
  std::size_t next_page(clock::duration beginning, clock::duration within = {}, std::uint64_t bytes = 1'000) {
    waited_ += within;
    if (beginning != clock::duration{}) ahead_.waits(waited_);
    waited_ += beginning;
    bytes_ += bytes;
    ahead_.arrived(++pages_, bytes_, waited_);
    return ahead_.wanted();
  }
  pages_ahead& ahead() { return ahead_; }

 private:
  pages_ahead ahead_;
  clock::duration waited_{};
  std::uint64_t pages_{0};
  std::uint64_t bytes_{0};
};

TEST(PagesAhead, AreOneWhileTheServerIsNear) {
  reading near;
  for (int page = 0; page < 100; ++page) EXPECT_EQ(near.next_page(1'999us), 1U);
}

TEST(PagesAhead, AreOneWhileTheServerNeedsItsTimeForTheRows) {
  reading slow;
  for (int page = 0; page < 100; ++page) EXPECT_EQ(slow.next_page(5ms, 6ms), 1U);
}

TEST(PagesAhead, AreManyAtOnceIfTheLoginHasShownTheSameDistance) {
  EXPECT_EQ(reading(much, 50ms).next_page(51ms), pages_ahead::most);
  EXPECT_EQ(reading(much, 50ms).next_page(101ms), pages_ahead::few) << "the server takes its time as well";
  EXPECT_EQ(reading(much, 9ms).next_page(9ms), pages_ahead::few) << "so long takes the beginning of a process";
  EXPECT_EQ(reading(much, 50ms).next_page(1ms), 1U);
}

TEST(PagesAhead, AreManyIfAFewOfThemComeTogether) {
  reading far;
  EXPECT_EQ(far.next_page(0ms), 1U);
  EXPECT_EQ(far.next_page(2ms), pages_ahead::few);
  EXPECT_EQ(far.next_page(2ms), pages_ahead::few);
  for (std::size_t page = 2; page < pages_ahead::few; ++page) EXPECT_EQ(far.next_page(0ms), pages_ahead::few);
  EXPECT_EQ(far.next_page(0ms), pages_ahead::most);
  for (int page = 0; page < 100; ++page)
    EXPECT_EQ(far.next_page(page % 20 == 0 ? 2ms : 0ms), pages_ahead::most) << "they come as fast as they are read now";
}

TEST(PagesAhead, AreOneAgainIfEachOfAFewHasToBeWaitedFor) {
  reading slow;
  std::size_t most = 0;
  std::size_t more = 0;
  for (int page = 0; page < 1'000; ++page) {
    const std::size_t now = slow.next_page(5ms);
    most = std::max(most, now);
    more += now == 1 ? 0U : 1U;
  }
  EXPECT_EQ(most, pages_ahead::few);
  EXPECT_LE(more, 1'000 / 4);
}

TEST(PagesAhead, AreAFewIfThatIsEnoughOfThem) {
  reading far;
  EXPECT_EQ(far.next_page(50ms, 10ms), pages_ahead::few);
  for (int page = 0; page < 100; ++page) EXPECT_EQ(far.next_page(0ms, 15ms), pages_ahead::few);
}

TEST(PagesAhead, AreOneAgainWhenTheServerBecomesSlow) {
  reading far;
  for (int page = 0; page < 100; ++page) (void)far.next_page(page % 8 == 0 ? 5ms : 0ms);
  EXPECT_EQ(far.ahead().wanted(), pages_ahead::most);
  for (std::size_t page = 0; page < 2 * pages_ahead::few; ++page) (void)far.next_page(5ms);
  EXPECT_EQ(far.ahead().wanted(), 1U);
}

TEST(PagesAhead, TakeNoMoreThanThreeQuartersOfWhatMayBeBuffered) {
  reading little{8'100};
  EXPECT_EQ(little.next_page(2ms), 6U);
  EXPECT_EQ(little.next_page(0ms, 0ms, 2'900), 2U) << "a larger page";
  for (std::size_t page = 0; page < pages_ahead::few; ++page) EXPECT_EQ(little.next_page(0ms), 2U) << "counts on";
  EXPECT_EQ(reading{0}.next_page(2ms), 1U);
}

TEST(PagesAhead, AreOneAgainWhenAnotherQueryUsesTheConnection) {
  reading far;
  EXPECT_EQ(far.next_page(50ms), pages_ahead::few);
  far.ahead().shared();
  EXPECT_EQ(far.next_page(0ms), 1U);
}

}  // namespace
}  // namespace pages_ahead_test
