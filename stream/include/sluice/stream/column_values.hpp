#pragma once
/// @file
/// Values of SQL types that C++ has no type for.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/export.hpp>

namespace sluice {

/// A value of type timetz.
struct time_with_zone {
  std::chrono::microseconds since_midnight{};
  std::chrono::seconds east_of_utc{};
  friend bool operator==(const time_with_zone&, const time_with_zone&) = default;
};

/// A value of type interval: three parts that cannot be added up without a calendar. Since Postgres 17, the greatest
/// values of all three are infinity, the least ones -infinity.
struct interval {
  std::int32_t months{};
  std::int32_t days{};
  std::chrono::microseconds time{};
  friend bool operator==(const interval&, const interval&) = default;
};

/// A value of type inet or cidr: an address of a host or a network.
struct SLUICE_API network_address {
  std::array<std::byte, 16> bytes{};  ///< in network order; of an IPv4 address, the first four
  std::uint8_t prefix{};              ///< bits of the network
  bool is_ipv6{};
  bool is_cidr{};

  /// As psql shows it: the prefix is left out of an inet that is a single host.
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const network_address&, const network_address&) = default;
};

/// A value of type macaddr (6 bytes) or macaddr8.
template <std::size_t Size>
struct hardware_address {
  std::array<std::byte, Size> bytes{};

  /// In hexadecimal digits with colons between the bytes, as psql shows it.
  [[nodiscard]] std::string to_string() const {
    constexpr std::string_view digits{"0123456789abcdef"};
    std::string text;
    for (const std::byte each : bytes) {
      if (!text.empty()) text += ':';
      text += digits[std::to_integer<std::size_t>(each >> 4U)];
      text += digits[std::to_integer<std::size_t>(each & std::byte{0xf})];
    }
    return text;
  }
  friend bool operator==(const hardware_address&, const hardware_address&) = default;
};
using mac_address = hardware_address<6>;
using mac_address_8 = hardware_address<8>;

/// A value of type bit(n) or varbit.
/// @par Lifetime  a view; valid as long as the row
struct bit_string {
  std::span<const std::byte> bytes{};  ///< the first bit is the highest of the first byte
  std::size_t size{};                  ///< in bits

  /// @pre index < size
  [[nodiscard]] bool operator[](std::size_t index) const noexcept {
    constexpr std::size_t bits = 8;
    return (bytes[index / bits] & (std::byte{0x80} >> (index % bits))) != std::byte{};
  }
  /// Zeros and ones, as psql shows it.
  [[nodiscard]] SLUICE_API std::string to_string() const;
};

/// A value of type money, in the smallest unit of the server's `lc_monetary`, such as cents.
struct money {
  std::int64_t amount{};
  friend auto operator<=>(const money&, const money&) = default;
};

/// A value of type tid: where a row's version lies in its table.
struct row_place {
  std::uint32_t page{};
  std::uint16_t item{};
  friend auto operator<=>(const row_place&, const row_place&) = default;
};

/// A value of type ltree, lquery or ltxtquery.
/// @par Lifetime  a view; valid as long as the row
struct ltree {
  std::string_view text{};
  friend bool operator==(const ltree&, const ltree&) = default;
};

/// A value of a range type: int4range, int8range, numrange, daterange, tsrange, tstzrange, or one of the database's
/// own.
template <class T>
struct range {
  std::optional<T> lower{};  ///< nothing: unbounded
  std::optional<T> upper{};
  bool has_lower{};  ///< whether the bound itself is in the range
  bool has_upper{};
  bool is_empty{};
  friend bool operator==(const range&, const range&) = default;
};

/// A value of a multirange type.
template <class T>
struct multirange {
  std::vector<range<T>> ranges{};
  friend bool operator==(const multirange&, const multirange&) = default;
};

/// An array of any number of dimensions.
template <class T>
struct multi_array {
  struct dimension {
    std::uint32_t size{};
    std::int32_t first{1};  ///< the index of its first element
    friend bool operator==(const dimension&, const dimension&) = default;
  };
  std::vector<T> elements{};            ///< the last dimension varies fastest
  std::vector<dimension> dimensions{};  ///< none: the array is empty
  friend bool operator==(const multi_array&, const multi_array&) = default;
};

/// A value of any type, as the server sent it.
/// @par Lifetime  a view; valid as long as the row
struct raw_value {
  std::uint32_t oid{};  ///< of its type
  std::span<const std::byte> bytes{};
};

}  // namespace sluice
