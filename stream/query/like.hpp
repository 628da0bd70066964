#pragma once
// LIKE on the client.

#include <string_view>

namespace sluice::detail {

/// Whether the whole `text`, which is UTF-8, is like `pattern`: `%` stands for any characters, `_` for one, and a
/// backslash makes the next character stand for itself.
/// @param ignore_case  of ASCII letters
[[nodiscard]] bool is_like(std::string_view text, std::string_view pattern, bool ignore_case) noexcept;

}  // namespace sluice::detail
