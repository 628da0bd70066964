#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>
#include "engine/statement_names.hpp"

namespace statement_names_test {
namespace {

using sluice::wire::statement;
using sluice::wire::statement_names;

TEST(StatementNames, StandForAllThatAStatementIs) {
  const std::array<std::uint32_t, 1> int8{20};
  const std::array<std::uint32_t, 2> two{20, 20};
  const std::vector<statement> different{{.text = "select 1"},
                                         {.text = "select 2"},
                                         {.text = "select 1", .types = int8},
                                         {.text = "select 1", .types = two},
                                         {.text = "select 1", .by_columns = true}};
  statement_names remembered{8};
  std::vector<std::string> names;
  for (int round = 0; round < 2; ++round) {
    names.clear();
    for (const statement& each : different) {
      names.push_back(statement_names::name_of(each));
      EXPECT_EQ(remembered.of(each), names.back()) << "in round " << round;
    }
  }
  EXPECT_EQ(names[0].size(), 39U);
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(StatementNames, AreFewAndStillRight) {
  for (const std::size_t most : {0U, 1U, 3U}) {
    statement_names remembered{most};
    for (int i = 0; i < 20; ++i) {
      const std::string text = "select " + std::to_string(i % 5);
      EXPECT_EQ(remembered.of({.text = text}), statement_names::name_of({.text = text}));
    }
  }
}

TEST(StatementNames, OutliveTheTextThatTheyWereMadeOf) {
  statement_names remembered{2};
  std::string text = "select 1";
  const std::string name = remembered.of({.text = text});
  text = "select 2";
  EXPECT_NE(remembered.of({.text = text}), name);
  EXPECT_EQ(remembered.of({.text = "select 1"}), name);
}

}  // namespace
}  // namespace statement_names_test
