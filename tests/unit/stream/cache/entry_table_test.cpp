// The table of stored results: found by hash, evicted in the order of their use.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry_table.hpp"
#include "cache/families.hpp"

namespace entry_table_test {
namespace {

using sluice::detail::entry;
using sluice::detail::entry_table;
using sluice::detail::family;

struct destroying {
  void operator()(entry* which) const noexcept { entry::destroy(which); }
};
using entry_ptr = std::unique_ptr<entry, destroying>;

family any;

entry_ptr entry_of(std::uint32_t hash, std::string_view values = {}) {
  return entry_ptr{entry::make({.of = &any, .values = values, .hash = hash}, {})};
}
std::size_t slot_of(const entry_table& in, const entry& which) {
  return in.find(which.hash(), [&](const entry& each) { return &each == &which; });
}
std::size_t any_victim(entry_table& of) {
  return of.next_victim([](const entry&) { return true; });
}

TEST(EntryTable, FindsNothingAtFirst) {
  entry_table table;
  EXPECT_EQ(table.find(7, [](const entry&) { return true; }), entry_table::none);
  EXPECT_EQ(any_victim(table), entry_table::none);
  EXPECT_EQ(table.size(), 0U);
  table.shrink();
  EXPECT_EQ(table.slots(), 0U);
}

TEST(EntryTable, TellsEntriesOfOneHashApart) {
  entry_table table;
  std::vector<entry_ptr> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(entry_of(0xffffffff, std::to_string(i)));  // the last slots: the others are found at the beginning
    table.insert(all.back().get());
  }
  for (const entry_ptr& each : all) {
    const std::size_t slot = table.find(0xffffffff, [&](const entry& one) { return one.values() == each->values(); });
    ASSERT_NE(slot, entry_table::none);
    EXPECT_EQ(table.at(slot), each.get());
  }
  EXPECT_EQ(table.find(0xffffffff, [](const entry&) { return false; }), entry_table::none);
  EXPECT_EQ(table.erase(slot_of(table, *all[0])), all[0].get());
  EXPECT_EQ(slot_of(table, *all[0]), entry_table::none);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_NE(slot_of(table, *all[i]), entry_table::none) << i;
}

TEST(EntryTable, KeepsWhatAModelKeeps) {
  std::mt19937 random{20240229};  // NOLINT(cert-msc51-cpp): the same entries each time
  entry_table table;
  std::map<std::uint32_t, entry_ptr> model;
  for (int i = 0; i < 20'000; ++i) {
    // Few hashes, most of them near the end of the table, so that they collide and wrap around.
    const std::uint32_t hash = random() % 2 == 0 ? 0xffffffffU - static_cast<std::uint32_t>(random() % 300) * 8
                                                 : static_cast<std::uint32_t>(random() % 300) << 20U;
    if (const auto found = model.find(hash); found != model.end()) {
      ASSERT_EQ(table.erase(slot_of(table, *found->second)), found->second.get());
      model.erase(found);
      if (random() % 50 == 0) table.shrink();
    } else {
      entry_ptr made = entry_of(hash);
      table.insert(made.get());
      model.emplace(hash, std::move(made));
    }
    ASSERT_EQ(table.size(), model.size());
    if (i % 100 != 0) continue;
    for (const auto& [each, made] : model) ASSERT_EQ(table.at(slot_of(table, *made)), made.get());
  }
  EXPECT_GT(model.size(), 100U);
}

TEST(EntryTable, EvictsFirstWhatIsNotUsed) {
  entry_table table;
  std::vector<entry_ptr> all;
  for (std::uint32_t i = 0; i < 10; ++i) {
    all.push_back(entry_of(i << 28U));
    table.insert(all.back().get());
  }
  for (std::size_t i = 0; i < 9; ++i) table.count_hit(slot_of(table, *all[i]));
  const std::size_t slot = any_victim(table);
  ASSERT_NE(slot, entry_table::none);
  EXPECT_EQ(table.erase(slot), all[9].get());
  EXPECT_NE(any_victim(table), entry_table::none) << "the hand has lowered the counts of the others";
}

TEST(EntryTable, EvictsEventuallyWhatWasUsedOften) {
  entry_table table;
  const entry_ptr only = entry_of(1);
  table.insert(only.get());
  for (int i = 0; i < 1'000; ++i) {
    const std::size_t slot = slot_of(table, *only);
    ASSERT_NE(slot, entry_table::none) << i;
    table.count_hit(slot);
  }
  EXPECT_EQ(slot_of(table, *only), table.find(1, [](const entry&) { return true; })) << "hits do not change the hash";
  const std::size_t slot = any_victim(table);
  ASSERT_NE(slot, entry_table::none);
  EXPECT_EQ(table.at(slot), only.get());
}

TEST(EntryTable, EvictsOnlyWhatMayGo) {
  entry_table table;
  std::vector<entry_ptr> all;
  for (std::uint32_t i = 0; i < 10; ++i) {
    all.push_back(entry_of(i << 28U));
    table.insert(all.back().get());
  }
  const std::size_t slot = table.next_victim([&](const entry& each) { return &each == all[4].get(); });
  EXPECT_EQ(table.at(slot), all[4].get());
  EXPECT_EQ(table.next_victim([](const entry&) { return false; }), entry_table::none);
}

TEST(EntryTable, GivesMemoryBackWhenItIsNearlyEmpty) {
  entry_table table;
  std::vector<entry_ptr> all;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    all.push_back(entry_of(i * 4'000'000U));
    table.insert(all.back().get());
  }
  const std::size_t full = table.slots();
  table.shrink();
  EXPECT_EQ(table.slots(), full);
  while (all.size() > 10) {
    (void)table.erase(slot_of(table, *all.back()));
    all.pop_back();
  }
  table.shrink();
  EXPECT_LT(table.slots(), full / 10);
  for (const entry_ptr& each : all) EXPECT_NE(slot_of(table, *each), entry_table::none);
}

}  // namespace
}  // namespace entry_table_test
