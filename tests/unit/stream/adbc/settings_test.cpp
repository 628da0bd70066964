// What a program may set as text: the values, their limits, and what is answered.
#include "adbc/settings.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace settings_test {
namespace {

using namespace sluice::adbc;
using sluice::arrow_options;

/// The status of the failure, and its text.
template <class Call>
std::string refusal(const Call& call, status code = status::invalid_argument) {
  try {
    call();
  } catch (const failure& why) {
    EXPECT_EQ(why.code(), code);
    return why.what();
  }
  return "accepted";
}

TEST(AdbcSettings, AreReadAsTheyWereSet) {
  for (const auto& [name, values] : std::vector<std::pair<const char*, std::vector<const char*>>>{
           {"sluice.max_rows", {"1", "2147483647"}},
           {"sluice.max_bytes", {"1", "1073741824"}},
           {"sluice.fetch_mode", {"plain", "paged", "bulk"}},
           {"sluice.page_rows", {"1", "2147483647"}},
           {"sluice.timeout_ms", {"0", "2147483647"}},
           {"sluice.numeric", {"text", "float64", "decimal"}},
           {"sluice.precision", {"9", "38"}},
           {"sluice.scale", {"0", "38"}},
           {"sluice.infinities", {"fail", "null", "saturate"}},
           {"sluice.not_a_number", {"fail", "null"}},
           {"sluice.arrays", {"lists", "text"}},
           {"sluice.others", {"fail", "text"}},
           {"sluice.extension_types", {"true", "false"}},
           {"sluice.partitions", {"1", "1000"}},
           {"sluice.partition_key", {"", "id"}},
           {"sluice.partition_hash", {"", "it's \"odd\""}},
           {"sluice.dictionaries", {"true", "false"}}}) {
    settings of;
    for (const char* const value : values) {
      EXPECT_TRUE(of.set(name, value)) << name << ' ' << value;
      EXPECT_EQ(of.get(name), value) << name;
    }
  }
}

TEST(AdbcSettings, BeginWithTheDefaults) {
  const settings of;
  EXPECT_EQ(of.get("sluice.others"), "text") << "a program has no use for an error there";
  EXPECT_EQ(of.get("sluice.numeric"), "text");
  EXPECT_EQ(of.get("sluice.max_rows"), "65536");
  EXPECT_EQ(of.get("sluice.partitions"), "4");
  EXPECT_EQ(of.get("sluice.timeout_ms"), std::to_string(of.run.timeout.count()));
}

TEST(AdbcSettings, AreStoredWhereTheyAreUsed) {
  settings of;
  of.set("sluice.timeout_ms", "1500");
  of.set("sluice.numeric", "decimal");
  of.set("sluice.page_rows", "7");
  EXPECT_EQ(of.run.timeout, std::chrono::milliseconds{1'500});
  EXPECT_EQ(of.batches.numeric, arrow_options::numerics::decimal);
  EXPECT_EQ(of.run.page_rows, 7U);
}

TEST(AdbcSettings, AreUnknownUnderOtherNames) {
  settings of;
  for (const char* const name : {"", "sluice.", "max_rows", "sluice.Max_rows", "sluice.max_rows "}) {
    EXPECT_FALSE(of.set(name, "1")) << name;
    EXPECT_EQ(of.get(name), std::nullopt) << name;
  }
}

TEST(AdbcSettings, RefuseValuesBeyondTheirLimits) {
  settings of;
  for (const auto& [name, values] : std::vector<std::pair<const char*, std::vector<const char*>>>{
           {"sluice.max_rows", {"", "0", "-1", "2147483648", "1.5", "1 ", " 1", "x", "99999999999999999999"}},
           {"sluice.max_bytes", {"0", "1073741825"}},
           {"sluice.fetch_mode", {"", "Plain", "fast"}},
           {"sluice.timeout_ms", {"-1", "2147483648"}},
           {"sluice.precision", {"0", "39", "8"}},  // the last is below the scale
           {"sluice.scale", {"-1", "39"}},
           {"sluice.not_a_number", {"saturate", "nan"}},
           {"sluice.extension_types", {"", "1", "TRUE", "yes"}},
           {"sluice.partitions", {"0", "1001"}}})
    for (const char* const value : values) {
      const std::string before = *of.get(name);
      EXPECT_EQ(refusal([&] { of.set(name, value); }),
                "the option " + std::string{name} + " cannot be '" + std::string{value} + '\'');
      EXPECT_EQ(of.get(name), before) << name << ' ' << value;
    }
}

TEST(AdbcAnswer, FitsOrSaysHowLongItIs) {
  char text[8]{};
  std::size_t length = sizeof text;
  answer("1234567", text, &length);
  EXPECT_STREQ(text, "1234567");
  EXPECT_EQ(length, 8U) << "with the zero byte";
  std::memset(text, 'x', sizeof text);
  length = 7;
  answer("1234567", text, &length);
  EXPECT_EQ(length, 8U);
  EXPECT_EQ(text[0], 'x') << "nothing is written where it does not fit";
  length = 0;
  answer("1", static_cast<char*>(nullptr), &length);
  EXPECT_EQ(length, 2U);
  EXPECT_NE(refusal([] { answer("1", static_cast<char*>(nullptr), nullptr); }), "accepted");
  length = 8;
  EXPECT_NE(refusal([&] { answer("1", static_cast<char*>(nullptr), &length); }), "accepted");
}

TEST(AdbcAnswer, HasNoZeroByteAsBytes) {
  std::uint8_t bytes[4]{};
  std::size_t length = sizeof bytes;
  answer("abcd", bytes, &length);
  EXPECT_EQ(length, 4U);
  EXPECT_EQ(bytes[3], 'd');
  length = 4;
  answer("", bytes, &length);
  EXPECT_EQ(length, 0U);
}

TEST(AdbcAnswer, IsANumberOnlyOfOne) {
  std::int64_t whole{};
  answer("n", "-9223372036854775808", &whole);
  EXPECT_EQ(whole, INT64_MIN);
  double number{};
  answer("n", "0.5", &number);
  EXPECT_EQ(number, 0.5);
  for (const char* const bad : {"", "x", "1x", "1.5", "9223372036854775808"})
    EXPECT_EQ(refusal([&] { answer("n", bad, &whole); }, status::not_found), "the option n is not a number") << bad;
  EXPECT_NE(refusal([] { answer("n", "1", static_cast<std::int64_t*>(nullptr)); }), "accepted");
}

TEST(AdbcAnswer, ShowsTruthAndNumbersAsTheyAreRead) {
  EXPECT_TRUE(as_bool("n", show(true)));
  EXPECT_FALSE(as_bool("n", show(false)));
  EXPECT_EQ(text_of_double(0.1), "0.1");
  EXPECT_EQ(text_of_double(1e300), "1e+300");
  EXPECT_EQ(refusal([] { no_option("x"); }, status::not_found), "there is no option x here");
}

}  // namespace
}  // namespace settings_test
