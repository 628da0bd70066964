#include "arrow/decimal128.hpp"

#include <algorithm>
#include <array>

namespace sluice::detail {

namespace {

constexpr std::array<uint128, 39> powers_of_ten = [] {
  std::array<uint128, 39> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

uint128 power_of_ten(int exponent) noexcept { return powers_of_ten[static_cast<std::size_t>(exponent)]; }

}  // namespace

decimal_fit to_decimal(const numeric_value& number, int precision, int scale, int128& into) noexcept {
  constexpr int group = 4;
  const uint128 limit = power_of_ten(precision);  // exclusive
  // Whether so many more decimal digits leave it below the limit. A division of 128 bits would cost more than the rest.
  const auto has_room_for = [precision](uint128 sum, int digits) {
    return sum < power_of_ten(std::max(precision - digits, 0));
  };
  const int last = number.weight() - number.count() + 1;
  uint128 sum = 0;
  // Of a digit of base 10,000 with this weight, so many decimal digits are kept: all, some or none.
  for (int i = 0; i < number.count(); ++i) {
    const std::uint32_t digit = number.digit(i);
    const int kept = group * (number.weight() - i) + scale + group;
    if (kept < group) {  // the last that is kept
      const int dropped = kept <= 0 ? group : group - kept;
      const auto unit = static_cast<std::uint32_t>(power_of_ten(dropped));
      if (digit % unit != 0) return decimal_fit::too_precise;
      if (kept <= 0) continue;
      if (!has_room_for(sum, kept)) return decimal_fit::too_large;
      sum = sum * power_of_ten(kept) + digit / unit;
    } else {
      if (!has_room_for(sum, group)) return decimal_fit::too_large;
      sum = sum * numeric_value::base + digit;
    }
    if (sum >= limit) return decimal_fit::too_large;
  }
  const int missing = number.count() == 0 ? 0 : group * last + scale;  // zeros that are not sent
  if (missing > 0 && sum != 0) {
    if (missing >= static_cast<int>(powers_of_ten.size())) return decimal_fit::too_large;
    if (!has_room_for(sum, missing)) return decimal_fit::too_large;
    sum *= power_of_ten(missing);
  }
  into = number.is_negative() ? -static_cast<int128>(sum) : static_cast<int128>(sum);
  return decimal_fit::exact;
}

}  // namespace sluice::detail
