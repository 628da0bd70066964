#include "query/like.hpp"

#include <cstddef>

namespace sluice::detail {

namespace {

char folded(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The size in bytes of the UTF-8 character at the front.
std::size_t character(std::string_view text) noexcept {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) ++size;
  return size;
}

}  // namespace

bool is_like(std::string_view text, std::string_view pattern, bool ignore_case) noexcept {
  // After a '%' it suffices to backtrack to the last one: everything before it is matched for good.
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t back_p = pattern.npos;
  std::size_t back_t = 0;
  for (;;) {
    if (p < pattern.size() && pattern[p] == '%') {
      back_p = ++p;
      back_t = t;
      continue;
    }
    if (t == text.size() && p == pattern.size()) return true;
    if (t < text.size() && p < pattern.size()) {
      if (pattern[p] == '_') {
        t += character(text.substr(t));
        ++p;
        continue;
      }
      const std::size_t literal = pattern[p] == '\\' && p + 1 < pattern.size() ? p + 1 : p;
      const bool same = ignore_case ? folded(pattern[literal]) == folded(text[t]) : pattern[literal] == text[t];
      if (same) {
        p = literal + 1;
        ++t;
        continue;
      }
    }
    if (back_p == pattern.npos || back_t >= text.size()) return false;
    back_t += character(text.substr(back_t));
    t = back_t;
    p = back_p;
  }
}

}  // namespace sluice::detail
