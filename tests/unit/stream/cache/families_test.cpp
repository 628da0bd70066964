// Families of results and their tags live as long as somebody uses them.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "cache/families.hpp"

namespace families_test {
namespace {

using sluice::detail::families;
using sluice::detail::family;
using sluice::detail::tag;
using strings = std::vector<std::string>;

TEST(Families, AreSharedByTheirKey) {
  families all;
  EXPECT_EQ(all.find("q"), nullptr);
  family& first = all.acquire("q", strings{"a"});
  family& again = all.acquire("q", strings{"a"});
  EXPECT_EQ(&first, &again);
  EXPECT_EQ(first.users, 2U);
  EXPECT_EQ(all.find("q"), &first);
  EXPECT_EQ(first.key, "q");
  EXPECT_EQ(first.hash, all.hash()("q"));
  family& other = all.acquire("r", {});
  EXPECT_NE(&other, &first);
  const std::size_t bytes = other.bytes();
  EXPECT_GT(bytes, sizeof(family));
  EXPECT_EQ(all.release(other), bytes);
  EXPECT_EQ(all.release(first), 0U);
  EXPECT_GT(all.release(first), sizeof(family));
  EXPECT_EQ(all.find("q"), nullptr);
}

TEST(Families, ShareTheirTags) {
  families all;
  EXPECT_EQ(all.find_tag("a"), nullptr);
  family& first = all.acquire("q", strings{"a", "b"});
  family& second = all.acquire("r", strings{"b"});
  tag* const shared = all.find_tag("b");
  ASSERT_NE(shared, nullptr);
  EXPECT_EQ(shared->families, 2U);
  EXPECT_EQ(first.tags[1], shared);
  EXPECT_EQ(second.tags[0], shared);
  (void)all.release(first);
  EXPECT_EQ(all.find_tag("a"), nullptr) << "nobody carries it";
  EXPECT_EQ(all.find_tag("b"), shared);
  (void)all.release(second);
  EXPECT_EQ(all.find_tag("b"), nullptr);
}

TEST(Families, AreDroppedByAnyOfTheirTags) {
  families all;
  family& of = all.acquire("q", strings{"a", "b"});
  EXPECT_FALSE(of.is_dropped(5));
  all.find_tag("b")->dropped_at = 5;
  EXPECT_TRUE(of.is_dropped(4));
  EXPECT_FALSE(of.is_dropped(5)) << "the result is as new as the change";
  (void)all.release(of);
}

TEST(Families, AreReplacedWhenTheirColumnsChange) {
  families all;
  family& old = all.acquire("q", strings{"a"});
  family& fresh = all.replace(old);
  EXPECT_EQ(all.find("q"), &fresh);
  EXPECT_NE(&old, &fresh);
  EXPECT_EQ(fresh.key, "q");
  EXPECT_EQ(fresh.hash, old.hash);
  EXPECT_EQ(fresh.users, 1U);
  EXPECT_TRUE(old.is_dropped(100));
  EXPECT_FALSE(fresh.is_dropped(100));
  EXPECT_EQ(all.find_tag("a")->families, 2U);
  EXPECT_GT(all.release(old), 0U);
  EXPECT_EQ(all.find("q"), &fresh) << "the old one was no longer known";
  EXPECT_EQ(all.find_tag("a")->families, 1U);
  (void)all.release(fresh);
  EXPECT_EQ(all.find_tag("a"), nullptr);
}

TEST(Families, CountTheBytesOfTheirTags) {
  families all;
  family& none = all.acquire("q", {});
  family& some = all.acquire("r", strings{"tag"});
  EXPECT_EQ(some.bytes() - none.bytes(), sizeof(tag*) + sizeof(tag) + 64 + 3);
  (void)all.release(none);
  (void)all.release(some);
}

TEST(Families, MayCarryATagTwice) {
  families all;
  family& of = all.acquire("q", strings{"a", "a"});
  EXPECT_EQ(all.find_tag("a")->families, 2U);
  (void)all.release(of);
  EXPECT_EQ(all.find_tag("a"), nullptr);
}

}  // namespace
}  // namespace families_test
