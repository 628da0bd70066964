#pragma once
/// @file
/// Makes text from a server safe for a terminal and for a log with one line per entry.

#include <string>
#include <string_view>

namespace sluice {

/// Whether a terminal would act on this character or reorder the text after it: control characters (C0, DEL, C1),
/// Unicode's line and paragraph separators, and characters that change the writing direction.
[[nodiscard]] bool is_control(char32_t code) noexcept;

/// The same text, with `\xNN` for each byte of such a character and for each byte that is not valid UTF-8. All other
/// text is unchanged, backslashes included.
/// @param special  ASCII characters to escape with a backslash
[[nodiscard]] std::string printable(std::string_view text, std::string_view special = {});

}  // namespace sluice
