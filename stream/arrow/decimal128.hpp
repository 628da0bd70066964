#pragma once
// A numeric as a decimal of 128 bits.
#include <cstdint>

#include "json/numeric_value.hpp"

namespace sluice::detail {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

enum class decimal_fit : std::uint8_t {
  exact,
  too_large,   ///< more digits before the point than the precision allows
  too_precise  ///< other digits than zeros after those that the scale allows
};

/// The value times ten to the power of `scale`.
/// @pre `number` is good and finite, `precision` is at most 38
[[nodiscard]] decimal_fit to_decimal(const numeric_value& number, int precision, int scale, int128& into) noexcept;

}  // namespace sluice::detail
