// The store of a result cache and its bounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>
#include "cache/store.hpp"

#include "stored.hpp"

namespace store_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;

TEST(CacheStore, FindsWhatWasStoredUnderTheWholeKeyOnly) {
  store cache{roomy};
  EXPECT_EQ(put(cache, "select 1", {"t"}, "a", "{}"), store::added::stored);
  EXPECT_EQ(got(cache, "select 1", "a"), "{}");
  EXPECT_FALSE(got(cache, "select 1", "b"));
  EXPECT_FALSE(got(cache, "select 2", "a"));
  EXPECT_FALSE(got(cache, "select 1", ""));
}

TEST(CacheStore, FindsAResultWithoutRows) {
  store cache{roomy};
  store::fill fill = cache.begin_fill("s", {}, "", {});
  EXPECT_EQ(cache.add(fill, stored_rows{}, nullptr), store::added::stored);
  ASSERT_NE(cache.find("s", ""), nullptr);
  EXPECT_EQ(cache.find("s", "")->rows_size(), 0U);
}

TEST(CacheStore, DropsByTagAndAll) {
  store cache{roomy};
  const std::string odd{"\0\xff'\n", 4};
  EXPECT_EQ(put(cache, "one", {"t", odd}, "a", "1"), store::added::stored);
  EXPECT_EQ(put(cache, "two", {"u"}, "a", "2"), store::added::stored);
  cache.invalidate("nobody's");
  cache.invalidate("");
  EXPECT_TRUE(got(cache, "one", "a"));
  cache.invalidate(odd);
  EXPECT_FALSE(got(cache, "one", "a"));
  EXPECT_TRUE(got(cache, "two", "a"));
  cache.invalidate_all();
  EXPECT_FALSE(got(cache, "two", "a"));
  sweep_all(cache);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(CacheStore, DiscardsAFillThatBeganBeforeAnInvalidation) {
  store cache{roomy};
  const std::vector<std::string> tags{"t"};
  store::fill fill = cache.begin_fill("s", tags, "", {});
  cache.invalidate("t");
  EXPECT_FALSE(cache.is_current(fill));
  EXPECT_EQ(cache.add(fill, stored_rows{}, nullptr), store::added::invalidated);
  cache.give_up(fill);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(CacheStore, KeepsTheNewerOfTwoFills) {
  store cache{roomy};
  store::fill older = cache.begin_fill("s", {}, "", store::time_point{1s});
  EXPECT_EQ(put(cache, "s", {}, "", "new", store::time_point{2s}), store::added::stored);
  EXPECT_EQ(cache.add(older, stored_rows{}, nullptr), store::added::superseded);
  cache.give_up(older);
  EXPECT_EQ(got(cache, "s", ""), "new");
  EXPECT_EQ(put(cache, "s", {}, "", "newest", store::time_point{3s}), store::added::stored);
  EXPECT_EQ(got(cache, "s", ""), "newest");
  EXPECT_EQ(cache.entries(), 1U);
}

TEST(CacheStore, DropsResultsWhoseColumnsChanged) {
  store cache{roomy};
  const sluice::result_columns before{{.name = "a", .type = 23}};
  const sluice::result_columns after{{.name = "b", .type = 25}};
  const auto add = [&](const char* values, const sluice::result_columns& columns) {
    store::fill fill = cache.begin_fill("s", {}, values, {});
    EXPECT_EQ(cache.add(fill, stored_rows{}, &columns), store::added::stored);
  };
  add("1", before);
  add("2", before);
  add("3", after);
  EXPECT_EQ(cache.find("s", "1"), nullptr);
  ASSERT_NE(cache.find("s", "3"), nullptr);
  EXPECT_EQ(*cache.find("s", "3")->of().columns, after);
  sweep_all(cache);
  EXPECT_EQ(cache.entries(), 1U);
}

TEST(CacheStore, RefusesWhatExceedsItsBounds) {
  store none{{.total = 0, .each = 0}};
  EXPECT_EQ(put(none, "s", {}, "", "{}"), store::added::no_room);
  EXPECT_EQ(none.bytes(), 0U);
  store small{{.total = 4'096, .each = 1'024}};
  EXPECT_EQ(put(small, "s", {}, "", std::string(1'000, 'x')), store::added::too_large);
  EXPECT_EQ(put(small, std::string(5'000, 's'), {}, "", "{}"), store::added::no_room);
  EXPECT_EQ(put(small, "s", {}, std::string(5'000, 'v'), "{}"), store::added::no_room);
  EXPECT_EQ(small.bytes(), 0U);
  store::fill fill = small.begin_fill("s", {}, "", {});
  EXPECT_TRUE(small.reserve(fill, 1'000));
  EXPECT_FALSE(small.reserve(fill, 1'000));
  small.give_up(fill);
  EXPECT_EQ(small.bytes(), 0U);
}

TEST(CacheStore, LeavesARemovedResultToItsReaders) {
  store cache{roomy};
  EXPECT_EQ(put(cache, "s", {"t"}, "", "{}"), store::added::stored);
  entry& read = *cache.find("s", "");
  cache.add_reader(read);
  cache.invalidate("t");
  EXPECT_FALSE(got(cache, "s", ""));
  EXPECT_EQ(cache.entries(), 0U);
  EXPECT_EQ(read.row_count(), 1U);
  EXPECT_NE(cache.bytes(), 0U) << "its memory is still in use";
  cache.remove_reader(read);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(CacheStore, TakesATenthOnTopOfDocumentsOfAKilobyte) {
  constexpr std::size_t count = 20'000;
  store cache{{.total = 64U << 20U, .each = 1U << 20U}};
  const std::string document(1'024, 'x');
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_EQ(put(cache, "select data from t where id = $1", {"t"}, std::to_string(i), document), store::added::stored);
  EXPECT_LE(static_cast<double>(entry::size_of(1'035, 6) + 13), 1.1 * 1'024);
  // Of the rows as the server sent them, the allocator's share included.
  EXPECT_LE(static_cast<double>(cache.bytes()), 1.1 * 1'035 * count);
}

/// What is dropped at once is freed a little at a time.
TEST(CacheStore, FreesAHundredThousandInManySteps) {
  constexpr int count = 100'000;
  store cache{{.total = 256U << 20U, .each = 1U << 20U}};
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(put(cache, "s", {"t"}, std::to_string(i), "{\"some\":\"document\"}"), store::added::stored);
  cache.invalidate("t");
  EXPECT_FALSE(got(cache, "s", "7"));
  int steps = 1;
  while (cache.sweep()) ++steps;
  EXPECT_EQ(cache.entries(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_GT(steps, 100);
}

/// Draws from the numbers below `count` by Zipf's law.
class zipf {
 public:
  zipf(std::size_t count, double exponent) {
    for (std::size_t i = 0; i < count; ++i)
      sums_.push_back((sums_.empty() ? 0 : sums_.back()) + std::pow(static_cast<double>(i + 1), -exponent));
  }
  std::size_t operator()(std::mt19937_64& random) {
    const double at = std::uniform_real_distribution{0.0, sums_.back()}(random);
    return static_cast<std::size_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

TEST(CacheStore, HitsFourOfFiveOnASkewedTraceWithRoomForATenth) {
  constexpr std::size_t keys = 50'000;
  constexpr int calls = 300'000;
  const std::string document(200, 'x');
  const std::size_t each = entry::size_of(211, 5) + 32;
  store cache{{.total = keys / 10 * each + 1'000, .each = 4'096}};
  zipf draw{keys, 1.1};
  std::mt19937_64 random{7};
  int hits = 0;
  for (int i = 0; i < calls; ++i) {
    const std::string key = std::to_string(draw(random));
    if (got(cache, "s", key)) {
      hits += i >= calls / 2;
    } else {
      ASSERT_EQ(put(cache, "s", {"t"}, key, document), store::added::stored);
    }
  }
  EXPECT_LE(cache.bytes(), cache.most().total);
  EXPECT_GE(cache.entries(), keys / 10 * 9 / 10);
  RecordProperty("hits_percent", hits * 100 / (calls / 2));
  EXPECT_GT(hits * 10, calls / 2 * 8);
}

}  // namespace
}  // namespace store_test
