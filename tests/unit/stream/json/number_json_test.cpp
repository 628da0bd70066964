// Booleans, integers and numerics in the binary format as JSON.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "backend.hpp"
#include "json/value_writers.hpp"
#include "json_written.hpp"
#include "numeric_bytes.hpp"

namespace number_json_test {
namespace {

using namespace sluice::detail;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::be64;
using sluice::test::negative_sign;
using sluice::test::numeric_bytes;
using sluice::test::raw;
using sluice::test::written_by;

template <class Integer>
using extremes = std::numeric_limits<Integer>;

TEST(BooleanInJson, IsOneByte) {
  EXPECT_EQ(written_by(write_bool, raw("\0")), "false");
  EXPECT_EQ(written_by(write_bool, "\1"), "true");
  EXPECT_EQ(written_by(write_bool, "\xff"), "true") << "as the server reads it";
  EXPECT_EQ(written_by(write_bool, ""), "refused");
  EXPECT_EQ(written_by(write_bool, raw("\1\0")), "refused");
}

TEST(IntegerInJson, ReachesItsExtremes) {
  const auto from = [](std::int64_t number) {
    return written_by(write_int8, be64(static_cast<std::uint64_t>(number)));
  };
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{9}, std::int64_t{10}, std::int64_t{-99}, std::int64_t{100}, std::int64_t{9'999},
        std::int64_t{10'000}, std::int64_t{-99'999'999}, std::int64_t{100'000'000}, std::int64_t{9'999'999'999'999'999},
        std::int64_t{10'000'000'000'000'000}, extremes<std::int64_t>::max(), extremes<std::int64_t>::min()})
    EXPECT_EQ(from(number), std::to_string(number));
  EXPECT_EQ(written_by(write_int4, be32(0x80000000)), "-2147483648");
  EXPECT_EQ(written_by(write_int4, be32(0x7fffffff)), "2147483647");
  EXPECT_EQ(written_by(write_int2, be16(0x8000)), "-32768");
  EXPECT_EQ(written_by(write_int2, be16(0xffff)), "-1");
}

TEST(IntegerInJson, HasTheSizeOfItsType) {
  for (const std::size_t size : {0U, 1U, 3U, 5U, 7U, 9U}) {
    const std::string bytes(size, '\0');
    EXPECT_EQ(written_by(write_int2, bytes), "refused") << size;
    EXPECT_EQ(written_by(write_int4, bytes), "refused") << size;
    EXPECT_EQ(written_by(write_int8, bytes), "refused") << size;
    EXPECT_EQ(written_by(write_object_id, bytes), "refused") << size;
  }
}

TEST(ObjectIdInJson, IsAStringWithoutASign) {
  EXPECT_EQ(written_by(write_object_id, be32(0)), R"("0")");
  EXPECT_EQ(written_by(write_object_id, be32(0xffffffff)), R"("4294967295")");
}

std::string from(const std::string& bytes) {
  return written_by([](auto& to, auto value) { return write_numeric(to, value); }, bytes);
}

TEST(NumericInJson, HasAllItsDigits) {
  EXPECT_EQ(from(numeric_bytes(0, 0, 0, {})), "0");
  EXPECT_EQ(from(numeric_bytes(0, 0, 2, {})), "0.00");
  EXPECT_EQ(from(numeric_bytes(0, 0, 0, {7})), "7");
  EXPECT_EQ(from(numeric_bytes(0, negative_sign, 2, {12, 5000})), "-12.50");
  EXPECT_EQ(from(numeric_bytes(1, 0, 0, {1, 2})), "10002");
  EXPECT_EQ(from(numeric_bytes(2, 0, 0, {123, 4567, 8901})), "12345678901");
  EXPECT_EQ(from(numeric_bytes(2, 0, 0, {1})), "100000000") << "zeros at the end are not sent";
  EXPECT_EQ(from(numeric_bytes(-1, 0, 4, {1})), "0.0001");
  EXPECT_EQ(from(numeric_bytes(-1, 0, 3, {1230})), "0.123");
  EXPECT_EQ(from(numeric_bytes(-3, negative_sign, 12, {1})), "-0.000000000001") << "nor are zeros after the point";
  EXPECT_EQ(from(numeric_bytes(0, 0, 9, {1, 2345, 6789, 1000})), "1.234567891");
  EXPECT_EQ(from(numeric_bytes(0, 0, 2, {1, 2345})), "1.23") << "digits beyond the scale are not shown";
}

TEST(NumericInJson, MayHaveManyDigits) {
  EXPECT_EQ(from(numeric_bytes(32'767, 0, 0, {9})), '9' + std::string(131'068, '0'));
  EXPECT_EQ(from(numeric_bytes(0, 0, 16'383, {1})), "1." + std::string(16'383, '0'));
}

TEST(NumericInJson, IsAStringWhereJsonHasNoNumber) {
  EXPECT_EQ(from(numeric_bytes(0, 0xc000, 0, {})), R"("NaN")");
  EXPECT_EQ(from(numeric_bytes(0, 0xd000, 0, {})), R"("Infinity")");
  EXPECT_EQ(from(numeric_bytes(0, 0xf000, 0, {})), R"("-Infinity")");
}

TEST(NumericInJson, IsRefusedWithAnotherSignOrSize) {
  const std::string good = numeric_bytes(0, 0, 0, {7});
  EXPECT_EQ(from(numeric_bytes(0, 0x8000, 0, {7})), "refused");
  EXPECT_EQ(from(numeric_bytes(0, 1, 0, {7})), "refused");
  EXPECT_EQ(from(numeric_bytes(0, 0, 0x4000, {7})), "refused") << "more decimals than the server has";
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_EQ(from(good.substr(0, size)), "refused") << size;
  EXPECT_EQ(from(good + '\0'), "refused");
  EXPECT_EQ(from(be16(0xffff) + good.substr(2)), "refused");
}

TEST(NumericInJson, WritesNoMoreThanFourDigitsOfAGroup) {
  EXPECT_EQ(from(numeric_bytes(1, 0, 0, {0xffff, 0xffff})), "99999999");
}

}  // namespace
}  // namespace number_json_test
