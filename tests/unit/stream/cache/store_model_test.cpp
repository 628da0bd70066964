// The store of a result cache under random use, against a model.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>
#include "cache/store.hpp"

#include "stored.hpp"

namespace store_model_test {
namespace {

using namespace sluice::test;

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
}  // namespace store_model_test
