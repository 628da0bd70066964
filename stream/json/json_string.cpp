#include "json/json_string.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace sluice::detail {

namespace {

constexpr std::size_t step = 8;

/// How many of eight bytes stand before the first that has to be escaped; 8: all of them.
std::size_t plain_bytes(const char* at) noexcept {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, step);
  if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t high_bits = 0x80U * ones;
  const auto zeros = [](std::uint64_t each) { return (each - ones) & ~each & high_bits; };
  const std::uint64_t below_space = (bytes - ' ' * ones) & ~bytes & high_bits;
  // Borrows make false marks, but none below the first true one.
  const std::uint64_t marks = below_space | zeros(bytes ^ ('"' * ones)) | zeros(bytes ^ ('\\' * ones));
  return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
}

bool is_plain(char c) noexcept { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

char* escape(char* to, char c) noexcept {
  constexpr std::string_view digits{"0123456789abcdef"};
  *to++ = '\\';
  switch (c) {
    case '"':
    case '\\': *to++ = c; return to;
    case '\b': *to++ = 'b'; return to;
    case '\f': *to++ = 'f'; return to;
    case '\n': *to++ = 'n'; return to;
    case '\r': *to++ = 'r'; return to;
    case '\t': *to++ = 't'; return to;
    default: break;
  }
  const auto code = static_cast<unsigned char>(c);
  std::memcpy(to, "u00", 3);
  to[3] = digits[code >> 4U];
  to[4] = digits[code & 15U];
  return to + 5;
}

/// @param to  has room for six bytes per character, and eight more
char* escaped(char* to, std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (end - at >= static_cast<std::ptrdiff_t>(step)) {
    std::memcpy(to, at, step);
    const std::size_t plain = plain_bytes(at);
    to += plain;
    at += plain;
    if (plain != step) to = escape(to, *at++);
  }
  for (; at != end; ++at) {
    if (is_plain(*at))
      *to++ = *at;
    else
      to = escape(to, *at);
  }
  return to;
}

}  // namespace

void write_escaped(text_buffer& to, std::string_view text) {
  constexpr std::size_t longest = 6;
  constexpr std::size_t piece = 4096;  // so that long texts do not need six times their room
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const std::string_view part = text.substr(at, piece);
    to.wrote(escaped(to.room(longest * part.size() + step), part));
  }
}

void write_string(text_buffer& to, std::string_view text) {
  to.add('"');
  write_escaped(to, text);
  to.add('"');
}

}  // namespace sluice::detail
