// Numerics as decimals of 128 bits: exact, or refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "arrow/decimal128.hpp"
#include "bytes.hpp"
#include "numeric_bytes.hpp"

namespace decimal128_test {
namespace {

using sluice::detail::decimal_fit;
using sluice::detail::int128;
using sluice::detail::numeric_value;
using sluice::detail::to_decimal;
using sluice::detail::uint128;
using sluice::test::as_bytes;
using sluice::test::negative_sign;
using sluice::test::numeric_bytes;

std::string text_of(int128 value) {
  std::string digits;
  auto left = value < 0 ? -static_cast<uint128>(value) : static_cast<uint128>(value);
  do {
    digits += static_cast<char>('0' + static_cast<int>(left % 10));
    left /= 10;
  } while (left != 0);
  if (value < 0) digits += '-';
  std::ranges::reverse(digits);
  return digits;
}

std::string decimal(const std::string& bytes, int precision, int scale) {
  const numeric_value number{as_bytes(bytes)};
  int128 value = 0;
  switch (to_decimal(number, precision, scale, value)) {
    case decimal_fit::exact: return text_of(value);
    case decimal_fit::too_large: return "too large";
    case decimal_fit::too_precise: return "too precise";
  }
  return "?";
}

TEST(Decimal128, IsTheValueTimesAPowerOfTen) {
  const std::string price = numeric_bytes(0, 0, 2, {12, 5000});
  EXPECT_EQ(decimal(price, 10, 1), "125");
  EXPECT_EQ(decimal(price, 10, 2), "1250");
  EXPECT_EQ(decimal(price, 10, 6), "12500000");
  EXPECT_EQ(decimal(numeric_bytes(0, negative_sign, 2, {12, 5000}), 10, 2), "-1250");
  EXPECT_EQ(decimal(numeric_bytes(0, 0, 0, {}), 1, 0), "0");
  EXPECT_EQ(decimal(numeric_bytes(0, 0, 5, {}), 5, 5), "0");
  EXPECT_EQ(decimal(numeric_bytes(1, 0, 0, {1}), 5, 0), "10000") << "zeros at the end are not sent";
  EXPECT_EQ(decimal(numeric_bytes(-1, 0, 4, {1}), 4, 4), "1");
  EXPECT_EQ(decimal(numeric_bytes(-2, 0, 5, {1000}), 5, 5), "1");
}

TEST(Decimal128, HasNoOtherDigitsThanItsScale) {
  const std::string price = numeric_bytes(0, 0, 2, {12, 5000});
  EXPECT_EQ(decimal(price, 10, 0), "too precise");
  EXPECT_EQ(decimal(numeric_bytes(-2, 0, 8, {1}), 38, 7), "too precise");
  EXPECT_EQ(decimal(numeric_bytes(-2, 0, 8, {1}), 38, 0), "too precise");
  EXPECT_EQ(decimal(numeric_bytes(0, 0, 8, {1, 0, 1}), 38, 4), "too precise");
  EXPECT_EQ(decimal(numeric_bytes(0, 0, 8, {1, 0, 0}), 38, 0), "1") << "zeros are none";
}

TEST(Decimal128, HasNoMoreDigitsThanItsPrecision) {
  EXPECT_EQ(decimal(numeric_bytes(0, 0, 0, {999}), 3, 0), "999");
  EXPECT_EQ(decimal(numeric_bytes(0, 0, 0, {1000}), 3, 0), "too large");
  EXPECT_EQ(decimal(numeric_bytes(0, 0, 0, {10}), 3, 2), "too large");
  EXPECT_EQ(decimal(numeric_bytes(0, 0, 2, {9, 9900}), 3, 2), "999");
  EXPECT_EQ(decimal(numeric_bytes(1, 0, 0, {1}), 4, 0), "too large");
}

TEST(Decimal128, ReachesThirtyEightDigits) {
  const std::vector<std::uint32_t> nines{99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999};
  EXPECT_EQ(decimal(numeric_bytes(9, 0, 0, nines), 38, 0), std::string(38, '9'));
  EXPECT_EQ(decimal(numeric_bytes(9, negative_sign, 0, nines), 38, 0), '-' + std::string(38, '9'));
  EXPECT_EQ(decimal(numeric_bytes(9, 0, 0, {100}), 38, 0), "too large");
  EXPECT_EQ(decimal(numeric_bytes(9, 0, 0, nines), 38, 1), "too large");
  EXPECT_EQ(decimal(numeric_bytes(-1, 0, 38, {1}), 38, 38), '1' + std::string(34, '0'));
}

TEST(Decimal128, IsRefusedHoweverLargeTheNumberIs) {
  EXPECT_EQ(decimal(numeric_bytes(32'767, 0, 0, {1}), 38, 38), "too large");
  EXPECT_EQ(decimal(numeric_bytes(32'767, 0, 0, std::vector<std::uint32_t>(1'000, 9999)), 38, 0), "too large");
  EXPECT_EQ(decimal(numeric_bytes(-32'768, 0, 16'383, {1}), 38, 38), "too precise");
  EXPECT_EQ(decimal(numeric_bytes(32'767, 0, 0, {0}), 38, 38), "0");
}

}  // namespace
}  // namespace decimal128_test
