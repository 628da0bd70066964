// Floating-point numbers as the server writes them: tests/integration/value_json_test.cpp compares many more with it.
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "backend.hpp"
#include "json/value_writers.hpp"
#include "json_written.hpp"

namespace float_json_test {
namespace {

using namespace sluice::detail;
using sluice::test::be32;
using sluice::test::be64;
using sluice::test::written_by;

std::string from(double number) { return written_by(write_float8, be64(std::bit_cast<std::uint64_t>(number))); }
std::string from(float number) { return written_by(write_float4, be32(std::bit_cast<std::uint32_t>(number))); }

struct floating {
  double number;
  const char* text;
};
struct floating_4 {
  float number;
  const char* text;
};

TEST(FloatInJson, HasAnExponentOnlyBelowAndBeyondFifteenDigits) {
  for (const auto& [number, text] : {floating{0.0, "0"},
                                     {-0.0, "-0"},
                                     {1, "1"},
                                     {-1.5, "-1.5"},
                                     {0.1, "0.1"},
                                     {0.3, "0.3"},
                                     {19.99, "19.99"},
                                     {12345.6789, "12345.6789"},
                                     {1.0 / 3, "0.3333333333333333"},
                                     {100.0 / 3, "33.333333333333336"},
                                     {0.0001, "0.0001"},
                                     {0.00012345, "0.00012345"},
                                     {0.00001, "1e-05"},
                                     {0.000012345, "1.2345e-05"},
                                     {999'999'999'999'999, "999999999999999"},
                                     {99'999'999'999'999.98, "99999999999999.98"},
                                     {1e14, "100000000000000"},
                                     {1e15, "1e+15"},
                                     {1'234'567'890'123'456, "1.234567890123456e+15"},
                                     {1e22, "1e+22"},
                                     {1e100, "1e+100"},
                                     {-1e-100, "-1e-100"},
                                     {9'007'199'254'740'993.0, "9.007199254740992e+15"}})
    EXPECT_EQ(from(number), text);
}

TEST(FloatInJson, OfSinglePrecisionHasAnExponentBeyondSixDigits) {
  for (const auto& [number, text] : {floating_4{0.0F, "0"},
                                     {-0.0F, "-0"},
                                     {0.1F, "0.1"},
                                     {-19.99F, "-19.99"},
                                     {123456.0F, "123456"},
                                     {999999.0F, "999999"},
                                     {1e6F, "1e+06"},
                                     {1234567.0F, "1.234567e+06"},
                                     {0.0001F, "0.0001"},
                                     {0.00001F, "1e-05"},
                                     {16'777'216.0F, "1.6777216e+07"},
                                     {std::numeric_limits<float>::max(), "3.4028235e+38"},
                                     {std::numeric_limits<float>::min(), "1.1754944e-38"},
                                     {std::numeric_limits<float>::denorm_min(), "1e-45"}})
    EXPECT_EQ(from(number), text);
}

TEST(FloatInJson, MayBeAnExtreme) {
  EXPECT_EQ(from(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(from(std::numeric_limits<double>::lowest()), "-1.7976931348623157e+308");
  EXPECT_EQ(from(std::numeric_limits<double>::min()), "2.2250738585072014e-308");
  EXPECT_EQ(from(std::numeric_limits<double>::denorm_min()), "5e-324");
}

TEST(FloatInJson, IsAStringWhereJsonHasNoNumber) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(from(infinity), R"("Infinity")");
  EXPECT_EQ(from(-infinity), R"("-Infinity")");
  EXPECT_EQ(from(std::numeric_limits<double>::quiet_NaN()), R"("NaN")");
  EXPECT_EQ(from(-std::numeric_limits<double>::quiet_NaN()), R"("NaN")") << "a NaN has no sign";
  EXPECT_EQ(from(-std::numeric_limits<float>::infinity()), R"("-Infinity")");
  EXPECT_EQ(from(std::numeric_limits<float>::quiet_NaN()), R"("NaN")");
}

TEST(FloatInJson, IsNeverWrittenAsATie) {
  // The shortest digits, 3.355853e+07 and 1.801439850948201e+16, lie half way to a neighbour.
  EXPECT_EQ(from(33'558'528.0F), "3.3558528e+07");
  EXPECT_EQ(from(33'574'912.0F), "3.3574912e+07");
  EXPECT_EQ(from(18'014'398'509'482'008.0), "1.8014398509482008e+16");
  EXPECT_EQ(from(-18'014'398'509'482'008.0), "-1.8014398509482008e+16");
}

TEST(FloatInJson, ReadsBackAsTheSameNumber) {
  std::mt19937_64 random{20240229};  // NOLINT(cert-msc51-cpp): the same numbers each time
  const auto check = [](double number) {
    const std::string text = from(number);
    double read{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
    ASSERT_EQ(error, std::errc{}) << text;
    ASSERT_EQ(end, text.data() + text.size()) << text;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(read), std::bit_cast<std::uint64_t>(number)) << text;
  };
  for (int i = 0; i < 50'000; ++i) {
    if (const auto any = std::bit_cast<double>(random()); std::isfinite(any)) check(any);
    // Of few digits, which have a way of their own.
    check(static_cast<double>(random() % 1'000'000'000) / std::pow(10, static_cast<double>(random() % 8)));
  }
}

TEST(FloatInJson, HasTheSizeOfItsType) {
  for (const std::size_t size : {0U, 3U, 4U, 7U, 9U, 16U})
    EXPECT_EQ(written_by(write_float8, std::string(size, '\1')), "refused") << size;
  for (const std::size_t size : {0U, 3U, 5U, 8U})
    EXPECT_EQ(written_by(write_float4, std::string(size, '\1')), "refused") << size;
}

}  // namespace
}  // namespace float_json_test
