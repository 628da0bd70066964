// Portals and the transaction block that they depend on.
#include "engine/transaction_scope.hpp"
#include <gtest/gtest.h>
#include "engine/portal.hpp"

namespace transaction_scope_test {
namespace {

using sluice::wire::portal;
using sluice::wire::transaction_scope;

TEST(TransactionScope, IsTheCallersWhereTheServerSaysSo) {
  transaction_scope scope;
  EXPECT_TRUE(scope.is_idle());
  EXPECT_FALSE(scope.in_block());
  for (const char status : {'T', 'E'}) {
    scope.ready(status);
    EXPECT_TRUE(scope.in_callers_block()) << status;
  }
  scope.ready('I');
  EXPECT_FALSE(scope.in_block());
}

TEST(TransactionScope, OwesItsEndOnce) {
  transaction_scope scope;
  portal only{scope, 10};
  only.opened();
  scope.ready('T');
  EXPECT_FALSE(scope.take_owed_end());
  only.close_later();
  EXPECT_EQ(only.is(), portal::state::closed);
  EXPECT_FALSE(scope.in_block()) << "what is sent now comes after the COMMIT";
  EXPECT_TRUE(scope.take_owed_end());
  EXPECT_FALSE(scope.take_owed_end());
  scope.ready('I');
  EXPECT_TRUE(scope.ended());
}

TEST(TransactionScope, OfPortalsBeginsWithTheFirstAndEndsWithTheLast) {
  transaction_scope scope;
  portal first{scope, 10};
  EXPECT_TRUE(first.needs_begin());
  first.opened();
  portal second{scope, 10};
  EXPECT_FALSE(second.needs_begin()) << "its BEGIN is under way";
  second.opened();
  EXPECT_NE(first.name(), second.name());
  scope.ready('T');
  EXPECT_TRUE(scope.in_block());
  EXPECT_FALSE(scope.in_callers_block());

  EXPECT_FALSE(first.close());
  EXPECT_EQ(first.is(), portal::state::closed);
  EXPECT_TRUE(second.close()) << "COMMIT";
  EXPECT_TRUE(scope.is_ending());
  EXPECT_FALSE(scope.in_block()) << "what is sent now comes after the COMMIT";
  scope.ready('I');
  EXPECT_TRUE(second.ended());
  EXPECT_EQ(second.is(), portal::state::over);
  EXPECT_FALSE(scope.is_ending());
}

TEST(TransactionScope, OfTheCallerOutlivesItsPortals) {
  transaction_scope scope;
  scope.ready('T');
  portal only{scope, 10};
  EXPECT_FALSE(only.needs_begin());
  only.opened();
  EXPECT_FALSE(only.close());
  EXPECT_TRUE(scope.in_callers_block());
}

TEST(TransactionScope, IsRolledBackOnceWhenItsCommitFails) {
  transaction_scope scope;
  portal only{scope, 10};
  only.opened();
  ASSERT_TRUE(only.close());
  scope.ready('E');
  EXPECT_FALSE(only.ended());
  EXPECT_TRUE(only.roll_back());
  EXPECT_TRUE(only.is_ending_its_block());
  EXPECT_FALSE(only.ended());
  EXPECT_FALSE(only.roll_back()) << "that did not help either";
}

TEST(TransactionScope, DoesNotWaitForAPortalThatIsGone) {
  transaction_scope scope;
  {
    portal lost{scope, 10};
    lost.opened();
    const portal planned{scope, 10};
    EXPECT_TRUE(scope.has_portals());
  }
  EXPECT_FALSE(scope.has_portals());
}

TEST(Portal, CountsPagesAndKnowsEmptyOnes) {
  transaction_scope scope;
  portal one{scope, 10};
  one.has_row();
  EXPECT_TRUE(one.page_ended());
  EXPECT_FALSE(one.page_ended());
  EXPECT_EQ(one.pages(), 2U);
  EXPECT_EQ(one.page().max_rows, 10U);
}

}  // namespace
}  // namespace transaction_scope_test
