#pragma once
/// @file
/// In-place comparison of JSON object keys.

#include <cstring>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice::detail {

/// Whether a key, with its escapes, stands for `name`. Decoding keys into the parser's memory would take space each
/// time a key is looked at, and simdjson has room for decoding each one only once.
/// @param raw  the text after the key's opening quote, at least up to its closing quote
/// @see RFC 8259, section 7
[[nodiscard]] SLUICE_API bool is_json_key(const char* raw, std::string_view name) noexcept;

/// Whether `is_plain_json_key` can look for a name: it must be shorter than the padding after every document, so that
/// the comparison with the last key stays within it.
constexpr bool is_plain_name(std::string_view name) noexcept {
  return name.size() < 64 && name.find_first_of("\"\\") == name.npos;
}
/// The same comparison for a key without escapes, as nearly all keys are written.
[[nodiscard]] inline bool is_plain_json_key(const char* raw, std::string_view name) noexcept {
  return std::memcmp(raw, name.data(), name.size()) == 0 && raw[name.size()] == '"';
}
[[nodiscard]] inline bool has_escapes(const char* raw) noexcept {
  for (; *raw != '"'; ++raw)
    if (*raw == '\\') return true;
  return false;
}

}  // namespace sluice::detail
