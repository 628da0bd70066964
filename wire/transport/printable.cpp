#include "transport/printable.hpp"

#include "auth/utf8.hpp"

namespace sluice {

bool is_control(char32_t code) noexcept {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

std::string printable(std::string_view text, std::string_view special) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string safe;
  safe.reserve(text.size());
  for (proto::utf8_character next; !text.empty(); text.remove_prefix(next.size)) {
    next = proto::first_character(text);
    if (next.is_valid && !is_control(next.code)) {
      if (special.find(text[0]) != special.npos) safe += '\\';
      safe += text.substr(0, next.size);
      continue;
    }
    for (const char c : text.substr(0, next.size)) {
      const auto byte = static_cast<unsigned char>(c);
      safe.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
    }
  }
  return safe;
}

}  // namespace sluice
