#pragma once
// Eight bytes of a JSON string at once.
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice::detail {

/// How many bytes of a word precede the first quote, backslash or control character; 8: all of them.
/// @param bytes  the first byte is the lowest one
[[nodiscard]] inline std::size_t plain_bytes(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t high_bits = 0x80U * ones;
  const auto zeros = [](std::uint64_t each) { return (each - ones) & ~each & high_bits; };
  const std::uint64_t below_space = (bytes - ' ' * ones) & ~bytes & high_bits;
  // Borrows produce false marks, but none below the first true one.
  const std::uint64_t marks = below_space | zeros(bytes ^ ('"' * ones)) | zeros(bytes ^ ('\\' * ones));
  return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
}

}  // namespace sluice::detail
