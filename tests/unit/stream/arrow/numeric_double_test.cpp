// Numerics as doubles: the nearest one.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "arrow/numeric_double.hpp"
#include "bytes.hpp"
#include "numeric_bytes.hpp"

namespace numeric_double_test {
namespace {

using sluice::detail::numeric_value;
using sluice::test::as_bytes;
using sluice::test::negative_sign;
using sluice::test::numeric_bytes;

std::optional<double> nearest(const std::string& bytes) {
  return sluice::detail::nearest_double(numeric_value{as_bytes(bytes)});
}

TEST(NumericAsDouble, IsTheNearestOne) {
  EXPECT_EQ(nearest(numeric_bytes(0, 0, 0, {})), 0.0);
  EXPECT_EQ(nearest(numeric_bytes(-1, 0, 1, {1000})), 0.1);
  EXPECT_EQ(nearest(numeric_bytes(0, negative_sign, 2, {12, 5000})), -12.5);
  EXPECT_EQ(nearest(numeric_bytes(3, 0, 0, {9007, 1992, 5474, 993})), 9'007'199'254'740'992.0) << "the even one";
  EXPECT_EQ(nearest(numeric_bytes(3, 0, 20, {9007, 1992, 5474, 993, 0, 0, 0, 0, 1})), 9'007'199'254'740'994.0);
  EXPECT_EQ(nearest(numeric_bytes(-1, 0, 30, {3333, 3333, 3333, 3333, 3333, 3333, 3333, 3300})), 1.0 / 3);
}

TEST(NumericAsDouble, ReachesTheExtremes) {
  EXPECT_EQ(nearest(numeric_bytes(76, 0, 0, {1})), 1e304);
  EXPECT_EQ(nearest(numeric_bytes(76, negative_sign, 0, {9999})), -9.999e307);
  EXPECT_EQ(nearest(numeric_bytes(-81, 0, 324, {5})), std::numeric_limits<double>::denorm_min());
}

TEST(NumericAsDouble, IsZeroBelowThem) {
  EXPECT_EQ(nearest(numeric_bytes(-100, 0, 400, {1})), 0.0);
  EXPECT_EQ(nearest(numeric_bytes(-4'000, negative_sign, 16'000, {1})), 0.0);
}

TEST(NumericAsDouble, IsNoneBeyondThem) {
  EXPECT_EQ(nearest(numeric_bytes(77, 0, 0, {10})), std::nullopt);
  EXPECT_EQ(nearest(numeric_bytes(32'767, negative_sign, 0, {1})), std::nullopt);
}

TEST(NumericAsDouble, HasWhatIsNotFinite) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(nearest(numeric_bytes(0, 0xc000, 0, {})).value_or(0)));
  EXPECT_EQ(nearest(numeric_bytes(0, 0xd000, 0, {})), infinity);
  EXPECT_EQ(nearest(numeric_bytes(0, 0xf000, 0, {})), -infinity);
}

TEST(NumericAsDouble, IsNoneOfBytesThatAreMalformed) {
  for (const std::string& bad :
       {std::string{}, numeric_bytes(0, 0, 0, {7}).substr(1), numeric_bytes(0, 0, 0, {7}) + 'x',
        numeric_bytes(0, 0x8000, 0, {7}), numeric_bytes(0, 0, 0x4000, {7})})
    EXPECT_EQ(nearest(bad), std::nullopt);
}

}  // namespace
}  // namespace numeric_double_test
