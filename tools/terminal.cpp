#include "terminal.hpp"

#include <algorithm>

#include "auth/utf8.hpp"
#include "transport/printable.hpp"

namespace sluice::tool {

std::string printable_lines(std::string_view text) {
  std::string lines;
  for (;;) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines += printable(text.substr(0, end));
    if (end == text.size()) return lines;
    text.remove_prefix(end + 1);
    lines += text.starts_with("  ") ? "\n" : "\n  ";
  }
}

std::string printable_document(std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string safe;
  safe.reserve(text.size());
  for (proto::utf8_character next; !text.empty(); text.remove_prefix(next.size)) {
    next = proto::first_character(text);
    const bool is_kept = text.front() == '\n' || text.front() == '\t';
    if (next.is_valid && (is_kept || !is_control(next.code))) {
      safe += text.substr(0, next.size);
      continue;
    }
    safe += next.is_valid ? "\\u" : "\\x";
    for (unsigned shift = next.is_valid ? 16 : 8; shift > 0;) safe += hex[(next.code >> (shift -= 4)) & 15U];
  }
  return safe;
}

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !proto::is_continuation(c); }));
}

std::string with_caret(std::string_view lead, std::string_view text, std::size_t offset) {
  constexpr std::size_t most_before = 40;
  constexpr std::size_t most_after = 30;
  std::size_t begin = offset;
  for (std::size_t passed = 0; begin > 0 && passed < most_before; --begin)
    passed += proto::is_continuation(text[begin - 1]) ? 0U : 1U;
  std::size_t end = offset;
  for (std::size_t passed = 0; end < text.size(); ++end)
    if (!proto::is_continuation(text[end]) && ++passed > most_after) break;
  const std::string before = (begin == 0 ? "" : "...") + printable(text.substr(begin, offset - begin));
  const std::string after = printable(text.substr(offset, end - offset)) + (end == text.size() ? "" : "...");
  return std::string{lead} + before + after + '\n' + std::string(lead.size() + count_characters(before), ' ') + '^';
}

}  // namespace sluice::tool
