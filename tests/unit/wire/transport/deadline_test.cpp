// Durations from a caller, however long: none of them gives a deadline in the past.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>
#include "transport/deadline.hpp"

namespace deadline_test {
namespace {

using namespace std::chrono_literals;
using sluice::wire::back_off;
using sluice::wire::clock;
using sluice::wire::later;
using sluice::wire::limit_after;
using sluice::wire::saturated;
using std::chrono::hours;
using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;

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

std::vector<milliseconds> pauses(back_off of) { return {of.next(), of.next(), of.next(), of.next()}; }

TEST(BackOff, DoublesUpToTheMost) {
  EXPECT_THAT(pauses({100ms, 350ms}), ElementsAre(100ms, 200ms, 350ms, 350ms));
  EXPECT_THAT(pauses({100ms, 400ms}), ElementsAre(100ms, 200ms, 400ms, 400ms));
  EXPECT_THAT(pauses({0ms, 400ms}), Each(0ms));
}

TEST(BackOff, IsNeverLongerThanTheMost) {
  constexpr milliseconds longest = milliseconds::max();
  EXPECT_THAT(pauses({500ms, 400ms}), Each(400ms));
  EXPECT_THAT(pauses({longest, longest}), Each(longest));
  EXPECT_THAT(pauses({longest / 3, longest}), ElementsAre(longest / 3, longest / 3 * 2, longest, longest));
}

}  // namespace
}  // namespace deadline_test
