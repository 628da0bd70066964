#pragma once
#include <string_view>

#include "json/text_buffer.hpp"

namespace sluice::detail {

/// Writes a text as a string of JSON: in quotes, with quotes, backslashes and control characters escaped as the
/// server's `to_json` does it.
/// @return false when the text is not UTF-8: what was written means nothing then
/// @see RFC 8259, section 7
[[nodiscard]] bool write_string(text_buffer& to, std::string_view text);

/// The same without the quotes around it.
[[nodiscard]] bool write_escaped(text_buffer& to, std::string_view text);

}  // namespace sluice::detail
