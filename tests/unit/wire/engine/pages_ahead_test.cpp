#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include "engine/pages_ahead.hpp"

namespace {

using namespace std::chrono_literals;
using sluice::wire::clock;
using sluice::wire::pages_ahead;

constexpr std::size_t much = 16U << 20U;

/// A query whose pages have 1,000 bytes each.
class reading {
 public:
  explicit reading(std::size_t most_bytes = much) : ahead_{most_bytes} { ahead_.arrived(0, 0, {}); }

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

TEST(PagesAhead, AreManyOnceTheBeginningOfAPageHadToBeWaitedFor) {
  reading far;
  EXPECT_EQ(far.next_page(0ms), 1U);
  EXPECT_EQ(far.next_page(2ms), pages_ahead::most);
  EXPECT_EQ(far.next_page(0ms), pages_ahead::most) << "they come as fast as they are read now";
}

TEST(PagesAhead, TakeNoMoreThanThreeQuartersOfWhatMayBeBuffered) {
  reading little{8'100};
  EXPECT_EQ(little.next_page(2ms), 6U);
  EXPECT_EQ(little.next_page(2ms, 0ms, 2'900), 2U) << "a larger page";
  EXPECT_EQ(little.next_page(2ms), 2U) << "which counts from then on";
  EXPECT_EQ(reading{0}.next_page(2ms), 1U);
}

TEST(PagesAhead, AreOneAgainWhenAnotherQueryUsesTheConnection) {
  reading far;
  EXPECT_EQ(far.next_page(50ms), pages_ahead::most);
  far.ahead().shared();
  EXPECT_EQ(far.next_page(0ms), 1U);
}

}  // namespace
