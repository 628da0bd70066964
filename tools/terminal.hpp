#pragma once
// Text of others on a terminal: what the terminal would obey, or show in another order, is escaped.
#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::tool {

// `printable`, with line breaks kept. A line that follows another is indented, so that it cannot pass for ours.
std::string printable_lines(std::string_view text);
// For documents: as JSON escapes it, so that a document stays the same value. Line feeds and tabs are kept.
std::string printable_document(std::string_view text);

// Characters of valid UTF-8.
std::size_t count_characters(std::string_view text) noexcept;

// `lead` and the text, on one line, with a caret under the character at `offset`, in bytes. A long text is shown around
// that place.
std::string with_caret(std::string_view lead, std::string_view text, std::size_t offset);

}  // namespace sluice::tool
