#pragma once
// Character classes, independent of the locale.

namespace sluice::detail {

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace sluice::detail
