#pragma once
// Numbers in their decimal text, compared exactly, as numeric does: a double would call different numbers equal.

#include <compare>
#include <string_view>

namespace sluice::detail {

/// @param a, b  numbers as JSON writes them
[[nodiscard]] std::strong_ordering compare_decimal(std::string_view a, std::string_view b) noexcept;

}  // namespace sluice::detail
