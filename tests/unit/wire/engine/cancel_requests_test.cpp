// Cancel requests that could still hit the next query.
#include <gtest/gtest.h>

#include "engine/cancel_requests.hpp"

namespace cancel_requests_test {
namespace {

using sluice::wire::cancel_requests;

TEST(CancelRequests, ThatHaveHitAreNotOnTheirWay) {
  cancel_requests requests;
  EXPECT_FALSE(requests.may_be_on_their_way());
  requests.sent(1, true);
  EXPECT_FALSE(requests.may_be_on_their_way());
}

TEST(CancelRequests, OfWhichOneHasHitLeaveTheOthersOnTheirWay) {
  cancel_requests requests;
  requests.sent(3, true);
  EXPECT_TRUE(requests.may_be_on_their_way());
  requests.have_arrived();
  EXPECT_FALSE(requests.may_be_on_their_way());
}

TEST(CancelRequests, ThatHaveHitNothingStayUntilALaterQueryHasEnded) {
  cancel_requests requests;
  requests.sent(1, false);
  requests.sent(1, true);
  EXPECT_TRUE(requests.may_be_on_their_way());
  requests.have_arrived();
  EXPECT_FALSE(requests.may_be_on_their_way());
}

}  // namespace
}  // namespace cancel_requests_test
