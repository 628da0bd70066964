#pragma once
// Values of type numeric in the binary format.
#include <cstdint>
#include <string>
#include <vector>

#include "backend.hpp"

namespace sluice::test {

inline constexpr std::uint32_t negative_sign = 0x4000;

/// @param weight  of the first digit: a power of 10,000
/// @param scale   digits after the point
/// @param digits  in base 10,000
inline std::string numeric_bytes(int weight, std::uint32_t sign, std::uint32_t scale,
                                 const std::vector<std::uint32_t>& digits) {
  std::string bytes = be16(static_cast<std::uint32_t>(digits.size())) +
                      be16(static_cast<std::uint32_t>(weight) & 0xffffU) + be16(sign) + be16(scale);
  for (const std::uint32_t each : digits) bytes += be16(each);
  return bytes;
}

}  // namespace sluice::test
