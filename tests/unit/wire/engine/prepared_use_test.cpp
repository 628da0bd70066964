// How one query uses the statement cache, from its Parse to the statement's state afterwards.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>
#include "engine/prepared_use.hpp"

namespace prepared_use_test {
namespace {

using sluice::wire::prepared_use;
using sluice::wire::statement;
using sluice::wire::statement_cache;
using state = prepared_use::state;

const statement question{.text = "select 1"};
const auto rows_of_one = std::make_shared<const sluice::wire::known_result>();
const std::string name = sluice::wire::statement_names::name_of(question);

std::vector<std::string> to_close(const statement_cache& cache) {
  return {cache.to_close().begin(), cache.to_close().end()};
}

void prepare(statement_cache& cache) {
  prepared_use use{cache};
  ASSERT_EQ(use.look_up(question), nullptr);
  use.parsed();
  use.keep(rows_of_one);
}

TEST(PreparedUse, HasNoNameWithoutACacheOrForACopy) {
  statement_cache off;
  prepared_use none{off};
  EXPECT_EQ(none.look_up(question), nullptr);
  EXPECT_EQ(none.name(), "");
  EXPECT_FALSE(none.is_claimed());
  none.refused("26000");
  EXPECT_EQ(off.size(), 0U);

  statement_cache on{2};
  prepared_use copied{on};
  EXPECT_EQ(copied.look_up({.text = "select 1", .is_copied = true}), nullptr);
  EXPECT_EQ(copied.is(), state::unnamed);
}

TEST(PreparedUse, KeepsWhatTheServerHasParsed) {
  statement_cache cache{2};
  prepare(cache);
  prepared_use again{cache};
  const auto known = again.look_up(question);
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known, rows_of_one);
  EXPECT_EQ(again.name(), name);
  EXPECT_TRUE(again.was_found());
}

TEST(PreparedUse, LeavesTheNameToWhoeverParsesItNow) {
  statement_cache cache{2};
  std::optional<prepared_use> first{cache};
  (void)first->look_up(question);
  prepared_use second{cache};
  EXPECT_EQ(second.look_up(question), nullptr);
  EXPECT_EQ(second.is(), state::unnamed);
  first.reset();
  prepared_use third{cache};
  (void)third.look_up(question);
  EXPECT_EQ(third.is(), state::claimed) << "the first was never sent";
  EXPECT_TRUE(to_close(cache).empty());
}

TEST(PreparedUse, GivesItsNameUpToOtherSql) {
  const auto closes_after = [](bool is_there) {
    statement_cache cache{2};
    prepared_use use{cache};
    (void)use.look_up(question);
    if (is_there) use.parsed();
    use.give_up(is_there);
    use.parsed();  // of the other SQL
    EXPECT_EQ(use.name(), is_there ? name : "");
    EXPECT_FALSE(use.is_claimed());
    use.ended();
    EXPECT_EQ(cache.size(), 0U);
    return to_close(cache);
  };
  EXPECT_TRUE(closes_after(false).empty());
  EXPECT_EQ(closes_after(true), std::vector{name});
}

TEST(PreparedUse, IsClosedWhenNothingWasLearnedOfWhatTheServerHas) {
  statement_cache cache{2};
  {
    prepared_use use{cache};
    (void)use.look_up(question);
    use.parsed();
    use.ended();
  }
  EXPECT_EQ(to_close(cache), std::vector{name});
  prepare(cache);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(PreparedUse, LearnsFromWhatTheServerRefuses) {
  const auto closes_after = [](bool is_parsed, const char* sqlstate) {
    statement_cache cache{2};
    prepared_use use{cache};
    (void)use.look_up(question);
    if (is_parsed) use.parsed();
    use.refused(sqlstate);
    EXPECT_EQ(cache.size(), 0U);
    return to_close(cache);
  };
  EXPECT_TRUE(closes_after(false, "42601").empty()) << "nothing was made";
  EXPECT_EQ(closes_after(true, "22012"), std::vector{name});
  EXPECT_EQ(closes_after(false, "42P05"), std::vector{name}) << "somebody else made it";
}

TEST(PreparedUse, ForgetsAKnownStatementThatIsGoneOrHasChanged) {
  const auto closes_after = [](const char* sqlstate, std::size_t left) {
    statement_cache cache{2};
    prepare(cache);
    prepared_use use{cache};
    (void)use.look_up(question);
    use.refused(sqlstate);
    EXPECT_EQ(cache.size(), left) << sqlstate;
    return to_close(cache);
  };
  EXPECT_TRUE(closes_after("22012", 1).empty());
  EXPECT_TRUE(closes_after("26000", 0).empty());
  EXPECT_EQ(closes_after("0A000", 0), std::vector{name}) << "it is there with another plan";
}

}  // namespace
}  // namespace prepared_use_test
