// Values as COPY sends them: their bytes, and what a column refuses. tests/integration/copy_test.cpp reads them back.
#include <gtest/gtest.h>

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/oid.hpp>
#include <sluice/stream/to_binary.hpp>
#include <sluice/wire/error.hpp>

#include "backend.hpp"
#include "bytes.hpp"
#include "numeric_bytes.hpp"

namespace to_binary_test {
namespace {

using namespace std::chrono;
using namespace sluice::test;
namespace oid = sluice::proto::oid;
using sluice::binary_place;
using sluice::detail::row_writer;
using sluice::detail::written_column;

written_column column_of(std::uint32_t type, bool is_text = false) {
  return {.name = "c", .type_name = "t", .type = {.oid = type, .is_text = is_text}};
}
/// The field of a value, or the error.
template <class T>
std::string field(const written_column& column, const T& value) {
  std::vector<std::byte> out;
  try {
    binary_place{out, column, 3}.write(value);
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_column);
    EXPECT_TRUE(e.connection_usable());
    return e.what();
  }
  return std::string{as_text(out)};
}
/// Without its length.
template <class T>
std::string bytes(std::uint32_t type, const T& value) {
  const std::string all = field(column_of(type), value);
  return all.starts_with("column 3 ") ? all : all.substr(4);
}
const std::string out_of_range = "column 3 (c): it is out of the column's range";

TEST(ToBinary, WritesALengthBeforeEachValue) {
  EXPECT_EQ(field(column_of(oid::int4), 7), be32(4) + be32(7));
  EXPECT_EQ(field(column_of(oid::text, true), ""), be32(0));
  EXPECT_EQ(field(column_of(oid::int4), std::nullopt), be32(0xffffffff));
  EXPECT_EQ(field(column_of(oid::int4), std::optional<int>{}), be32(0xffffffff));
  EXPECT_EQ(field(column_of(oid::int4), std::optional<int>{7}), be32(4) + be32(7));
}

TEST(ToBinary, ChecksTheRangeOfIntegers) {
  EXPECT_EQ(bytes(oid::int2, -32'768), be16(0x8000));
  EXPECT_EQ(bytes(oid::int2, 32'768), out_of_range);
  EXPECT_EQ(bytes(oid::int4, std::int64_t{-2'147'483'648}), be32(0x80000000));
  EXPECT_EQ(bytes(oid::int4, std::int64_t{2'147'483'648}), out_of_range);
  EXPECT_EQ(bytes(oid::int8, std::numeric_limits<std::int64_t>::min()), be64(std::uint64_t{1} << 63U));
  EXPECT_EQ(bytes(oid::int8, std::numeric_limits<std::uint64_t>::max()),
            "column 3 (c): the number is out of the column's range");
  EXPECT_EQ(bytes(oid::object_id, 4'294'967'295U), be32(0xffffffff));
  EXPECT_EQ(bytes(oid::object_id, -1), out_of_range);
  EXPECT_EQ(bytes(oid::float8, std::int64_t{1} << 53U), be64(std::bit_cast<std::uint64_t>(9'007'199'254'740'992.0)));
  EXPECT_EQ(bytes(oid::float8, (std::int64_t{1} << 53U) + 1),
            "column 3 (c): a double cannot hold this integer exactly");
}

TEST(ToBinary, WritesNumericsInGroupsOfFourDigits) {
  const auto numeric = [](std::string_view text) { return bytes(oid::numeric, text); };
  EXPECT_EQ(numeric("0"), numeric_bytes(0, 0, 0, {}));
  EXPECT_EQ(numeric("-0.00"), numeric_bytes(0, 0, 2, {}));
  EXPECT_EQ(numeric("12345.678"), numeric_bytes(1, 0, 3, {1, 2345, 6780}));
  EXPECT_EQ(numeric("-00012.50"), numeric_bytes(0, negative_sign, 2, {12, 5000}));
  EXPECT_EQ(numeric("100000000"), numeric_bytes(2, 0, 0, {1}));
  EXPECT_EQ(numeric(".0001"), numeric_bytes(-1, 0, 4, {1}));
  EXPECT_EQ(numeric("+5."), numeric_bytes(0, 0, 0, {5}));
  EXPECT_EQ(numeric("1.5e3"), numeric_bytes(0, 0, 0, {1500}));
  EXPECT_EQ(numeric("15E-6"), numeric_bytes(-2, 0, 6, {1500}));
  EXPECT_EQ(numeric("1e+131071"), numeric_bytes(32'767, 0, 0, {1000}));
  EXPECT_EQ(numeric("NaN"), numeric_bytes(0, 0xc000, 0, {}));
  EXPECT_EQ(numeric("-Infinity"), numeric_bytes(0, 0xf000, 0, {}));
  EXPECT_EQ(bytes(oid::numeric, 0.1), numeric_bytes(-1, 0, 1, {1000}));
  EXPECT_EQ(bytes(oid::numeric, std::numeric_limits<double>::infinity()), numeric_bytes(0, 0xd000, 0, {}));
  EXPECT_EQ(bytes(oid::numeric, std::numeric_limits<std::uint64_t>::max()),
            numeric_bytes(4, 0, 0, {1844, 6744, 737, 955, 1615}));
}

TEST(ToBinary, RefusesTextThatIsNoNumeric) {
  for (const std::string_view bad :
       {"", "-", ".", "e5", "1e", "1e+", "1e+-5", "--1", "+-1", "1 ", "0x1", "1e5.0", "1.2.3", "1,5", "infinity",
        "1e1000001", "1e9223372036854775807", "1e-9223372036854775808", "1e-1000001"})
    EXPECT_EQ(bytes(oid::numeric, bad), "column 3 (c): it is not a decimal number") << bad;
  for (const std::string_view large : {"1e131072", "1e-16384", "1e999999"})
    EXPECT_EQ(bytes(oid::numeric, large), "column 3 (c): it has more digits than numeric can have") << large;
}

TEST(ToBinary, RoundsADoubleToAFloatWithinItsRange) {
  EXPECT_EQ(bytes(oid::float4, 0.1), be32(std::bit_cast<std::uint32_t>(0.1F)));
  EXPECT_EQ(bytes(oid::float4, 1e39), out_of_range);
  EXPECT_EQ(bytes(oid::float4, -1e39), out_of_range);
  EXPECT_EQ(bytes(oid::float4, 1e-60), out_of_range) << "it would be zero";
  EXPECT_EQ(bytes(oid::float4, 0.0), be32(0));
  EXPECT_EQ(bytes(oid::float4, std::numeric_limits<double>::infinity()), be32(0x7f800000));
  EXPECT_EQ(bytes(oid::float8, 1.5F), be64(std::bit_cast<std::uint64_t>(1.5)));
}

TEST(ToBinary, WritesTextAndBytesAsTheyAre) {
  EXPECT_EQ(field(column_of(oid::text, true), "a\xc3\xa9"), be32(3) + "a\xc3\xa9");
  EXPECT_EQ(field(column_of(oid::jsonb, true), "{}"), be32(3) + "\1{}");
  EXPECT_EQ(bytes(oid::bytea, std::vector{std::byte{0}, std::byte{0xff}}), raw("\0\xff"));
  EXPECT_EQ(bytes(oid::boolean, true), "\1");
  EXPECT_EQ(bytes(oid::uuid, sluice::uuid{}), std::string(16, '\0'));
}

TEST(ToBinary, CountsDatesAndTimesFrom2000) {
  EXPECT_EQ(bytes(oid::date, sys_days{year{2000} / 1 / 2}), be32(1));
  EXPECT_EQ(bytes(oid::date, year{1999} / 12 / 31), be32(0xffffffff));
  EXPECT_EQ(bytes(oid::date, sys_days::max()), be32(0x7fffffff)) << "infinity";
  EXPECT_EQ(bytes(oid::date, sys_days::min()), be32(0x80000000));
  EXPECT_EQ(bytes(oid::date, sys_days::max() - days{1}), out_of_range);
  EXPECT_EQ(bytes(oid::date, sys_days::min() + days{1}), out_of_range);
  EXPECT_EQ(bytes(oid::date, year{2023} / 2 / 29), "column 3 (c): there is no such date");
  EXPECT_EQ(bytes(oid::timestamptz, sys_days{year{2000} / 1 / 1} + 1us), be64(1));
  EXPECT_EQ(bytes(oid::timestamp, local_days{year{2000} / 1 / 1} - 1us), be64(~std::uint64_t{0}));
  EXPECT_EQ(bytes(oid::timestamptz, sys_time<microseconds>::max()), be64(0x7fffffff'ffffffff));
  EXPECT_EQ(bytes(oid::timestamptz, sys_time<microseconds>::min()), be64(0x80000000'00000000));
  EXPECT_EQ(bytes(oid::timestamptz, sys_time<microseconds>::min() + 1us), out_of_range);
}

TEST(ToBinary, WritesTimesOfDayAndIntervals) {
  EXPECT_EQ(bytes(oid::time, microseconds{24h}), be64(86'400'000'000));
  EXPECT_EQ(bytes(oid::time, microseconds{-1}), "column 3 (c): it is not a time of day");
  EXPECT_EQ(bytes(oid::time, microseconds{24h} + 1us), "column 3 (c): it is not a time of day");
  EXPECT_EQ(bytes(oid::timetz, sluice::time_with_zone{.since_midnight = 1us, .east_of_utc = 1h}),
            be64(1) + be32(static_cast<std::uint32_t>(-3'600)));
  EXPECT_EQ(bytes(oid::interval, sluice::interval{.months = 1, .days = -2, .time = 3us}),
            be64(3) + be32(0xfffffffe) + be32(1));
}

TEST(ToBinary, WritesArraysOfTheElementsOfTheirColumn) {
  written_column column = column_of(oid::int4_array);
  column.element = sluice::detail::binary_type{.oid = oid::int4};
  const std::string head = be32(oid::int4);
  EXPECT_EQ(field(column, std::vector<int>{}), be32(12) + be32(0) + be32(0) + head);
  EXPECT_EQ(field(column, std::vector<std::optional<int>>{7, std::nullopt}),
            be32(32) + be32(1) + be32(1) + head + be32(2) + be32(1) + be32(4) + be32(7) + be32(0xffffffff));
  EXPECT_EQ(field(column, std::vector<std::string>{"x"}),
            "column 3 (c) is of type t: an element of it cannot take text");
}

TEST(ToBinary, SaysWhatAColumnCannotTake) {
  const auto refusal = [](const auto& value) {
    const std::string message = field(column_of(oid::point), value);
    const std::string before = "column 3 (c) is of type t: it cannot take ";
    return message.starts_with(before) ? message.substr(before.size()) : message;
  };
  EXPECT_EQ(refusal(1), "an integer");
  EXPECT_EQ(refusal(true), "a bool");
  EXPECT_EQ(refusal(1.5), "a double");
  EXPECT_EQ(refusal(1.5F), "a float");
  EXPECT_EQ(refusal("x"), "text");
  EXPECT_EQ(refusal(std::vector<std::byte>{}), "bytes");
  EXPECT_EQ(refusal(std::vector<int>{}), "an array");
  EXPECT_EQ(refusal(sys_days{}), "a date");
  EXPECT_EQ(refusal(sys_seconds{}), "a point in time (std::chrono::sys_time)");
  EXPECT_EQ(refusal(local_seconds{}), "a local time (std::chrono::local_time)");
  EXPECT_EQ(refusal(sluice::interval{}), "an interval");
}

TEST(RowWriter, LeavesNothingOfARowThatIsRefused) {
  row_writer rows{{column_of(oid::int4), column_of(oid::int2)}};
  rows.add(1, 2);
  const std::string one = be16(2) + be32(4) + be32(1) + be32(2) + be16(2);
  EXPECT_EQ(as_text(rows.bytes()), one);
  EXPECT_THROW(rows.add(1, 100'000), sluice::error);
  EXPECT_THROW(rows.add(1), sluice::error);
  EXPECT_THROW(rows.add(1, 2, 3), sluice::error);
  EXPECT_EQ(as_text(rows.bytes()), one);
  EXPECT_EQ(rows.rows(), 1U);
  rows.add_each([](binary_place& place, std::size_t index) { place.write(static_cast<int>(index) + 1); });
  EXPECT_EQ(as_text(rows.bytes()), one + one);
}

}  // namespace
}  // namespace to_binary_test
