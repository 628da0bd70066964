#pragma once
#include <string_view>

#include "json/text_buffer.hpp"

namespace sluice::detail {

/// Writes a text, which is UTF-8, as a string of JSON: in quotes, with quotes, backslashes and control characters
/// escaped as the server's `to_json` does it.
/// @see RFC 8259, section 7
void write_string(text_buffer& to, std::string_view text);

/// The same without the quotes around it.
void write_escaped(text_buffer& to, std::string_view text);

}  // namespace sluice::detail
