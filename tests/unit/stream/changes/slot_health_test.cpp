// The health of a slot, as the catalog tells it.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "changes/slot_health.hpp"

namespace slot_health_test {
namespace {

using sluice::lsn;
using sluice::slot_lag;
using sluice::detail::question_about_health;
using sluice::detail::read_health;
using row = sluice::wire::text_row;

const row usual{"t", "reserved", "16777216", "56", "1073741824", "0/16B3748", "1/A0"};

row with(std::size_t column, std::optional<std::string> value) {
  row changed = usual;
  changed[column] = std::move(value);
  return changed;
}

TEST(SlotHealth, IsAskedForByTheNameOfTheSlot) {
  EXPECT_TRUE(question_about_health("a").ends_with("where slot_name operator(pg_catalog.=) 'a'"));
  EXPECT_TRUE(question_about_health("it's").ends_with(" 'it''s'"));
}

TEST(SlotHealth, HasWhatTheCatalogSays) {
  const std::optional<slot_lag> told = read_health({usual});
  ASSERT_TRUE(told);
  EXPECT_TRUE(told->is_active);
  EXPECT_EQ(told->wal_status, "reserved");
  EXPECT_EQ(told->retained_bytes, 16'777'216U);
  EXPECT_EQ(told->behind_bytes, 56U);
  EXPECT_EQ(told->safe_bytes, 1'073'741'824U);
  EXPECT_EQ(told->confirmed, lsn{0x16B3748});
  EXPECT_EQ(told->server, lsn{0x1'0000'00A0});
  EXPECT_EQ(told->unacknowledged_for.count(), 0);
}

TEST(SlotHealth, TakesAbsentValuesForNothing) {
  const std::optional<slot_lag> told = read_health({row(7)});
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->is_active);
  EXPECT_EQ(told->wal_status, "");
  EXPECT_EQ(told->retained_bytes, 0U);
  EXPECT_EQ(told->safe_bytes, std::nullopt) << "no limit";
  EXPECT_EQ(told->confirmed, lsn{});
}

TEST(SlotHealth, IsNeverBelowZero) {
  EXPECT_EQ(read_health({with(3, "-8")})->behind_bytes, 0U) << "a standby behind its own slot";
  EXPECT_EQ(read_health({with(4, "-8")})->safe_bytes, 0U);
  EXPECT_EQ(read_health({with(2, "9223372036854775807")})->retained_bytes, 9'223'372'036'854'775'807U);
}

TEST(SlotHealth, TakesWhatIsNoNumberForNothing) {
  for (const char* const bad : {"", "x", "99999999999999999999"}) {
    EXPECT_EQ(read_health({with(2, bad)})->retained_bytes, 0U) << bad;
    EXPECT_EQ(read_health({with(4, bad)})->safe_bytes, std::nullopt) << bad;
    EXPECT_EQ(read_health({with(5, bad)})->confirmed, lsn{}) << bad;
  }
}

TEST(SlotHealth, IsOneRowOfSevenColumns) {
  EXPECT_FALSE(read_health({}));
  EXPECT_FALSE(read_health({usual, usual}));
  EXPECT_FALSE(read_health({row(6)}));
  EXPECT_FALSE(read_health({row(8)}));
}

}  // namespace
}  // namespace slot_health_test
