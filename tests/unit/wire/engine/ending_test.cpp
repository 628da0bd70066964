// How an unwanted query is brought to its end, as a transcript: what is seen of it, at what time, and what to do then.
#include <gtest/gtest.h>

#include "engine/ending.hpp"

#include <chrono>
#include <cstdint>

namespace ending_test {
namespace {

using sluice::wire::clock;
using sluice::wire::ending;
using enum ending::action::kind;
using std::chrono::milliseconds;

clock::time_point at(int ms) { return clock::time_point{} + milliseconds{1'000'000 + ms}; }
ending::action read_until(int ms) { return {.is = read, .until = at(ms)}; }
constexpr ending::action to_cancel{.is = cancel};
constexpr ending::action is_done{.is = done};

TEST(Ending, OfAQueryThatIsOverIsNothing) {
  ending how{{}};
  EXPECT_EQ(how.next({.is_over = true}, at(0)), is_done);
  EXPECT_EQ(how.requests(), 0);
}

TEST(Ending, CancelsAtOnceAndAgainAtGrowingIntervals) {
  ending how{{}};
  EXPECT_EQ(how.next({}, at(0)), to_cancel);
  EXPECT_EQ(how.next({}, at(1)), read_until(51));
  EXPECT_EQ(how.next({}, at(51)), to_cancel);
  EXPECT_EQ(how.next({}, at(52)), read_until(152));
  EXPECT_EQ(how.next({}, at(152)), to_cancel);
  EXPECT_EQ(how.next({}, at(160)), read_until(360));
  EXPECT_EQ(how.next({.is_over = true}, at(170)), is_done);
  EXPECT_EQ(how.requests(), 3);
}

TEST(Ending, LeavesAQueryAloneThatMayGoOn) {
  ending how{{.until = at(500), .reads = 7}};
  EXPECT_EQ(how.next({}, at(0)), (ending::action{.is = leave_alone, .until = at(500), .reads = 7}));
  // Whether its time has passed, it has brought too much, or somebody has lost patience: it is left alone once only.
  EXPECT_EQ(how.next({}, at(20)), to_cancel);
  EXPECT_EQ(how.next({}, at(21)), read_until(71));
}

TEST(Ending, GivesNoTimeThatHasPassed) {
  ending how{{.until = at(500)}};
  EXPECT_EQ(how.next({}, at(500)), to_cancel);
}

TEST(Ending, WaitsForAnEndThatIsNear) {
  ending how{{}};
  EXPECT_EQ(how.next({.ends_soon = milliseconds{50}}, at(0)), read_until(50));
  EXPECT_EQ(how.next({.ends_soon = milliseconds{50}}, at(30)), read_until(50)) << "counted once";
  EXPECT_EQ(how.next({.ends_soon = milliseconds{50}}, at(50)), to_cancel);
}

TEST(Ending, CancelsNothingThatWouldHitOthers) {
  ending how{{}};
  EXPECT_EQ(how.next({.would_hit_others = true}, at(0)), read_until(20));
  EXPECT_EQ(how.next({.would_hit_others = true}, at(20)), read_until(40));
  EXPECT_EQ(how.next({.would_hit_others = true, .ends_soon = milliseconds{5}}, at(40)), read_until(60));
  EXPECT_EQ(how.next({}, at(60)), to_cancel);
  EXPECT_EQ(how.requests(), 1);
}

TEST(Ending, CountsTheNearEndFromWhenItMayNotGoOnByItself) {
  ending how{{.until = at(500)}};
  EXPECT_EQ(how.next({.ends_soon = milliseconds{1}}, at(0)).is, leave_alone);
  EXPECT_EQ(how.next({.ends_soon = milliseconds{100}}, at(500)), read_until(600));
  EXPECT_EQ(how.next({.is_over = true}, at(550)), is_done);
  EXPECT_EQ(how.requests(), 0);
}

TEST(Ending, NeverStopsAskingHoweverLongItTakes) {
  ending how{{}};
  clock::time_point now = at(0);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(how.next({}, now), to_cancel);
    const ending::action pause = how.next({}, now);
    ASSERT_EQ(pause.is, read);
    ASSERT_GT(pause.until, now);
    ASSERT_LE(pause.until - now, std::chrono::hours{1});
    now = pause.until;
  }
}

}  // namespace
}  // namespace ending_test
