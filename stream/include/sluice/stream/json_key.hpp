#pragma once
/// @file
/// Keys of JSON objects, compared where they lie.

#include <cstring>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice::detail {

/// Whether a key, escapes and all, means `name`. Decoding keys into the parser's memory would need room for each time
/// that one is looked at; simdjson has it for once.
/// @param raw  what follows the key's opening quote, up to its closing quote at least
/// @see RFC 8259, section 7
[[nodiscard]] SLUICE_API bool is_json_key(const char* raw, std::string_view name) noexcept;

/// A name that `is_plain_json_key` can look for: shorter than the padding behind every document, so that a look at the
/// last key does not leave it.
constexpr bool is_plain_name(std::string_view name) noexcept {
  return name.size() < 64 && name.find_first_of("\"\\") == name.npos;
}
/// The same for a key as it is nearly always written: without escapes.
[[nodiscard]] inline bool is_plain_json_key(const char* raw, std::string_view name) noexcept {
  return std::memcmp(raw, name.data(), name.size()) == 0 && raw[name.size()] == '"';
}
[[nodiscard]] inline bool has_escapes(const char* raw) noexcept {
  for (; *raw != '"'; ++raw)
    if (*raw == '\\') return true;
  return false;
}

}  // namespace sluice::detail
