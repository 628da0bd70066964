#pragma once
/// @file
/// Integers in network byte order, which the protocol uses for every number.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice::proto {

/// Reads a big-endian integer at `at`.
/// @pre `sizeof(Unsigned)` bytes are readable there
template <std::unsigned_integral Unsigned>
[[nodiscard]] inline Unsigned load_big(const std::byte* at) noexcept {
  Unsigned value{};
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)  // compilers turn this into one load and one byte swap
    value = static_cast<Unsigned>((static_cast<std::uint64_t>(value) << 8U) | std::to_integer<std::uint64_t>(at[i]));
  return value;
}

/// Writes a big-endian integer at `at`.
/// @pre `sizeof(Unsigned)` bytes are writable there
template <std::unsigned_integral Unsigned>
inline void store_big(std::byte* at, Unsigned value) noexcept {
  for (std::size_t i = sizeof(Unsigned); i-- > 0;
       value = static_cast<Unsigned>(static_cast<std::uint64_t>(value) >> 8U))
    at[i] = static_cast<std::byte>(value & 0xffU);
}

}  // namespace sluice::proto
