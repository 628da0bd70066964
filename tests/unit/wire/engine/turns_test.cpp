// Whom the server answers next.
#include <gtest/gtest.h>

#include "engine/turns.hpp"

#include "engine/connection_engine.hpp"
#include "engine/query_conversation.hpp"

namespace turns_test {
namespace {

using sluice::wire::connection_engine;
using sluice::wire::query_conversation;
using sluice::wire::turns;

class Turns : public testing::Test {
 protected:
  sluice::proto::output out_;
  connection_engine engine_{out_};
  query_conversation one_{engine_};
  query_conversation other_{engine_};
  turns queue_;
};

TEST_F(Turns, AreNobodysAtFirst) {
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.first(), nullptr);
  EXPECT_EQ(queue_.last(), nullptr);
}

TEST_F(Turns, ComeInTheOrderOfTheFlights) {
  for (query_conversation* each : {&one_, &other_, &one_}) queue_.add(*each);
  EXPECT_EQ(queue_.first(), &one_);
  EXPECT_EQ(queue_.last(), &one_);
  queue_.end_first();
  EXPECT_EQ(queue_.first(), &other_);
  queue_.end_first();
  EXPECT_EQ(queue_.first(), &one_);
  queue_.end_first();
  EXPECT_TRUE(queue_.empty());
}

TEST_F(Turns, AreTakenBackFromTheLastOn) {
  for (query_conversation* each : {&one_, &other_, &other_}) queue_.add(*each);
  queue_.take_back_to(1);
  EXPECT_EQ(queue_.last(), &one_);
  queue_.take_back_to(0);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(Turns, TellWhetherOneWhoIsGoneWasStillToBeAnswered) {
  for (query_conversation* each : {&one_, &other_, &one_}) queue_.add(*each);
  EXPECT_TRUE(queue_.forget(one_));
  EXPECT_FALSE(queue_.forget(one_));
  EXPECT_EQ(queue_.first(), &other_);
  EXPECT_EQ(queue_.all().size(), 1U);
}

}  // namespace
}  // namespace turns_test
