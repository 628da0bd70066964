#pragma once
// Characters, independent of the locale.
#include <algorithm>
#include <string_view>

namespace sluice::detail {

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Whether it is `lower`, which has no capital letters, in whatever case it is written.
[[nodiscard]] constexpr bool is_in_any_case(std::string_view text, std::string_view lower) noexcept {
  return text.size() == lower.size() && std::ranges::equal(text, lower, {}, [](char c) {
           return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
         });
}

}  // namespace sluice::detail
