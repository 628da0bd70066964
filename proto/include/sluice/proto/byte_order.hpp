#pragma once
/// @file
/// Integers in network byte order, which the protocol uses for every number.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice::proto {

/// Between the byte order of the network and that of this machine. Spelled with builtins: GCC 12 loads a number that is
/// put together from its bytes byte by byte.
template <std::unsigned_integral Unsigned>
[[nodiscard]] constexpr Unsigned big_endian(Unsigned value) noexcept {
  if constexpr (std::endian::native == std::endian::big || sizeof(Unsigned) == 1)
    return value;
  else if constexpr (sizeof(Unsigned) == 2)
    return __builtin_bswap16(value);
  else if constexpr (sizeof(Unsigned) == 4)
    return __builtin_bswap32(value);
  else
    return __builtin_bswap64(value);
}

/// Reads a big-endian integer at `at`.
/// @pre `sizeof(Unsigned)` bytes are readable there
template <std::unsigned_integral Unsigned>
[[nodiscard]] inline Unsigned load_big(const std::byte* at) noexcept {
  Unsigned value{};
  std::memcpy(&value, at, sizeof(Unsigned));
  return big_endian(value);
}

/// Writes a big-endian integer at `at`.
/// @pre `sizeof(Unsigned)` bytes are writable there
template <std::unsigned_integral Unsigned>
inline void store_big(std::byte* at, Unsigned value) noexcept {
  value = big_endian(value);
  std::memcpy(at, &value, sizeof(Unsigned));
}

}  // namespace sluice::proto
