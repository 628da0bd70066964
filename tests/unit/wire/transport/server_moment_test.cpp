// When a thread sleeps briefly instead of waiting for the next bytes, and for how long.
#include <gtest/gtest.h>

#include <chrono>
#include "transport/server_moment.hpp"

namespace server_moment_test {
namespace {

using namespace std::chrono_literals;
using sluice::wire::row_flow;
using sluice::wire::shared_moment;

row_flow after_short_waits(int count) {
  row_flow flow;
  for (int i = 0; i < count; ++i) flow.waited(100us);
  return flow;
}

TEST(RowFlow, TakesAMomentAfterEightShortWaits) {
  EXPECT_FALSE(after_short_waits(7).take_moment());
  EXPECT_TRUE(after_short_waits(8).take_moment());
}

TEST(RowFlow, StartsAgainAfterALongWaitAndAfterOutput) {
  row_flow slow = after_short_waits(8);
  slow.waited(1ms);
  EXPECT_FALSE(slow.take_moment());
  row_flow asked = after_short_waits(8);
  asked.sent();
  EXPECT_FALSE(asked.take_moment());
}

TEST(RowFlow, TakesAnotherMomentOnlyIfTheLastBroughtSomething) {
  row_flow flow = after_short_waits(8);
  EXPECT_TRUE(flow.take_moment());
  flow.received();
  EXPECT_TRUE(flow.take_moment());
  EXPECT_FALSE(flow.take_moment());
  flow.received();
  EXPECT_FALSE(flow.take_moment()) << "eight short waits come first";
}

TEST(SharedMoment, IsLongerWhileLittleComesAndShorterAfterMuch) {
  shared_moment moment;
  EXPECT_EQ(moment.next(64U << 10U, 2), 24us) << "as much as is comfortable";
  EXPECT_EQ(moment.next(0, 2), 28us);
  EXPECT_EQ(moment.next((64U << 10U) + 1, 2), 22us);
}

TEST(SharedMoment, StaysWithinItsLimits) {
  shared_moment moment;
  EXPECT_EQ(moment.next(1U << 20U, 1), 20us);
  for (int i = 0; i < 100; ++i) (void)moment.next(0, 1);
  EXPECT_EQ(moment.next(0, 1), 300us);
}

}  // namespace
}  // namespace server_moment_test
