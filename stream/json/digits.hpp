#pragma once
// Decimal digits, two at a time.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice::detail {

/// "00", "01" and so on to "99".
inline constexpr std::array<char, 200> digit_pairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

/// Each writes a number of exactly so many digits, with leading zeros, and returns their end.
inline char* write_2_digits(char* to, std::uint32_t number) noexcept {
  std::memcpy(to, digit_pairs.data() + std::size_t{2} * number, 2);
  return to + 2;
}
inline char* write_4_digits(char* to, std::uint32_t number) noexcept {
  return write_2_digits(write_2_digits(to, number / 100), number % 100);
}
inline char* write_8_digits(char* to, std::uint32_t number) noexcept {
  return write_4_digits(write_4_digits(to, number / 10'000), number % 10'000);
}

/// A number below 10,000 without leading zeros.
inline char* write_group(char* to, std::uint32_t number) noexcept {
  if (number >= 1000) return write_4_digits(to, number);
  if (number >= 100) {
    *to = static_cast<char>('0' + number / 100);
    return write_2_digits(to + 1, number % 100);
  }
  if (number >= 10) return write_2_digits(to, number);
  *to = static_cast<char>('0' + number);
  return to + 1;
}

inline constexpr std::size_t most_digits = 20;  ///< of a number of 64 bits

/// A number without leading zeros.
/// @param to  has room for `most_digits`
inline char* write_number(char* to, std::uint64_t number) noexcept {
  constexpr std::uint32_t group = 10'000;
  constexpr std::uint32_t two_groups = group * group;
  if (number >= two_groups) {
    const std::uint64_t head = number / two_groups;
    if (head >= two_groups) {
      to = write_group(to, static_cast<std::uint32_t>(head / two_groups));
      to = write_8_digits(to, static_cast<std::uint32_t>(head % two_groups));
    } else {
      to = write_number(to, head);
    }
    return write_8_digits(to, static_cast<std::uint32_t>(number % two_groups));
  }
  const auto small = static_cast<std::uint32_t>(number);
  if (small < group) return write_group(to, small);
  return write_4_digits(write_group(to, small / group), small % group);
}

}  // namespace sluice::detail
