// Points in time as documents have them. tests/integration/casts_test.cpp compares them with the server's cast.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include <sluice/stream/json_moment.hpp>

namespace json_moment_test {
namespace {

using namespace std::chrono;
using sluice::parse_moment;

constexpr sys_days day{year{2024} / 2 / 29};

TEST(ParseMoment, TakesWhatPostgresPrints) {
  EXPECT_EQ(parse_moment("2024-02-29"), day);
  EXPECT_EQ(parse_moment("2024-02-29T01:02:03"), day + 1h + 2min + 3s);
  EXPECT_EQ(parse_moment("2024-02-29 01:02:03.000004+00"), day + 1h + 2min + 3s + 4us);
  EXPECT_EQ(parse_moment("2024-02-29T01:02Z"), day + 1h + 2min);
  EXPECT_EQ(parse_moment("2024-02-29T01:02:03-05:30"), day + 6h + 32min + 3s);
  EXPECT_EQ(parse_moment("2024-02-29T01:02:03.1234567"), day + 1h + 2min + 3s + 123457us);
  EXPECT_EQ(parse_moment("2024-02-29t01:02:03-04:56:02"), day + 5h + 58min + 5s);
  EXPECT_EQ(parse_moment("20240229T010203Z"), day + 1h + 2min + 3s);
  EXPECT_EQ(parse_moment("infinity"), sys_time<microseconds>::max());
  EXPECT_EQ(parse_moment("-infinity"), sys_time<microseconds>::min());
  EXPECT_EQ(parse_moment("0001-12-31 BC"), sys_days{year{0} / 12 / 31});
  EXPECT_EQ(parse_moment("4713-01-01 BC"), sys_days{year{-4712} / 1 / 1});
  EXPECT_EQ(parse_moment("32767-01-01"), sys_days{year{32767} / 1 / 1});
  EXPECT_EQ(parse_moment("294246-12-31 23:59:59.999999-15:59:59")->time_since_epoch(), 9'223'371'302'398'999'999us)
      << "beyond what chrono::year holds";
  for (const char* wrong : {"",
                            "2024",
                            "2024-2-29",
                            "2023-02-29",
                            "2024-13-01",
                            "2024-02-29T",
                            "2024-02-29T25:00",
                            "2024-02-29T01:02:03.",
                            "0000-01-01",
                            "294247-01-01",
                            "4714-12-31 BC",
                            "2024-02-29T24:00:01",
                            "2024-02-29T01:02:60.1",
                            "2024-02-29T01:02:03+",
                            "2024-02-29T01:02:03 CEST",
                            "+2024-02-29",
                            "infinity BC",
                            "2024-02-29 BC",
                            "2024-02-29x",
                            "2024-02-29T01:02Zx"})
    EXPECT_EQ(parse_moment(wrong), std::nullopt) << wrong;
}

TEST(ParseMoment, IgnoresSpacesAroundIt) {
  EXPECT_EQ(parse_moment(" \t\n\v\f\r2024-02-29 \r\n"), day);
  for (const char* const blank : {" ", "\n", "2024 -02-29", "2024-02-29  01:02"})
    EXPECT_EQ(parse_moment(blank), std::nullopt) << blank;
}

TEST(ParseMoment, RoundsAsTheServerDoes) {
  EXPECT_EQ(parse_moment("2024-02-29T00:00:00.0000005"), day) << "half way, to the even number";
  EXPECT_EQ(parse_moment("2024-02-29T00:00:00.0000015"), day + 2us);
  EXPECT_EQ(parse_moment("2024-02-29T00:00:00.9999999"), day + 1s);
  EXPECT_EQ(parse_moment("2024-02-29T00:00:00." + std::string(29, '0') + "1"), day);
  EXPECT_EQ(parse_moment("2024-02-29T00:00:00." + std::string(31, '0')), std::nullopt) << "more than 30 digits";
}

TEST(ParseMoment, TakesTheEndOfADayAndALeapSecond) {
  EXPECT_EQ(parse_moment("2024-02-29T24:00"), day + 24h);
  EXPECT_EQ(parse_moment("2024-02-29T24:00:00.000"), day + 24h);
  EXPECT_EQ(parse_moment("2024-02-29T23:59:60"), day + 24h);
  EXPECT_EQ(parse_moment("2024-02-29T23:59:60.00"), day + 24h);
  for (const char* const wrong : {"2024-02-29T24:01", "2024-02-29T24:00:00.1", "2024-02-29T00:60",
                                  "2024-02-29T00:00:61", "20240229T24", "20240229T2400", "20240229T235960"})
    EXPECT_EQ(parse_moment(wrong), std::nullopt) << wrong;
}

TEST(ParseMoment, ReadsZonesUpToSixteenHours) {
  for (const char* const utc : {"Z", "z", "UTC", "GMT", " Z", " UTC", "+00", "-00:00", " +00:00:00", "+0000"})
    EXPECT_EQ(parse_moment("2024-02-29T12:00" + std::string{utc}), day + 12h) << utc;
  EXPECT_EQ(parse_moment("2024-02-29T12:00+15:59:59"), day - 3h - 59min - 59s);
  EXPECT_EQ(parse_moment("2024-02-29T12:00-0530"), day + 17h + 30min);
  EXPECT_EQ(parse_moment("20240229T1200-0530"), day + 17h + 30min);
  for (const char* const zone : {"+16", "+1", "+01:", "+01:60", "+01:00:60", "+01:00:00:00", "+010000", "  Z", "Zulu"})
    EXPECT_EQ(parse_moment("2024-02-29T12:00" + std::string{zone}), std::nullopt) << zone;
  for (const char* const zone : {"UTC", " Z", "-05:30"})
    EXPECT_EQ(parse_moment("20240229T1200" + std::string{zone}), std::nullopt) << zone << ", in the basic format";
}

TEST(ParseMoment, KnowsTheCalendar) {
  EXPECT_EQ(parse_moment("2000-02-29"), sys_days{year{2000} / 2 / 29});
  EXPECT_EQ(parse_moment("0001-02-28 BC"), sys_days{year{0} / 2 / 28});
  EXPECT_EQ(parse_moment("0001-02-29 BC"), sys_days{year{0} / 2 / 29}) << "1 BC was a leap year";
  EXPECT_EQ(parse_moment("0101-02-29 BC"), std::nullopt);
  EXPECT_EQ(parse_moment("00001-01-01"), sys_days{year{1} / 1 / 1});
  for (const char* const wrong : {"1900-02-29", "2024-04-31", "2024-00-01", "2024-01-00", "0000-01-01 BC",
                                  "00000-01-01", "0000001-01-01", "20240230", "00000101", "202402290"})
    EXPECT_EQ(parse_moment(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace json_moment_test
