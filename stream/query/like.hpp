#pragma once
// LIKE on the client.

#include <string_view>

namespace sluice::detail {

/// Whether the whole of `text`, which is UTF-8, matches `pattern`: `%` stands for any sequence of characters, `_` for
/// one character, and a backslash makes the next character literal.
/// @param ignore_case  for ASCII letters
[[nodiscard]] bool is_like(std::string_view text, std::string_view pattern, bool ignore_case) noexcept;

}  // namespace sluice::detail
