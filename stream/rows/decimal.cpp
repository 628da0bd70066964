#include "rows/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace sluice::detail {

namespace {

/// Digits without leading zeros, and the position of the point: 0.DIGITS times ten to the power of `magnitude`.
struct decimal {
  bool negative{};
  std::string_view whole;
  std::string_view fraction;
  std::int64_t magnitude{};

  explicit decimal(std::string_view text) noexcept {
    negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const std::size_t e = std::min(text.find_first_of("eE"), text.size());
    std::int64_t exponent = 0;
    if (e < text.size()) {
      std::string_view power = text.substr(e + 1);
      if (power.starts_with('+')) power.remove_prefix(1);
      const auto [end, failed] = std::from_chars(power.data(), power.data() + power.size(), exponent);
      if (failed == std::errc::result_out_of_range) exponent = power.starts_with('-') ? -far : far;
      exponent = std::clamp(exponent, -far, far);
    }
    const std::string_view digits = text.substr(0, e);
    const std::size_t point = std::min(digits.find('.'), digits.size());
    whole = digits.substr(0, point);
    fraction = point < digits.size() ? digits.substr(point + 1) : std::string_view{};
    whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
    magnitude = static_cast<std::int64_t>(whole.size()) + exponent;
    if (whole.empty()) {
      const std::size_t zeros = std::min(fraction.find_first_not_of('0'), fraction.size());
      fraction.remove_prefix(zeros);
      magnitude -= static_cast<std::int64_t>(zeros);
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return whole.size() + fraction.size(); }
  [[nodiscard]] char digit(std::size_t i) const noexcept {
    if (i < whole.size()) return whole[i];
    return i < size() ? fraction[i - whole.size()] : '0';
  }
  [[nodiscard]] bool is_zero() const noexcept {
    return whole.find_first_not_of('0') == whole.npos && fraction.find_first_not_of('0') == fraction.npos;
  }

  static constexpr std::int64_t far = 1'000'000'000'000;
};

std::strong_ordering compare_sizes(const decimal& a, const decimal& b) noexcept {
  if (a.magnitude != b.magnitude) return a.magnitude <=> b.magnitude;
  const std::size_t size = std::max(a.size(), b.size());
  for (std::size_t i = 0; i < size; ++i)
    if (a.digit(i) != b.digit(i)) return a.digit(i) <=> b.digit(i);
  return std::strong_ordering::equal;
}

}  // namespace

std::strong_ordering compare_decimal(std::string_view left, std::string_view right) noexcept {
  const decimal a{left};
  const decimal b{right};
  const int a_sign = a.is_zero() ? 0 : a.negative ? -1 : 1;
  const int b_sign = b.is_zero() ? 0 : b.negative ? -1 : 1;
  if (a_sign != b_sign) return a_sign <=> b_sign;
  if (a_sign == 0) return std::strong_ordering::equal;
  return a_sign > 0 ? compare_sizes(a, b) : compare_sizes(b, a);
}

}  // namespace sluice::detail
