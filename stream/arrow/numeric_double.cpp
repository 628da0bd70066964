#include "arrow/numeric_double.hpp"

#include <limits>
#include <string>
#include <system_error>

#include "rows/number_chars.hpp"

namespace sluice::detail {

std::optional<double> nearest_double(const numeric_value& number) {
  using limits = std::numeric_limits<double>;
  if (!number.is_good()) return std::nullopt;
  if (!number.is_finite()) {
    const std::string_view name = number.name();
    if (name.empty()) return std::nullopt;
    if (name == "NaN") return limits::quiet_NaN();
    return name.front() == '-' ? -limits::infinity() : limits::infinity();
  }
  std::string digits(number.longest(), '\0');
  const char* const end = number.write(digits.data());
  double value{};
  const auto [parsed, failed] = number_from_chars(digits.data(), end, value);
  if (failed == std::errc{}) return value;
  // Too small, or too large: the first digit that is not zero tells.
  const bool is_small = number.weight() < 0;
  return failed == std::errc::result_out_of_range && is_small ? std::optional{0.0} : std::nullopt;
}

}  // namespace sluice::detail
