#pragma once
/// @file
/// Keys of JSON objects, compared where they lie.

#include <string_view>

#include <sluice/export.hpp>

namespace sluice::detail {

/// Whether a key, escapes and all, means `name`. Decoding keys into the parser's memory would need room for each time
/// that one is looked at; simdjson has it for once.
/// @param raw  what follows the key's opening quote, up to its closing quote at least
/// @see RFC 8259, section 7
[[nodiscard]] SLUICE_API bool is_json_key(const char* raw, std::string_view name) noexcept;

}  // namespace sluice::detail
