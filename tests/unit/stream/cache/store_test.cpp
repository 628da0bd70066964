// The store of a result cache against a model, and its bounds.
#include <gtest/gtest.h>
#include <time.h>

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

#include "backend.hpp"

namespace {

using namespace std::chrono_literals;
using sluice::detail::entry;
using sluice::detail::store;
using sluice::detail::stored_rows;
using sluice::test::backend;

constexpr store::bounds roomy{.total = 1U << 20U, .each = 64U << 10U};

stored_rows rows_of(const std::string& bytes, std::uint32_t count) {
  return {.bytes = std::as_bytes(std::span{bytes}), .shape = {}, .count = count};
}

/// Stores one document.
store::added put(store& into, const std::string& statement, const std::vector<std::string>& tags,
                 const std::string& values, const std::string& document, store::time_point now = {}) {
  store::fill fill = into.begin_fill(statement, tags, values, now);
  if (fill.of == nullptr) return store::added::no_room;
  const store::added how = into.add(fill, rows_of(backend{}.data_row(document).bytes, 1), nullptr);
  into.give_up(fill);
  return how;
}

/// The document of a stored result; nothing if there is none.
std::optional<std::string> got(store& from, const std::string& statement, const std::string& values) {
  entry* const found = from.find(statement, values);
  if (found == nullptr) return std::nullopt;
  from.count_hit(*found);
  std::string text;
  const sluice::proto::row_batch rows = found->rows();
  for (const std::byte* at = rows.begin; const std::size_t size = sluice::proto::row_at(at, rows.end, rows.shape);
       at += size)
    text.append(reinterpret_cast<const char*>(at) + 11, size - 11);
  return text;
}

void sweep_all(store& of) {
  while (of.sweep()) {
  }
}

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

TEST(CacheStore, DropsAHundredThousandWithoutAPause) {
  constexpr int count = 100'000;
  store cache{{.total = 256U << 20U, .each = 1U << 20U}};
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(put(cache, "s", {"t"}, std::to_string(i), "{\"some\":\"document\"}"), store::added::stored);
  std::chrono::nanoseconds longest{};  // of this thread's processor time: others may interrupt it
  const auto used = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  };
  int slices = 0;
  const auto timed = [&](auto step) {
    const auto began = used();
    const bool goes_on = step();
    longest = std::max<std::chrono::nanoseconds>(longest, used() - began);
    ++slices;
    return goes_on;
  };
  (void)timed([&] {
    cache.invalidate("t");
    return true;
  });
  EXPECT_FALSE(got(cache, "s", "7"));
  while (timed([&] { return cache.sweep(); })) {
  }
  EXPECT_EQ(cache.entries(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_GT(slices, 100);
  EXPECT_LT(longest, 10ms);
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
  constexpr std::size_t keys = 100'000;
  constexpr int calls = 600'000;
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

/// What a store may answer: for each key the results that are valid, by the tag versions at which they began.
class model {
 public:
  struct result {
    std::string document;
    std::map<std::string, int> versions;
    std::uint64_t began;
  };
  int& version_of(const std::string& tag) { return versions_[tag]; }
  std::map<std::string, int> versions(const std::vector<std::string>& tags) {
    std::map<std::string, int> all;
    for (const std::string& each : tags) all[each] = versions_[each] + all_ * 1'000'000;
    return all;
  }
  void drop_all() { ++all_; }
  bool is_valid(const result& which) {
    for (const auto& [name, version] : which.versions)
      if (versions_[name] + all_ * 1'000'000 != version) return false;
    return true;
  }

 private:
  std::map<std::string, int> versions_;
  int all_{0};
};

struct pending {
  store::fill fill;
  std::pair<std::string, std::string> key;
  model::result result;
};

void run_model(unsigned seed, store::bounds bounds) {
  std::mt19937 random{seed};
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  store cache{bounds};
  model truth;
  std::map<std::pair<std::string, std::string>, model::result> stored;
  std::vector<pending> on_their_way;
  std::vector<std::pair<entry*, std::string>> readers;
  const std::vector<std::vector<std::string>> tags{{"a"}, {"b"}, {"a", "b"}, {"c", "a"}};
  std::uint64_t clock = 0;
  for (int step = 0; step < 6'000; ++step) {
    const int which = below(4);
    const std::pair key{"statement " + std::to_string(which), std::to_string(below(40))};
    switch (below(10)) {
      case 0:
      case 1:
      case 2: {  // begin a fill
        ++clock;
        store::fill fill = cache.begin_fill(key.first, tags[static_cast<std::size_t>(which)], key.second,
                                            store::time_point{std::chrono::seconds{clock}});
        if (fill.of == nullptr) break;
        std::string document = std::to_string(step) + ':' + key.first + '/' + key.second;
        document.append(static_cast<std::size_t>(below(below(20) == 0 ? 3'000 : 200)), '.');
        on_their_way.push_back(
            {std::move(fill), key, {document, truth.versions(tags[static_cast<std::size_t>(which)]), clock}});
        break;
      }
      case 3:
      case 4:
      case 5: {  // end one, in any order
        if (on_their_way.empty()) break;
        const std::size_t at = static_cast<std::size_t>(below(static_cast<int>(on_their_way.size())));
        pending& each = on_their_way[at];
        const std::string bytes = backend{}.data_row(each.result.document).bytes;
        if (below(5) != 0 && cache.reserve(each.fill, bytes.size())) {
          const bool was_valid = truth.is_valid(each.result);
          const store::added how = cache.add(each.fill, rows_of(bytes, 1), nullptr);
          EXPECT_EQ(how == store::added::invalidated, !was_valid);
          if (how == store::added::stored) stored[each.key] = each.result;
        }
        cache.give_up(each.fill);
        on_their_way.erase(on_their_way.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
      case 6: {
        const char* const name = std::array{"a", "b", "c", "unknown"}[static_cast<std::size_t>(below(4))];
        if (below(4) == 0) {
          cache.invalidate(name);
          ++truth.version_of(name);
        } else if (below(40) == 0) {
          cache.invalidate_all();
          truth.drop_all();
        }
        break;
      }
      case 7: (void)cache.sweep(); break;
      case 8:  // readers come and go
        if (entry* const found = cache.find(key.first, key.second); found != nullptr && readers.size() < 5) {
          cache.add_reader(*found);
          readers.emplace_back(found, stored[key].document);
        } else if (!readers.empty()) {
          const auto& [read, document] = readers.front();
          const sluice::proto::row_batch rows = read->rows();
          EXPECT_EQ((std::string{reinterpret_cast<const char*>(rows.begin) + 11, read->rows_size() - 11}), document);
          cache.remove_reader(*read);
          readers.erase(readers.begin());
        }
        break;
      default: {
        const std::optional<std::string> found = got(cache, key.first, key.second);
        if (!found) break;
        ASSERT_TRUE(stored.contains(key));
        EXPECT_EQ(*found, stored[key].document);
        EXPECT_TRUE(truth.is_valid(stored[key])) << key.first << ' ' << key.second;
      }
    }
    ASSERT_LE(cache.bytes(), bounds.total + 2'000) << "more than the keys of what is on its way";
  }
  for (const auto& [read, document] : readers) cache.remove_reader(*read);
  for (pending& each : on_their_way) cache.give_up(each.fill);
  cache.invalidate_all();
  sweep_all(cache);
  EXPECT_EQ(cache.entries(), 0U);
  EXPECT_EQ(cache.bytes(), 0U) << "what was counted was freed";
}

TEST(CacheStore, AnswersAsTheModelWithRoomForEverything) {
  for (unsigned seed = 0; seed < 20; ++seed) run_model(seed, roomy);
}
TEST(CacheStore, AnswersAsTheModelWhenEntriesAreEvicted) {
  for (unsigned seed = 100; seed < 120; ++seed) run_model(seed, {.total = 8'000, .each = 2'000});
}

}  // namespace
