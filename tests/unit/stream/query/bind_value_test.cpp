// Bound parameters: the text and the type that values are sent with.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/bind_value.hpp>

#include "failures.hpp"

namespace bind_value_test {
namespace {

using namespace std::chrono;
using namespace std::string_literals;
namespace oid = sluice::proto::oid;
using sluice::bind_value;
using sluice::test::failure_of;

std::string text_of(const bind_value& value) { return value.text().value_or("NULL"); }

template <class Call>
std::string refusal(const Call& call) {
  const auto why = failure_of(call);
  if (!why) return "accepted";
  EXPECT_EQ(why->code(), sluice::errc::bad_query);
  return why->what();
}

TEST(BindValue, LeavesTheTypeOfATextToTheServer) {
  for (const bind_value& value : {bind_value{"text"}, bind_value{"text"s}, bind_value{std::string_view{"text"}}}) {
    EXPECT_EQ(value.text(), "text");
    EXPECT_EQ(value.type(), 0U);
    EXPECT_FALSE(value.is_binary());
  }
}

TEST(BindValue, IsNullOfTheTypeThatIsMissing) {
  EXPECT_EQ(bind_value{nullptr}.text(), std::nullopt);
  EXPECT_EQ(bind_value{std::nullopt}.type(), 0U);
  EXPECT_EQ(bind_value{std::optional<int>{}}.text(), std::nullopt);
  EXPECT_EQ(bind_value{std::optional<int>{}}.type(), oid::int4);
  EXPECT_EQ(bind_value{std::optional<sys_days>{}}.type(), oid::date);
  EXPECT_EQ(bind_value{std::optional<std::string>{}}.type(), 0U);
  EXPECT_EQ(text_of(std::optional<int>{7}), "7");
}

TEST(BindValue, ChoosesTheTypeOfAnIntegerByItsCppType) {
  EXPECT_EQ(bind_value{42}.type(), oid::int4);
  EXPECT_EQ(bind_value{std::int16_t{1}}.type(), oid::int4);
  EXPECT_EQ(bind_value{1U}.type(), oid::int8);
  EXPECT_EQ(bind_value{std::int64_t{1}}.type(), oid::int8);
  EXPECT_EQ(text_of(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(text_of(most), "18446744073709551615");
  EXPECT_EQ(bind_value{most}.type(), oid::numeric) << "beyond bigint";
  EXPECT_EQ(bind_value{most / 2}.type(), oid::int8);
  EXPECT_EQ(text_of(true), "true");
  EXPECT_EQ(bind_value{false}.type(), oid::boolean);
}

TEST(BindValue, SendsAFloatingPointNumberAsItsDigits) {
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(bind_value{0.1}.type(), oid::numeric);
  EXPECT_EQ(text_of(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(text_of(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(text_of(std::numeric_limits<double>::denorm_min()), "5e-324");
  for (const double each : {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), -0.0})
    EXPECT_EQ(bind_value{each}.type(), oid::float8) << each << ", which numeric does not keep";
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(text_of(-0.0), "-0");
}

TEST(BindValue, WritesDatesWithATimeAndInAnyEra) {
  EXPECT_EQ(bind_value{sys_days{}}.type(), oid::date);
  EXPECT_EQ(text_of(sys_days{year{2024} / 2 / 29}), "2024-02-29 00:00:00+00");
  EXPECT_EQ(text_of(year{1} / 1 / 1), "0001-01-01 00:00:00+00");
  EXPECT_EQ(text_of(year{0} / 12 / 31), "0001-12-31 00:00:00+00 BC");
  EXPECT_EQ(text_of(sys_days{days{-2'440'588}}), "4714-11-24 00:00:00+00 BC");
  EXPECT_EQ(text_of(sys_days{days{2'145'042'905}}), "5874897-12-31 00:00:00+00");
  EXPECT_EQ(text_of(sys_days::max()), "infinity");
  EXPECT_EQ(text_of(sys_days::min()), "-infinity");
}

TEST(BindValue, RefusesDatesThatTheServerOrTheCalendarDoesNotHave) {
  EXPECT_EQ(refusal([] { return bind_value{sys_days{days{-2'440'589}}}; }),
            "a date out of the server's range, which is 4714-11-24 BC to 5874897-12-31");
  EXPECT_NE(refusal([] { return bind_value{sys_days{days{2'145'042'906}}}; }), "accepted");
  EXPECT_EQ(refusal([] { return bind_value{year{2023} / 2 / 29}; }), "a date that the calendar does not have");
}

TEST(BindValue, WritesMomentsToTheMicrosecond) {
  const sys_time<microseconds> at = sys_days{year{2024} / 2 / 29} + 1h + 2min + 3s + 4us;
  EXPECT_EQ(text_of(at), "2024-02-29 01:02:03.000004+00");
  EXPECT_EQ(bind_value{at}.type(), oid::timestamptz);
  EXPECT_EQ(text_of(local_time<microseconds>{at.time_since_epoch()}), "2024-02-29 01:02:03.000004");
  EXPECT_EQ(bind_value{local_time<seconds>{}}.type(), oid::timestamp);
  EXPECT_EQ(text_of(sys_time<microseconds>{-1us}), "1969-12-31 23:59:59.999999+00");
  EXPECT_EQ(text_of(sys_time<microseconds>::max()), "infinity");
  EXPECT_EQ(text_of(sys_time<microseconds>::min()), "-infinity");
  EXPECT_EQ(text_of(sys_time<microseconds>::max() - 1us), "294247-01-10 04:00:54.775806+00");
  EXPECT_EQ(text_of(sys_time<microseconds>{sys_days{year{-4713} / 11 / 24}}), "4714-11-24 00:00:00.000000+00 BC");
  EXPECT_EQ(refusal([] { return bind_value{sys_time<microseconds>{sys_days{year{-4713} / 11 / 24}} - 1us}; }),
            "a moment out of range, which is 4714-11-24 BC to 294247-01-10");
}

TEST(BindValue, SendsOnlyBytesInBinary) {
  constexpr std::array some{std::byte{0}, std::byte{0xff}};
  EXPECT_EQ(bind_value::bytes(some).text(), "\0\xff"s);
  EXPECT_TRUE(bind_value::bytes(some).is_binary());
  EXPECT_EQ(bind_value::json("{}").type(), oid::jsonb);
  EXPECT_FALSE(bind_value::json("{}").is_binary());
  EXPECT_EQ(bind_value::of_type("1 day", oid::interval).type(), oid::interval);
  EXPECT_EQ(bind_value::of_type(std::nullopt, oid::interval).text(), std::nullopt);
}

TEST(ArrayValue, QuotesItsElements) {
  EXPECT_EQ(text_of(std::vector{1, 2}), R"({"1","2"})");
  EXPECT_EQ(bind_value{(std::vector{1, 2})}.type(), oid::int4_array);
  EXPECT_EQ(text_of(std::vector<std::string>{"a\"b\\", "{,}", ""}), R"({"a\"b\\","{,}",""})");
  EXPECT_EQ(text_of(std::vector<std::optional<bool>>{true, std::nullopt}), R"({"true",NULL})");
  constexpr std::array some{std::byte{0}, std::byte{0xff}};
  EXPECT_EQ(text_of(bind_value::array(std::vector{bind_value::bytes(some)})), R"({"\\x00ff"})");
}

TEST(ArrayValue, KnowsItsTypeWithoutElements) {
  EXPECT_EQ(text_of(std::vector<std::int64_t>{}), "{}");
  EXPECT_EQ(bind_value{std::vector<std::int64_t>{}}.type(), oid::int8_array);
  EXPECT_EQ(bind_value{std::vector<std::string>{}}.type(), 0U);
  EXPECT_EQ(bind_value::array({}).type(), 0U);
}

TEST(ArrayValue, TakesTheWidestOfItsNumbers) {
  const auto type = [](const std::vector<bind_value>& elements) { return bind_value::array(elements).type(); };
  EXPECT_EQ(type({1, std::int64_t{2}}), oid::int8_array);
  EXPECT_EQ(type({0.5, 1}), oid::numeric_array);
  EXPECT_EQ(type({0.5, std::numeric_limits<double>::infinity(), 1}), oid::float8_array);
  EXPECT_EQ(type({nullptr, 1}), oid::int4_array);
  EXPECT_EQ(type({std::optional<std::int64_t>{}, 1}), oid::int8_array);
  EXPECT_EQ(type({nullptr, nullptr}), 0U);
}

TEST(ArrayValue, RefusesElementsOfDifferentKindsAndArraysOfArrays) {
  const auto array = [](const std::vector<bind_value>& elements) {
    return refusal([&] { return bind_value::array(elements); });
  };
  EXPECT_EQ(array({1, "x"}), "an array has elements of different types");
  EXPECT_EQ(array({true, 1}), "an array has elements of different types");
  EXPECT_EQ(array({sys_days{}, sys_time<seconds>{}}), "an array has elements of different types");
  EXPECT_EQ(array({std::vector{1}}), "an array of arrays: a parameter has one dimension");
}

}  // namespace
}  // namespace bind_value_test
