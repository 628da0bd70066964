#pragma once
/// @file
/// Decodes UTF-8 text character by character.
/// @see RFC 3629

#include <cstddef>
#include <string_view>

namespace sluice::proto {

struct utf8_character {
  char32_t code{};
  std::size_t size{1};  ///< in bytes
  bool is_valid{true};  ///< false: one byte that begins no character, and `code` is that byte
};

/// @pre `text` is not empty
[[nodiscard]] utf8_character first_character(std::string_view text) noexcept;

/// Whether this byte continues a character rather than beginning one.
[[nodiscard]] constexpr bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

}  // namespace sluice::proto
