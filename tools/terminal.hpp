#pragma once
// Foreign text on a terminal: anything the terminal would obey, or display in another order, is escaped.
#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::tool {

// `printable`, with line breaks kept. Continuation lines are indented, so that they cannot pass for our own.
std::string printable_lines(std::string_view text);
// For documents: uses JSON escapes, so that a document keeps its value. Line feeds and tabs are kept.
std::string printable_document(std::string_view text);

// The number of characters in valid UTF-8.
std::size_t count_characters(std::string_view text) noexcept;

// `lead` and the text, on one line, with a caret under the character at `offset`, in bytes. Long text is cut to the
// part around that place.
std::string with_caret(std::string_view lead, std::string_view text, std::size_t offset);

}  // namespace sluice::tool
