#pragma once
// A numeric as the nearest double.
#include <optional>

#include "json/numeric_value.hpp"

namespace sluice::detail {

/// @return nothing if it is beyond a double's range, or malformed
[[nodiscard]] std::optional<double> nearest_double(const numeric_value& number);

}  // namespace sluice::detail
