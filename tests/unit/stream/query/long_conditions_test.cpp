// Conditions generated from a list, however long it is.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>

#include "query/predicate_node.hpp"

namespace long_conditions_test {
namespace {

using sluice::errc;
using sluice::field;
using sluice::from;
using sluice::predicate;

constexpr int many = 60'000;

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++found;
  return found;
}

template <class Run>
bool is_refused(Run run) {
  try {
    run();
  } catch (const sluice::error& refused) {
    return refused.code() == errc::bad_query;
  }
  return false;
}

predicate folded(bool from_the_left, predicate (*join)(const predicate&, const predicate&)) {
  predicate whole = field("f") == 0;
  for (int i = 1; i < many; ++i) {
    const predicate next = field("f") == i;
    whole = from_the_left ? join(whole, next) : join(next, whole);
  }
  return whole;
}
predicate both(const predicate& a, const predicate& b) { return a && b; }
predicate either(const predicate& a, const predicate& b) { return a || b; }

class Folded : public testing::TestWithParam<std::pair<bool, predicate (*)(const predicate&, const predicate&)>> {};

TEST_P(Folded, IsOneLevelFromBothSides) {
  const predicate whole = folded(GetParam().first, GetParam().second);
  const sluice::query asked = from("t").where(whole).build();
  EXPECT_EQ(asked.parameters().size(), static_cast<std::size_t>(many));
  EXPECT_EQ(count(asked.text(), GetParam().second == both ? " and " : " or "), static_cast<std::size_t>(many - 1));
  EXPECT_EQ(count(asked.explain(), ": numeric\n"), static_cast<std::size_t>(many));
  const sluice::query here = from("t").where(whole.on_client()).build();
  EXPECT_NE(here.explain().find("f = (value)"), std::string::npos);
  EXPECT_TRUE(here.parameters().empty());
}

INSTANTIATE_TEST_SUITE_P(Conditions, Folded, testing::Values(std::pair{true, &both}, std::pair{false, &either}));

TEST(Negations, CancelEachOther) {
  predicate whole = field("f") == 1;
  for (int i = 0; i < many; ++i) whole = !whole;
  EXPECT_EQ(from("t").where(whole).build().text(), from("t").where(field("f") == 1).build().text());
  EXPECT_EQ(count(from("t").where(!whole).build().text(), "is not true"), 1U);
}

TEST(Nesting, BeyondTheLimitIsRefused) {
  predicate whole = field("f") == 0;
  const auto deepen = [&](int levels) {
    for (int i = 0; i < levels; ++i)
      whole = i % 2 == 0 ? whole && field("g") == i : (field("g") == i || whole || field("h") == i);
  };
  deepen(static_cast<int>(sluice::detail::most_levels));
  EXPECT_NE(from("t").where(whole).build().text().find(" and "), std::string::npos);
  EXPECT_TRUE(is_refused([&] { deepen(2); }));
}

TEST(Nesting, CountsLevelsNotConditions) {
  predicate whole = field("f") == 0;
  for (int level = 0; level < 50; ++level)
    for (int i = 0; i < 50; ++i) whole = level % 2 == 0 ? whole && field("g") == i : whole || field("g") == i;
  EXPECT_EQ(from("t").where(whole).build().parameters().size(), 2'501U);
}

TEST(Parameters, BeyondWhatTheProtocolCarriesAreRefused) {
  std::vector<predicate> some;
  for (int i = 0; i < 65'535; ++i) some.push_back(sluice::column("f") == i);
  EXPECT_EQ(from("t").where(all_of(some)).build().parameters().size(), 65'535U);
  EXPECT_TRUE(is_refused([&] { (void)from("t").where(all_of(some)).limit(1).build(); }));
}

}  // namespace
}  // namespace long_conditions_test
