// What statements return, remembered for the next time.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/known_results.hpp"
#include "engine/statement.hpp"

namespace known_results_test {
namespace {

using sluice::wire::known_result;
using sluice::wire::known_result_ptr;
using sluice::wire::known_results;

known_result_ptr result_of(std::size_t columns) {
  return std::make_shared<const known_result>(
      known_result{.has_rows = true, .columns = sluice::result_columns(columns, {.name = "a", .type = 23})});
}

TEST(KnownResults, AreFoundUntilTheyAreForgotten) {
  known_results known;
  EXPECT_EQ(known.find(1), nullptr);
  const known_result_ptr first = result_of(1);
  const known_result_ptr second = result_of(2);
  known.remember(1, first);
  EXPECT_EQ(known.find(1), first);
  known.remember(1, second);
  EXPECT_EQ(known.find(1), second);
  known.forget(1);
  EXPECT_EQ(known.find(1), nullptr);
  known.forget(1);
}

TEST(KnownResults, ForgetTheLeastRecentlyUsed) {
  known_results known;
  for (std::size_t i = 0; i < known_results::most_results; ++i) known.remember(i, result_of(1));
  EXPECT_NE(known.find(0), nullptr);
  known.remember(1000, result_of(1));
  EXPECT_NE(known.find(0), nullptr);
  EXPECT_EQ(known.find(1), nullptr);
  EXPECT_NE(known.find(2), nullptr);
}

TEST(KnownResults, AreThoseOfATextAndItsTypes) {
  using sluice::wire::statement;
  const std::array<std::uint32_t, 1> integer{23};
  const std::array<std::uint32_t, 1> text{25};
  const auto key = [](const statement& of) { return known_results::key_of(of); };
  EXPECT_EQ(key({.text = "select $1", .types = integer}), key({.text = std::string{"select $1"}, .types = integer}));
  EXPECT_NE(key({.text = "select $1", .types = integer}), key({.text = "select $1", .types = text}));
  EXPECT_NE(key({.text = "select $1", .types = integer}), key({.text = "select $1"}));
  EXPECT_NE(key({.text = "select 1"}), key({.text = "select 2"}));
}

TEST(KnownResults, AreBoundedByTheirColumns) {
  known_results known;
  known.remember(5, result_of(known_results::most_columns + 1));
  EXPECT_EQ(known.find(5), nullptr);
  known.remember(1, result_of(known_results::most_columns / 2));
  known.remember(2, result_of(known_results::most_columns / 2));
  EXPECT_NE(known.find(1), nullptr);
  known.remember(3, result_of(1));
  EXPECT_NE(known.find(1), nullptr);
  EXPECT_EQ(known.find(2), nullptr);
  known.remember(4, result_of(known_results::most_columns));
  EXPECT_EQ(known.find(1), nullptr);
  EXPECT_EQ(known.find(3), nullptr);
  EXPECT_NE(known.find(4), nullptr);
}

}  // namespace
}  // namespace known_results_test
