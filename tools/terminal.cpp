#include "terminal.hpp"

#include <algorithm>
#include <array>

namespace sluice::tool {

namespace {

void append_hex(std::string& to, char32_t code, int digits) {
  static constexpr std::string_view hex = "0123456789abcdef";
  while (digits-- > 0) to += hex[(code >> (4 * static_cast<unsigned>(digits))) & 15U];
}

/// @param kept   control characters that stay as they are
/// @param short_hex  \x1b for what is one byte, not \u001b
std::string escaped(std::string_view text, std::string_view kept, bool short_hex) {
  std::string safe;
  safe.reserve(text.size());
  for (character next; !text.empty(); text.remove_prefix(next.size)) {
    next = first_character(text);
    const bool is_kept = next.size == 1 && kept.find(text.front()) != kept.npos;
    if (next.is_utf8 && (is_kept || !is_control(next.code))) {
      safe += text.substr(0, next.size);
    } else if (!next.is_utf8 || (short_hex && next.size == 1)) {
      append_hex(safe += "\\x", next.code, 2);
    } else {
      append_hex(safe += "\\u", next.code, 4);
    }
  }
  return safe;
}

}  // namespace

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

character first_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {.code = first};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  static constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  bool is_good = first >= 0xc2 && first <= 0xf4 && text.size() >= size;
  char32_t code = first & (0xffU >> (size + 1));
  for (std::size_t i = 1; is_good && i < size; ++i) {
    is_good = is_continuation(text[i]);
    code = code << 6U | (byte(i) & 0x3fU);
  }
  is_good = is_good && code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  if (!is_good) return {.code = first, .is_utf8 = false};
  return {.size = size, .code = code};
}

bool is_control(char32_t code) noexcept {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

std::string printable(std::string_view text) { return escaped(text, "", true); }

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

std::string printable_document(std::string_view text) { return escaped(text, "\n\t", false); }

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

std::string with_caret(std::string_view lead, std::string_view text, std::size_t offset) {
  constexpr std::size_t most_before = 40;
  constexpr std::size_t most_after = 30;
  std::size_t begin = offset;
  for (std::size_t passed = 0; begin > 0 && passed < most_before; --begin)
    passed += is_continuation(text[begin - 1]) ? 0U : 1U;
  std::size_t end = offset;
  for (std::size_t passed = 0; end < text.size(); ++end)
    if (!is_continuation(text[end]) && ++passed > most_after) break;
  const std::string before = (begin == 0 ? "" : "...") + printable(text.substr(begin, offset - begin));
  const std::string after = printable(text.substr(offset, end - offset)) + (end == text.size() ? "" : "...");
  return std::string{lead} + before + after + '\n' + std::string(lead.size() + count_characters(before), ' ') + '^';
}

}  // namespace sluice::tool
