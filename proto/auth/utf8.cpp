#include "auth/utf8.hpp"

#include <array>

namespace sluice::proto {

utf8_character first_character(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {.code = lead};
  const std::size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  bool is_valid = lead >= 0xc2 && lead <= 0xf4 && text.size() >= size;
  char32_t code = lead & (0x7fU >> size);
  for (std::size_t i = 1; is_valid && i < size; ++i) {
    is_valid = is_continuation(text[i]);
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  static constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  is_valid = is_valid && code >= smallest[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  if (!is_valid) return {.code = lead, .is_valid = false};
  return {.code = code, .size = size};
}

}  // namespace sluice::proto
