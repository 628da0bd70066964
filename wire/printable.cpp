#include <sluice/wire/printable.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice {

namespace {

struct character {
  char32_t code;
  std::size_t size;  // bytes; 0: this is not UTF-8
};

character first_of(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) -> std::uint32_t { return static_cast<unsigned char>(text[at]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size == 0 || text.size() < size) return {0, 0};
  std::uint32_t code = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {0, 0};
    code = code << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool is_valid = code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return {code, is_valid ? size : 0};
}

bool is_plain(char32_t code) noexcept {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
  const bool is_separator = code == 0x2028 || code == 0x2029;
  const bool is_bidi = code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
                       (code >= 0x2066 && code <= 0x2069);
  return !is_separator && !is_bidi;
}

}  // namespace

std::string printable(std::string_view text, std::string_view special) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const character next = first_of(text);
    if (next.size != 0 && is_plain(next.code)) {
      if (next.size == 1 && special.find(text[0]) != special.npos) safe += '\\';
      safe.append(text.substr(0, next.size));
      text.remove_prefix(next.size);
      continue;
    }
    const std::size_t bytes = next.size == 0 ? 1 : next.size;
    for (const char c : text.substr(0, bytes)) {
      const auto byte = static_cast<unsigned char>(c);
      safe.append("\\x").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
    }
    text.remove_prefix(bytes);
  }
  return safe;
}

}  // namespace sluice
