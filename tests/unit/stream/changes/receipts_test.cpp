// What a server is told about a change stream: never more than is safe, and never less than it may let go.
#include "changes/receipts.hpp"

#include <gtest/gtest.h>

namespace receipts_test {
namespace {

using sluice::lsn;
using sluice::position;
using sluice::detail::receipts;

lsn at(std::uint64_t value) { return {value}; }
position of(std::uint64_t commit, std::uint64_t index = 0) { return {at(commit), index}; }
std::uint64_t told(receipts& to) { return to.status(0, false).flushed; }

class Receipts : public testing::Test {
 protected:
  /// A transaction with changes 2, 3, ... has arrived and was handed out.
  void hand_out(std::uint64_t commit, std::uint64_t end, std::uint64_t changes) {
    for (std::uint64_t i = 0; i < changes; ++i) all.handed_out(of(commit, 2 + i));
    all.committed({.last = of(commit, 1 + changes), .end = at(end), .is_change = false});
  }
  receipts all{of(100), at(100), at(1000), false};
};

TEST_F(Receipts, BeginWhereTheSlotIs) {
  EXPECT_EQ(told(all), 100U);
  EXPECT_EQ(all.last(), of(100));
  EXPECT_EQ(all.now().server, at(1000));
}

TEST_F(Receipts, ConfirmTheEndOfATransactionOnlyOnceItIsSafe) {
  hand_out(200, 210, 3);
  EXPECT_EQ(told(all), 100U);
  EXPECT_EQ(all.last(), of(210));
  EXPECT_TRUE(all.acknowledge(of(210)));
  EXPECT_TRUE(all.are_due());
  EXPECT_EQ(told(all), 210U);
  EXPECT_FALSE(all.are_due());
}

TEST_F(Receipts, InsideATransactionConfirmWhatLiesBeforeIt) {
  hand_out(200, 210, 3);
  hand_out(300, 310, 3);
  EXPECT_TRUE(all.acknowledge(of(300, 3)));
  EXPECT_EQ(told(all), 300U) << "its commit begins there, so it is sent again as a whole";
}

TEST_F(Receipts, OfTheLastChangeConfirmItsTransaction) {
  hand_out(200, 210, 3);
  EXPECT_TRUE(all.acknowledge(of(200, 4)));
  EXPECT_EQ(told(all), 210U);
}

TEST_F(Receipts, OfAllOfATransactionBeforeItsEndConfirmItAtItsEnd) {
  all.handed_out(of(200, 2));
  EXPECT_TRUE(all.acknowledge(of(200, 2)));
  EXPECT_EQ(told(all), 200U);
  all.committed({.last = of(200, 3), .end = at(210), .is_change = false});
  EXPECT_EQ(told(all), 210U);
  EXPECT_FALSE(all.idle(at(500)));
  EXPECT_EQ(told(all), 500U) << "nothing is missing";
}

TEST_F(Receipts, WaitForAnEndThatIsHandedOut) {
  all.handed_out(of(200, 2));
  EXPECT_TRUE(all.acknowledge(of(200, 2)));
  all.committed({.last = of(200, 3), .end = at(210), .is_change = true});
  EXPECT_EQ(all.last(), of(200, 2));
  all.handed_out(of(200, 3));
  EXPECT_EQ(all.last(), of(210));
  EXPECT_EQ(told(all), 200U);
  EXPECT_TRUE(all.acknowledge(of(200, 3)));
  EXPECT_EQ(told(all), 210U);
}

TEST_F(Receipts, OfTheLastChangeThatWasWantedConfirmItsTransaction) {
  all.handed_out(of(200, 2));
  all.committed({.last = of(200, 9), .end = at(210), .is_change = false});
  EXPECT_TRUE(all.acknowledge(of(200, 2)));
  EXPECT_EQ(told(all), 210U);
  EXPECT_FALSE(all.idle(at(500)));
  EXPECT_EQ(told(all), 500U) << "nothing is missing";
}

TEST_F(Receipts, AcknowledgedLateConfirmWhatCameSinceThenAndWasNotWanted) {
  hand_out(200, 210, 1);
  hand_out(300, 310, 0);
  EXPECT_TRUE(all.acknowledge(of(210)));
  EXPECT_EQ(told(all), 310U);
  hand_out(400, 410, 0);
  EXPECT_FALSE(all.idle(at(500)));
  EXPECT_EQ(told(all), 500U);
}

TEST_F(Receipts, NeverGoBack) {
  hand_out(200, 210, 1);
  hand_out(300, 310, 1);
  EXPECT_TRUE(all.acknowledge(of(310)));
  EXPECT_TRUE(all.acknowledge(of(210)));
  EXPECT_EQ(told(all), 310U);
}

TEST_F(Receipts, AreRefusedForWhatWasNotHandedOut) {
  hand_out(200, 210, 1);
  EXPECT_FALSE(all.acknowledge(of(210, 1)));
  EXPECT_FALSE(all.acknowledge(of(300)));
  EXPECT_EQ(told(all), 100U);
}

TEST_F(Receipts, OfAnIdleServerFollowIt) {
  EXPECT_FALSE(all.idle(at(500)));
  EXPECT_EQ(told(all), 500U);
}

TEST_F(Receipts, OfAnIdleServerWaitForWhatIsNotSafe) {
  hand_out(200, 210, 1);
  EXPECT_FALSE(all.idle(at(500)));
  EXPECT_EQ(told(all), 100U);
  EXPECT_TRUE(all.acknowledge(of(210)));
  EXPECT_FALSE(all.idle(at(510)));
  EXPECT_EQ(told(all), 510U);
}

TEST_F(Receipts, OfTransactionsWithoutChangesFollowThem) {
  hand_out(200, 210, 0);
  EXPECT_EQ(told(all), 210U);
  hand_out(300, 310, 1);
  hand_out(400, 410, 0);
  EXPECT_EQ(told(all), 210U);
}

TEST(ReceiptsOfAConsumerThatKeepsPositions, LeaveEverythingToIt) {
  receipts all{of(100, 5), at(100), at(1000), true};
  EXPECT_TRUE(all.idle(at(500)));
  EXPECT_EQ(told(all), 100U);
  EXPECT_FALSE(all.idle(at(500))) << "told once";
  EXPECT_TRUE(all.acknowledge(of(500)));
  EXPECT_EQ(told(all), 500U);
}

TEST(ReceiptsOfAConsumerThatKeepsPositions, ConfirmNoMoreThanItHas) {
  receipts all{of(100, 5), at(100), at(1000), true};
  all.handed_out(of(200, 2));
  EXPECT_TRUE(all.acknowledge(of(200, 2)));
  all.committed({.last = of(200, 2), .end = at(210), .is_change = false});
  EXPECT_EQ(told(all), 200U) << "it could not go on from there otherwise";
  EXPECT_TRUE(all.idle(at(210))) << "the end is told to it";
  EXPECT_FALSE(all.idle(at(210)));
  EXPECT_TRUE(all.acknowledge(of(210)));
  EXPECT_FALSE(all.idle(at(210)));
  EXPECT_EQ(told(all), 210U);
}

TEST(ReceiptsOfAConsumerThatKeepsPositions, TellItTheEndOfWhatItDidNotWant) {
  receipts all{of(100, 5), at(100), at(1000), true};
  all.committed({.last = of(200, 2), .end = at(210), .is_change = false});
  EXPECT_TRUE(all.idle(at(210)));
  EXPECT_EQ(told(all), 100U);
  EXPECT_TRUE(all.acknowledge(of(210)));
  EXPECT_EQ(told(all), 210U);
}

}  // namespace
}  // namespace receipts_test
