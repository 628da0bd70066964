#pragma once
/// @file
/// Text of a server, made fit for a terminal and for a log of one line an entry.

#include <string>
#include <string_view>

namespace sluice {

/// Whether a terminal would obey this character, or show what follows in another order: control characters (C0, DEL,
/// C1), Unicode's line and paragraph separators, and characters that change the direction of writing.
[[nodiscard]] bool is_control(char32_t code) noexcept;

/// The same text, with `\xNN` for each byte of such a character, and for each byte that is not UTF-8. All other text
/// stays as it is, backslashes included.
/// @param special  ASCII characters that get a backslash in front
[[nodiscard]] std::string printable(std::string_view text, std::string_view special = {});

}  // namespace sluice
