// Compares numbers in text form with all their digits.
#include <gtest/gtest.h>

#include <compare>
#include <cstdint>
#include <random>
#include <string>
#include <vector>
#include "rows/decimal.hpp"

namespace decimal_test {
namespace {

using sluice::detail::compare_decimal;

TEST(Decimal, IsEqualHoweverItIsWritten) {
  const std::vector<std::vector<std::string>> same{
      {"0", "-0", "0.0", "0e5", "-0.00e-7", "000"},  {"1", "+1", "1.0", "01", "10e-1", "0.1e1", "1E+0", "1000e-3"},
      {"-12.5", "-1.25e1", "-0125e-1", "-12.50"},    {"1e400", "10e399", "0.01e402"},
      {"1e1000000000001", "1e99999999999999999999"},  // exponents beyond the supported range are equal
  };
  for (const auto& group : same)
    for (const std::string& a : group)
      for (const std::string& b : group) EXPECT_EQ(compare_decimal(a, b), std::strong_ordering::equal) << a << ' ' << b;
}

TEST(Decimal, IsOrderedAsNumbersAre) {
  const std::vector<std::string> rising{"-1e400",
                                        "-10",
                                        "-9.99",
                                        "-1e-400",
                                        "0",
                                        "1e-401",
                                        "1e-400",
                                        "0.1",
                                        "0.11",
                                        "0.2",
                                        "9007199254740992",
                                        "9007199254740993",
                                        "9007199254740993.0000000000000000001",
                                        "1e16",
                                        "1e400",
                                        "2e400"};
  for (std::size_t i = 0; i < rising.size(); ++i)
    for (std::size_t j = 0; j < rising.size(); ++j)
      EXPECT_EQ(compare_decimal(rising[i], rising[j]), i <=> j) << rising[i] << ' ' << rising[j];
}

TEST(Decimal, AgreesWithIntegers) {
  std::mt19937_64 random{20240229};  // NOLINT(cert-msc51-cpp): the same numbers each time
  for (int i = 0; i < 100'000; ++i) {
    const auto shift = static_cast<unsigned>(random() % 60);
    const auto a = static_cast<std::int64_t>(random()) >> shift;
    const auto b = random() % 4 == 0 ? a : static_cast<std::int64_t>(random()) >> shift;
    ASSERT_EQ(compare_decimal(std::to_string(a), std::to_string(b)), a <=> b) << a << ' ' << b;
    const std::string scaled = std::to_string(b) + "000e-3";
    ASSERT_EQ(compare_decimal(std::to_string(a), scaled), a <=> b) << a << ' ' << scaled;
  }
}

}  // namespace
}  // namespace decimal_test
