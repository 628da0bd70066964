// Actions as failed tests print them.
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "engine/action.hpp"

namespace action_test {
namespace {

using sluice::proto::fault;
using sluice::wire::action;
using sluice::wire::failed;
using kind = action::kind;

std::string shown(const action& what) {
  std::ostringstream text;
  text << what;
  return text.str();
}

constexpr fault malformed{fault::kind::malformed, 'T', "a row description that ends early"};

TEST(Action, HasANameForEachKind) {
  EXPECT_EQ(shown({}), "go_on");
  EXPECT_EQ(shown({.is = kind::aside}), "aside");
  EXPECT_EQ(shown({.is = kind::take_row}), "take_row");
  EXPECT_EQ(shown({.is = kind::refuse_copy}), "refuse_copy");
  EXPECT_EQ(shown({.is = kind::end_turn}), "end_turn");
  EXPECT_EQ(shown({.is = kind::give_up}), "give_up");
  EXPECT_EQ(shown({.is = kind::fail}), "fail");
}

TEST(Action, IsShownWithWhatBelongsToIt) {
  EXPECT_EQ(shown({.is = kind::take_row, .row_bytes = 42}), "take_row 42 bytes");
  EXPECT_EQ(shown(failed(malformed)), "fail 'T': a row description that ends early");
}

TEST(Action, FailsForAReasonOnly) {
  EXPECT_EQ(failed({}), action{});
  EXPECT_EQ(failed(malformed), (action{.is = kind::fail, .why = malformed}));
}

TEST(Action, IsEqualInAllThatItSays) {
  EXPECT_EQ((action{.is = kind::take_row, .row_bytes = 1}), (action{.is = kind::take_row, .row_bytes = 1}));
  EXPECT_NE((action{.is = kind::take_row, .row_bytes = 1}), (action{.is = kind::take_row, .row_bytes = 2}));
  EXPECT_NE((action{.is = kind::go_on}), (action{.is = kind::end_turn}));
  EXPECT_NE(failed(malformed), (action{.is = kind::fail}));
}

}  // namespace
}  // namespace action_test
