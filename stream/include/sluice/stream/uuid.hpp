#pragma once
/// @file
/// A UUID as a value.
/// @see RFC 9562; PostgreSQL documentation, section "UUID Type"

#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice {

/// The bytes of a UUID in the order of its text form. UUIDs compare by their bytes, as on the server.
struct SLUICE_API uuid {
  std::array<std::byte, 16> bytes{};

  /// Parses `123e4567-e89b-12d3-a456-426614174000`, in either case; returns nothing for any other text.
  [[nodiscard]] static std::optional<uuid> parse(std::string_view text) noexcept;
  /// The text form in lower case, with hyphens.
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const uuid&, const uuid&) = default;
};

}  // namespace sluice
