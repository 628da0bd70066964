#include <gtest/gtest.h>

#include <string>
#include <vector>
#include "engine/kept_rows.hpp"

#include "bytes.hpp"

namespace kept_rows_test {
namespace {

using sluice::test::as_bytes;
using sluice::wire::kept_rows;

bool add(kept_rows& to, const std::string& text) { return to.add(as_bytes(text).data(), text.size()); }

std::string all_of(const kept_rows& from) {
  const auto [begin, end] = from.all();
  return {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
}

TEST(KeptRows, AreTakenInTheOrderInWhichTheyCame) {
  kept_rows rows{100};
  EXPECT_TRUE(rows.empty());
  EXPECT_TRUE(add(rows, "abc"));
  EXPECT_TRUE(add(rows, "def"));
  rows.consume(2);
  EXPECT_EQ(all_of(rows), "cdef");
  EXPECT_TRUE(rows.holds(rows.all().first));
  EXPECT_FALSE(rows.holds(rows.all().second));
  rows.consume(4);
  EXPECT_TRUE(rows.empty());
  EXPECT_TRUE(add(rows, "g"));
  EXPECT_EQ(all_of(rows), "g");
}

TEST(KeptRows, AreNoMoreThanMayBeKept) {
  kept_rows rows{5};
  EXPECT_TRUE(add(rows, "abcde"));
  rows.consume(2);
  EXPECT_FALSE(add(rows, "fgh"));
  EXPECT_TRUE(rows.has_overflowed());
  EXPECT_EQ(all_of(rows), "cde") << "what is there stays whole";
  EXPECT_FALSE(add(rows, "f")) << "nothing may be missing in between";
  EXPECT_TRUE(rows.take_overflow());
  EXPECT_FALSE(rows.has_overflowed());
}

TEST(KeptRows, CanBePartedFromTheirMemory) {
  kept_rows rows{100};
  EXPECT_TRUE(add(rows, "abcdef"));
  const std::byte* const first = rows.all().first;
  const std::vector<std::byte> before = rows.part(4);
  EXPECT_EQ(before.data(), first) << "views stay valid";
  EXPECT_EQ(all_of(rows), "ef");
  EXPECT_TRUE(add(rows, "gh"));
  EXPECT_EQ(all_of(rows), "efgh");
  (void)rows.part(4);
  EXPECT_TRUE(rows.empty());
  EXPECT_TRUE(add(rows, "i"));
  EXPECT_EQ(all_of(rows), "i");
}

TEST(KeptRows, TellOnceThatTheyAreMany) {
  kept_rows rows{10};
  EXPECT_TRUE(add(rows, "abcd"));
  EXPECT_FALSE(rows.has_reached(0.5));
  EXPECT_TRUE(add(rows, "e"));
  EXPECT_TRUE(rows.has_reached(0.5));
  EXPECT_FALSE(rows.has_reached(0.5));
}

}  // namespace
}  // namespace kept_rows_test
