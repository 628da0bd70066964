#include "json/json_string.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <simdjson.h>

#include "json/plain_bytes.hpp"

namespace sluice::detail {

namespace {

constexpr std::size_t word_size = 8;
constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080U;  // set in bytes that are not ASCII

/// Between the byte order of this machine and the one where the first byte is the lowest.
template <class Unsigned>
Unsigned in_little_endian(Unsigned bytes) noexcept {
  if constexpr (std::endian::native == std::endian::little)
    return bytes;
  else if constexpr (sizeof bytes == 4)
    return __builtin_bswap32(bytes);
  else
    return __builtin_bswap64(bytes);
}

/// The first byte becomes the lowest one.
template <class Unsigned>
Unsigned load_little(const char* at) noexcept {
  Unsigned bytes{};
  std::memcpy(&bytes, at, sizeof bytes);
  return in_little_endian(bytes);
}

#ifdef __SSE2__
constexpr std::size_t step_size = 16;

/// How many of sixteen bytes come before the first that has to be escaped.
std::size_t plain_of_16_bytes(__m128i bytes) noexcept {
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const int marks = _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)));
  return static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(marks) | 1U << step_size));
}

/// Copies sixteen bytes, and counts the plain ones before the first of the others.
/// @param beyond_ascii  gets a bit if one of the bytes is not ASCII
std::size_t copy_plain(char* to, const char* at, std::uint64_t& beyond_ascii) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  beyond_ascii |= static_cast<unsigned>(_mm_movemask_epi8(bytes));
  return plain_of_16_bytes(bytes);
}

/// Copies eight to sixteen bytes as two words, which may overlap.
/// @return whether all of them are plain; if not, copying them means nothing
bool copy_if_plain(char* to, const char* at, std::size_t size, std::uint64_t& beyond_ascii) noexcept {
  const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
  const __m128i last = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at + size - word_size));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), first);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to + size - word_size), last);
  const __m128i both = _mm_unpacklo_epi64(first, last);
  beyond_ascii |= static_cast<unsigned>(_mm_movemask_epi8(both));
  return plain_of_16_bytes(both) == step_size;
}
#else
constexpr std::size_t step_size = word_size;

std::size_t copy_plain(char* to, const char* at, std::uint64_t& beyond_ascii) noexcept {
  std::memcpy(to, at, step_size);
  const auto bytes = load_little<std::uint64_t>(at);
  beyond_ascii |= bytes & high_bits;
  return plain_bytes(bytes);
}

bool copy_if_plain(char* /*to*/, const char* /*at*/, std::size_t /*size*/, std::uint64_t& /*beyond_ascii*/) noexcept {
  return false;
}
#endif

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
  for (const char each : {'u', '0', '0', digits[code >> 4U], digits[code & 15U]}) *to++ = each;
  return to;
}

/// One to seven bytes as the lowest ones of a word, in at most three loads.
std::uint64_t load_few(const char* at, std::size_t size) noexcept {
  const auto byte = [at](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  };
  if (size < 4) return byte(0) | byte(size / 2) | byte(size - 1);
  return load_little<std::uint32_t>(at) | static_cast<std::uint64_t>(load_little<std::uint32_t>(at + size - 4))
                                              << (8 * (size - 4));
}

/// @param to            has room for six bytes per character, and `step_size` more
/// @param beyond_ascii  gets a bit if one of the bytes is not ASCII
char* escaped(char* to, std::string_view text, std::uint64_t& beyond_ascii) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (static_cast<std::size_t>(end - at) >= step_size) {
    const std::size_t plain = copy_plain(to, at, beyond_ascii);
    to += plain;
    at += plain;
    if (plain != step_size) to = escape(to, *at++);
  }
  if (const auto left = static_cast<std::size_t>(end - at);
      left >= word_size && copy_if_plain(to, at, left, beyond_ascii))
    return to + left;
  while (at != end) {
    const std::size_t left = std::min(static_cast<std::size_t>(end - at), word_size);
    const std::uint64_t bytes = left == word_size ? load_little<std::uint64_t>(at) : load_few(at, left);
    const std::size_t plain = std::min(plain_bytes(bytes), left);
    beyond_ascii |= bytes & high_bits;
    const std::uint64_t in_order = in_little_endian(bytes);
    std::memcpy(to, &in_order, word_size);
    to += plain;
    at += plain;
    if (plain != left) to = escape(to, *at++);
  }
  return to;
}

constexpr std::size_t longest_escape = 6;  // of an escaped character
constexpr std::size_t piece = 4096;        // so that long texts do not need six times their room

bool is_utf8(std::string_view text, std::uint64_t beyond_ascii) noexcept {
  return beyond_ascii == 0 || simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace

bool write_escaped(text_buffer& to, std::string_view text) {
  std::uint64_t beyond_ascii = 0;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const std::string_view part = text.substr(at, piece);
    to.wrote(escaped(to.room(longest_escape * part.size() + step_size), part, beyond_ascii));
  }
  return is_utf8(text, beyond_ascii);
}

bool write_string(text_buffer& to, std::string_view text) {
  if (text.size() > piece) {
    to.add('"');
    const bool is_good = write_escaped(to, text);
    to.add('"');
    return is_good;
  }
  std::uint64_t beyond_ascii = 0;
  char* at = to.room(longest_escape * text.size() + step_size + 2);
  *at++ = '"';
  at = escaped(at, text, beyond_ascii);
  *at++ = '"';
  to.wrote(at);
  return is_utf8(text, beyond_ascii);
}

}  // namespace sluice::detail
