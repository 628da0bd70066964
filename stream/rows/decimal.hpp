#pragma once
// Compares numbers exactly in their decimal text, as numeric does: as doubles, different numbers would compare equal.

#include <compare>
#include <string_view>

namespace sluice::detail {

/// @param a, b  numbers as JSON writes them
[[nodiscard]] std::strong_ordering compare_decimal(std::string_view a, std::string_view b) noexcept;

}  // namespace sluice::detail
