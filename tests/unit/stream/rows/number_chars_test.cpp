// Reading floating-point numbers without std::from_chars gives what it gives.
#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <system_error>

#include "rows/number_chars.hpp"

namespace number_chars_test {
namespace {

using sluice::detail::from_chars_by_strtod;
using sluice::detail::number_from_chars;

template <class Float>
void expect_the_same(std::string_view text) {
  constexpr Float untouched = 42;
  Float read = untouched;
  Float expected = untouched;
  const char* const end = text.data() + text.size();
  const auto is = from_chars_by_strtod(text.data(), end, read);
  const auto should = number_from_chars(text.data(), end, expected);
  EXPECT_EQ(is.ec, should.ec) << text;
  EXPECT_EQ(is.ptr - text.data(), should.ptr - text.data()) << text;
  EXPECT_EQ(read, expected) << text;
}

TEST(NumberFromChars, IsTheSameByStrtod) {
  for (const std::string_view text : {"0",
                                      "-0",
                                      "1.5",
                                      "-12.5]",
                                      "1e3,",
                                      ".5",
                                      "5.",
                                      "1e",
                                      "1e+",
                                      "1.5e-3x",
                                      "",
                                      "x",
                                      "-",
                                      "+1",
                                      " 1",
                                      "e5",
                                      "0x10",
                                      "3.4028235e38",
                                      "3.5e38",
                                      "-3.5e38",
                                      "1e-45",
                                      "1e-46",
                                      "1.7976931348623157e308",
                                      "1.8e308",
                                      "-1e309",
                                      "5e-324",
                                      "2.2250738585072011e-308",
                                      "1e-400",
                                      "0.1",
                                      "123456789012345678901234567890"}) {
    expect_the_same<double>(text);
    expect_the_same<float>(text);
  }
}

TEST(NumberFromChars, IsTheSameByStrtodForDigitsAtRandom) {
  std::mt19937_64 random{7};  // NOLINT(cert-msc51-cpp): the same numbers each time
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = std::to_string(static_cast<std::int64_t>(random())) + '.' + std::to_string(random()) +
                             'e' + std::to_string(static_cast<int>(random() % 700) - 350);
    expect_the_same<double>(text);
    expect_the_same<float>(text);
  }
}

TEST(NumberFromChars, LeavesErrnoAsItWas) {
  errno = EDOM;
  double read{};
  const std::string_view large{"1e999"};
  EXPECT_EQ(from_chars_by_strtod(large.data(), large.data() + large.size(), read).ec, std::errc::result_out_of_range);
  EXPECT_EQ(errno, EDOM);
}

}  // namespace
}  // namespace number_chars_test
