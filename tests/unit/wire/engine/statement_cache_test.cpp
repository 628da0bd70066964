#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>
#include "engine/statement_cache.hpp"

namespace statement_cache_test {
namespace {

using sluice::wire::statement_cache;

std::vector<std::string> to_close(const statement_cache& cache) {
  return {cache.to_close().begin(), cache.to_close().end()};
}

void prepare(statement_cache& cache, const std::string& name) {
  ASSERT_TRUE(cache.claim(name));
  cache.remember(name, std::make_shared<const sluice::wire::known_result>());
}

TEST(StatementCache, ForgetsTheLeastRecentlyUsedForANewOne) {
  statement_cache cache{2};
  prepare(cache, "a");
  prepare(cache, "b");
  EXPECT_NE(cache.find("a"), nullptr);
  prepare(cache, "c");
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(to_close(cache), std::vector<std::string>{"b"});
  EXPECT_EQ(cache.hits(), 2U);
  cache.closed(1);
  EXPECT_TRUE(cache.to_close().empty());
}

TEST(StatementCache, LetsOneFlightPrepareAStatement) {
  statement_cache cache{2};
  EXPECT_TRUE(cache.claim("a"));
  EXPECT_FALSE(cache.claim("a"));
  cache.forget("a", false);
  EXPECT_TRUE(cache.claim("a")) << "it went wrong: the next may try";
  EXPECT_TRUE(cache.to_close().empty());
  cache.forget("a", true);
  EXPECT_EQ(to_close(cache), std::vector<std::string>{"a"}) << "it is there, and of no use";
}

TEST(StatementCache, HoldsNoMoreThanItMayWhenManyAreUnderWay) {
  statement_cache cache{2};
  for (const char* const name : {"a", "b", "c", "d"}) EXPECT_TRUE(cache.claim(name));
  for (const char* const name : {"a", "b", "c", "d"}) cache.remember(name, {});
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(to_close(cache), (std::vector<std::string>{"a", "b"}));
}

TEST(StatementCache, ForgetsEverythingWithTheServer) {
  statement_cache cache{2};
  prepare(cache, "a");
  cache.forget("a", true);
  prepare(cache, "b");
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_TRUE(cache.to_close().empty());
  EXPECT_EQ(cache.find("b"), nullptr);
}

}  // namespace
}  // namespace statement_cache_test
