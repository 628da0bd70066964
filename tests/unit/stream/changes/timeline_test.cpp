// The history of a server's log: where one timeline ends and the next begins.
#include <gtest/gtest.h>

#include <optional>
#include <string_view>

#include "changes/replication_slot.hpp"

namespace timeline_test {
namespace {

using sluice::lsn;
using sluice::detail::end_of_timeline;

constexpr std::string_view twice_promoted =
    "1\t0/4032B00\tno recovery target specified\n"
    "\n"
    "# of 12 2\n"
    "2\t1/A0\tbefore 2026-11-28 05:20:25+00\n";

TEST(EndOfTimeline, IsInTheHistoryOfEveryLaterOne) {
  EXPECT_EQ(end_of_timeline(twice_promoted, 1), lsn{0x4032B00});
  EXPECT_EQ(end_of_timeline(twice_promoted, 2), (lsn{0x1'0000'00A0}));
  EXPECT_EQ(end_of_timeline("7  0/1  two blanks", 7), lsn{1});
  EXPECT_EQ(end_of_timeline("7\t0/1", 7), lsn{1});
}

TEST(EndOfTimeline, IsUnknownOfAnotherServers) {
  EXPECT_EQ(end_of_timeline(twice_promoted, 3), std::nullopt);
  EXPECT_EQ(end_of_timeline(twice_promoted, 12), std::nullopt) << "in a comment";
  EXPECT_EQ(end_of_timeline("", 1), std::nullopt);
  EXPECT_EQ(end_of_timeline("\n", 0), std::nullopt);
}

TEST(EndOfTimeline, IsUnknownWithoutAPosition) {
  for (const std::string_view history : {"1", "1\n", "1\t", "1\t\t\n", "1 no", "1 0/", "1 0/x\n", "1x"})
    EXPECT_EQ(end_of_timeline(history, 1), std::nullopt) << history;
}

}  // namespace
}  // namespace timeline_test
