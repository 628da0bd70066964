// How a relation is divided: the parts cover everything, do not overlap, and are no more than requested.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/query.hpp>
#include "parallel/relation_parts.hpp"

#include "readable_sql.hpp"

namespace relation_parts_test {
namespace {

using sluice::from;
using sluice::relation;
using sluice::detail::in_buckets;
using sluice::detail::in_pages;
using sluice::detail::in_ranges;
using sluice::detail::split_task;
using sluice::detail::whole;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

std::vector<std::string> texts(const std::vector<split_task>& tasks) {
  std::vector<std::string> all;
  for (const split_task& each : tasks) all.push_back(sluice::test::readable(each.what.text()));
  return all;
}

std::vector<std::uint64_t> weights(const std::vector<split_task>& tasks) {
  std::vector<std::uint64_t> all;
  for (const split_task& each : tasks) all.push_back(each.weight);
  return all;
}

/// From `begin` up to, but not including, `end`; without `end`, which is then beyond all pages, to the last one.
struct range {
  std::uint64_t begin{};
  std::optional<std::uint64_t> end{};
  bool operator==(const range&) const = default;
};

/// The page that the row pointer is compared with.
std::optional<std::uint64_t> page_after(const sluice::query& what, std::string_view comparison) {
  const std::string before = "ctid operator(pg_catalog." + std::string{comparison} + ") $";
  const std::string_view sql = what.text();
  const std::size_t at = sql.find(before);
  if (at == sql.npos) return std::nullopt;
  std::size_t parameter{};
  (void)std::from_chars(sql.data() + at + before.size(), sql.data() + sql.size(), parameter);
  const std::string row = what.parameters().at(parameter - 1).text().value();
  EXPECT_TRUE(row.starts_with('(') && row.ends_with(",0)")) << row;
  std::uint64_t page{};
  (void)std::from_chars(row.data() + 1, row.data() + row.size(), page);
  constexpr std::uint64_t beyond_all = std::numeric_limits<std::uint32_t>::max();
  if (page == beyond_all) return std::nullopt;
  return page;
}

std::vector<range> pages_of(const std::vector<split_task>& tasks) {
  std::vector<range> all;
  for (const split_task& each : tasks) all.push_back({page_after(each.what, ">=").value(), page_after(each.what, "<")});
  return all;
}

/// The bound values of each part's condition.
std::vector<std::vector<std::string>> keys_of(const std::vector<split_task>& tasks) {
  std::vector<std::vector<std::string>> all;
  for (const split_task& each : tasks) {
    all.emplace_back();
    for (const sluice::bind_value& value : each.what.parameters()) all.back().push_back(value.text().value());
  }
  return all;
}

/// Whether the ranges are adjacent, from 0 to an open end.
bool follow_each_other(const std::vector<range>& ranges) {
  std::optional<std::uint64_t> next = 0;
  for (const range& each : ranges) {
    if (next != each.begin) return false;
    next = each.end;
  }
  return !next;
}

TEST(InPages, AnEmptyTableIsOnePartBecauseItMayHaveGrown) {
  const auto parts = in_pages({from("t"), 4}, 0);
  EXPECT_THAT(pages_of(parts), ElementsAre(range{0, {}}));
  EXPECT_THAT(weights(parts), ElementsAre(1));
}

TEST(InPages, OnePageIsOnePart) {
  const auto parts = in_pages({from("t"), 4}, 1);
  EXPECT_THAT(pages_of(parts), ElementsAre(range{0, {}}));
  EXPECT_THAT(weights(parts), ElementsAre(1));
}

TEST(InPages, APartIsNotSmallerThanSixteenPagesWhateverTheConnections) {
  const auto parts = in_pages({from("t"), 1'000}, 40);
  EXPECT_THAT(pages_of(parts), ElementsAre(range{0, 16}, range{16, 32}, range{32, {}}));
  EXPECT_THAT(weights(parts), ElementsAre(16, 16, 8));
}

TEST(InPages, AConnectionHasSixteenParts) {
  EXPECT_THAT(in_pages({from("t"), 2}, 3'200), AllOf(SizeIs(32), Each(Field(&split_task::weight, 100))));
}

TEST(InPages, SortedPartsAreNoMoreThanConnections) {
  const relation sorted = relation{from("t")}.order_by(sluice::field("a"));
  for (const std::uint64_t pages : {1U, 48U, 100'000U, 100'001U, 100'002U})
    EXPECT_THAT(in_pages({sorted, 3}, pages), SizeIs(Le(3))) << pages;
}

TEST(InPages, PartsCoverEachPageOnceAndWeighAsMuch) {
  constexpr std::uint64_t largest_table = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint64_t pages : std::vector<std::uint64_t>{15, 16, 17, 511, 512, 513, largest_table - 1,
                                                              largest_table, std::uint64_t{highest}}) {
    for (const std::uint32_t connections : {1U, 3U, 64U}) {
      const auto parts = in_pages({from("t"), connections}, pages);
      EXPECT_TRUE(follow_each_other(pages_of(parts))) << pages;
      EXPECT_LE(parts.size(), 16 * connections) << pages;
      std::uint64_t sum = 0;
      for (const std::uint64_t each : weights(parts)) sum += each;
      EXPECT_EQ(sum, pages);
    }
  }
}

TEST(InPages, KeepsTheConditionsOfTheRelation) {
  EXPECT_THAT(texts(in_pages({relation{from("t")}.where(sluice::field("a") == 1), 2}, 100)), Each(HasSubstr("-> 'a'")));
}

class Ranges : public testing::Test {
 protected:
  [[nodiscard]] std::vector<split_task> ranges(std::int64_t least, std::int64_t most, std::uint64_t parts) const {
    return in_ranges({what, 4}, sluice::field("id").as_numeric(), least, most, parts);
  }
  relation what = from("t");
};

TEST_F(Ranges, OnePartIsTheRelation) {
  EXPECT_THAT(texts(ranges(1, 100, 1)), ElementsAre(sluice::test::readable(what.build().text())));
  EXPECT_THAT(texts(ranges(1, 100, 0)), ElementsAre(sluice::test::readable(what.build().text())));
}

TEST_F(Ranges, TheFirstPartHasWhatIsNotAtLeastTheLeast) {
  const auto parts = ranges(10, 40, 4);
  EXPECT_THAT(keys_of(parts),
              ElementsAre(ElementsAre("10"), ElementsAre("10", "20"), ElementsAre("20", "30"), ElementsAre("30")));
  EXPECT_THAT(weights(parts), Each(1));
}

TEST_F(Ranges, OneKeyIsOneRange) {
  for (const std::int64_t key : {lowest, std::int64_t{0}, highest}) {
    const std::string text = std::to_string(key);
    EXPECT_THAT(keys_of(ranges(key, key, 64)), ElementsAre(ElementsAre(text), ElementsAre(text)));
  }
}

TEST_F(Ranges, ThereAreNoMoreRangesThanKeysLieApart) {
  EXPECT_THAT(keys_of(ranges(7, 9, 64)), ElementsAre(ElementsAre("7"), ElementsAre("7", "8"), ElementsAre("8")));
}

TEST_F(Ranges, KeysMayBeAsFarApartAsInt8Allows) {
  EXPECT_THAT(
      keys_of(ranges(lowest, highest, 3)),
      ElementsAre(ElementsAre("-9223372036854775808"), ElementsAre("-9223372036854775808", "-1"), ElementsAre("-1")));
  EXPECT_THAT(keys_of(ranges(lowest, highest, 2)),
              ElementsAre(ElementsAre("-9223372036854775808"), ElementsAre("-9223372036854775808")));
  EXPECT_THAT(keys_of(ranges(highest - 1, highest, 64)),
              ElementsAre(ElementsAre("9223372036854775806"), ElementsAre("9223372036854775806")));
}

TEST_F(Ranges, EachRangeBeginsWhereTheOneBeforeEnds) {
  for (const std::uint64_t count : {2U, 3U, 5U, 1'000U}) {
    const auto keys = keys_of(ranges(lowest, highest, count));
    ASSERT_THAT(keys, SizeIs(count));
    for (std::size_t i = 1; i < keys.size(); ++i) EXPECT_EQ(keys[i].front(), keys[i - 1].back()) << count;
  }
}

TEST_F(Ranges, NullAndWhatIsNoNumberAreInTheFirstPart) {
  EXPECT_THAT(texts(ranges(1, 3, 3)).front(), HasSubstr("is not true"));
}

TEST(InBuckets, ThereIsOnePerConnection) {
  const auto parts = texts(in_buckets({from("t"), 3}, "a.b"));
  ASSERT_THAT(parts, SizeIs(3));
  for (std::size_t i = 0; i < parts.size(); ++i) EXPECT_THAT(parts[i], HasSubstr("% 3 = " + std::to_string(i)));
}

TEST(InBuckets, OneConnectionHasOneThatIsNeverEmpty) {
  EXPECT_THAT(texts(in_buckets({from("t"), 1}, "a")), ElementsAre(HasSubstr("% 1 = 0")));
}

}  // namespace
}  // namespace relation_parts_test
