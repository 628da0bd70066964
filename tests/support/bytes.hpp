#pragma once
// Conversion between text and bytes, so that tests can compare with string literals.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sluice::test {

/// A literal with its embedded zero bytes, but without the terminator: bytes("a\0b") has three bytes.
template <std::size_t Size>
std::string raw(const char (&literal)[Size]) {
  return {literal, Size - 1};
}

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span{text}); }

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace sluice::test
