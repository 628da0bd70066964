// Durations that a caller may give, however long: none of them is in the past.
#include <gtest/gtest.h>

#include <chrono>
#include "transport/deadline.hpp"

namespace {

using namespace std::chrono_literals;
using sluice::wire::clock;
using sluice::wire::doubled;
using sluice::wire::later;
using sluice::wire::limit_after;
using sluice::wire::saturated;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr auto never = clock::time_point::max();
constexpr clock::time_point now{std::chrono::hours{24 * 365}};

TEST(Later, IsNeverWhenItIsBeyondTheClock) {
  EXPECT_EQ(later(now, milliseconds::max()), never);
  EXPECT_EQ(later(now, hours::max()), never);
  EXPECT_EQ(later(now, std::chrono::years{300}), never);
  EXPECT_EQ(later(now, clock::duration::max()), never);
  EXPECT_EQ(later(now, std::chrono::duration<double>{1e300}), never);
  EXPECT_EQ(later(never, 1ms), never);
}

TEST(Later, IsExactWithinTheClock) {
  EXPECT_EQ(later(now, 250ms), now + 250ms);
  EXPECT_EQ(later(now, std::chrono::years{100}), now + std::chrono::years{100});
  EXPECT_EQ(later(now, (never - now) - 1ns), never - 1ns);
}

TEST(Later, HasPassedAtOnceWithoutTime) {
  for (const auto none : {milliseconds{0}, milliseconds{-1}, milliseconds::min()}) EXPECT_EQ(later(now, none), now);
  EXPECT_EQ(later(now, hours::min()), now);
}

TEST(LimitAfter, IsNoneForZeroAndLess) {
  EXPECT_EQ(limit_after(now, milliseconds{0}), never);
  EXPECT_EQ(limit_after(now, milliseconds{-5}), never);
  EXPECT_EQ(limit_after(now, milliseconds::min()), never);
  EXPECT_EQ(limit_after(now, milliseconds{5}), now + 5ms);
  EXPECT_EQ(limit_after(now, milliseconds::max()), never);
}

TEST(Saturated, KeepsWhatFits) {
  EXPECT_EQ(saturated(milliseconds::max()), clock::duration::max());
  EXPECT_EQ(saturated(milliseconds::min()), -clock::duration::max());
  EXPECT_EQ(saturated(1500us), 1500us);
}

TEST(Doubled, StopsAtTheMost) {
  EXPECT_EQ(doubled(100ms, 1000ms), 200ms);
  EXPECT_EQ(doubled(600ms, 1000ms), 1000ms);
  EXPECT_EQ(doubled(milliseconds::max(), milliseconds::max()), milliseconds::max());
  EXPECT_EQ(doubled(milliseconds::max() / 3 * 2, milliseconds::max()), milliseconds::max());
}

}  // namespace
