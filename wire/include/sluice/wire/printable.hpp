#pragma once
/// @file
/// Text of a server, made fit for a terminal and for a log of one line an entry.

#include <string>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice {

/// The same text, with `\xNN` for each byte of a control character (C0, DEL, C1), of a line or paragraph separator, of
/// a character that changes the direction of what follows (bidi), and for each byte that is not UTF-8. All other text
/// stays as it is, backslashes included.
/// @param special  ASCII characters that get a backslash in front
[[nodiscard]] SLUICE_API std::string printable(std::string_view text, std::string_view special = {});

}  // namespace sluice
