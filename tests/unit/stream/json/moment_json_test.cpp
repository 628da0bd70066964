// Dates and times in the binary format as JSON.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "backend.hpp"
#include "json/value_writers.hpp"
#include "json_written.hpp"

namespace moment_json_test {
namespace {

using namespace sluice::detail;
using sluice::test::be32;
using sluice::test::be64;
using sluice::test::written_by;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = 86'400 * second;

/// @param days  since 2000
std::string date(std::int32_t days) { return written_by(write_date, be32(static_cast<std::uint32_t>(days))); }
std::string time(std::int64_t of_day) { return written_by(write_time, be64(static_cast<std::uint64_t>(of_day))); }
/// @param since_2000  in microseconds
std::string timestamp(std::int64_t since_2000) {
  return written_by(write_timestamp, be64(static_cast<std::uint64_t>(since_2000)));
}
std::string timestamptz(std::int64_t since_2000) {
  return written_by(write_timestamptz, be64(static_cast<std::uint64_t>(since_2000)));
}

TEST(DateInJson, IsThatOfTheGregorianCalendar) {
  EXPECT_EQ(date(0), R"("2000-01-01")");
  EXPECT_EQ(date(-1), R"("1999-12-31")");
  EXPECT_EQ(date(59), R"("2000-02-29")");
  EXPECT_EQ(date(8'825), R"("2024-02-29")");
  EXPECT_EQ(date(36'583), R"("2100-02-28")");
  EXPECT_EQ(date(36'584), R"("2100-03-01")");
}

TEST(DateInJson, ReachesFromBeforeChristToYearsOfSevenDigits) {
  EXPECT_EQ(date(-730'119), R"("0001-01-01")");
  EXPECT_EQ(date(-730'120), R"("0001-12-31 BC")");
  EXPECT_EQ(date(-2'451'545), R"("4714-11-24 BC")") << "the first that the server has";
  EXPECT_EQ(date(2'921'939), R"("9999-12-31")");
  EXPECT_EQ(date(2'921'940), R"("10000-01-01")");
  EXPECT_EQ(date(2'145'031'948), R"("5874897-12-31")") << "the last";
}

TEST(DateInJson, MayBeInfinite) {
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::max()), R"("infinity")");
  EXPECT_EQ(date(std::numeric_limits<std::int32_t>::min()), R"("-infinity")");
}

TEST(TimeInJson, HasTheDigitsThatItNeeds) {
  EXPECT_EQ(time(0), R"("00:00:00")");
  EXPECT_EQ(time(1), R"("00:00:00.000001")");
  EXPECT_EQ(time(100'000), R"("00:00:00.1")");
  EXPECT_EQ(time(12 * 3'600 * second + 34 * 60 * second + 56 * second + 120), R"("12:34:56.00012")");
  EXPECT_EQ(time(day - 1), R"("23:59:59.999999")");
  EXPECT_EQ(time(day), R"("24:00:00")");
}

TEST(TimeInJson, IsRefusedBeyondADay) {
  EXPECT_EQ(time(day + 1), "refused");
  EXPECT_EQ(time(-1), "refused");
  EXPECT_EQ(time(std::numeric_limits<std::int64_t>::max()), "refused");
}

TEST(TimestampInJson, HasATBeforeTheTime) {
  EXPECT_EQ(timestamp(0), R"("2000-01-01T00:00:00")");
  EXPECT_EQ(timestamp(-1), R"("1999-12-31T23:59:59.999999")");
  EXPECT_EQ(timestamp(8'825 * day + 3'600 * second), R"("2024-02-29T01:00:00")");
  EXPECT_EQ(timestamp(-730'120 * day - 500'000), R"("0001-12-30T23:59:59.5 BC")");
  EXPECT_EQ(timestamp(-2'451'545 * day), R"("4714-11-24T00:00:00 BC")") << "the first that the server has";
  EXPECT_EQ(timestamp(9'223'371'331'199'999'999), R"("294276-12-31T23:59:59.999999")") << "the last";
}

TEST(TimestampInJson, MayBeInfiniteOrNearlySo) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(timestamp(most), R"("infinity")");
  EXPECT_EQ(timestamptz(-most - 1), R"("-infinity")");
  EXPECT_EQ(timestamp(most - 1), R"("294277-01-09T04:00:54.775806")") << "which the server has not";
  EXPECT_EQ(timestamp(-most), R"("290279-12-22T19:59:05.224193 BC")");
}

TEST(TimestampWithZoneInJson, IsInUtc) {
  EXPECT_EQ(timestamptz(0), R"("2000-01-01T00:00:00+00:00")");
  EXPECT_EQ(timestamptz(1'500'000), R"("2000-01-01T00:00:01.5+00:00")");
  EXPECT_EQ(timestamptz(-730'120 * day), R"("0001-12-31T00:00:00+00:00 BC")");
}

TEST(MomentInJson, HasTheSizeOfItsType) {
  for (const std::size_t size : {0U, 1U, 3U, 5U, 7U, 9U}) {
    const std::string bytes(size, '\0');
    for (const leaf_writer each : {write_date, write_time, write_timestamp, write_timestamptz})
      EXPECT_EQ(written_by(each, bytes), "refused") << size;
  }
  EXPECT_EQ(written_by(write_date, be64(0)), "refused");
  EXPECT_EQ(written_by(write_timestamp, be32(0)), "refused");
}

}  // namespace
}  // namespace moment_json_test
