#pragma once
// Converts one parameter's text to its value. Errors identify an invalid value by its place and never quote it: it may
// be part of a password.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conninfo/conninfo_settings.hpp"

namespace sluice::wire {

template <class Value>
struct choice {
  std::string_view text;
  Value value;
};

[[noreturn]] void refuse_value(const setting& given, std::string_view problem);
[[noreturn]] void refuse_choice(const setting& given, const std::vector<std::string_view>& choices);

/// The choice that a parameter names, or `otherwise` if it is absent.
template <class Value, std::size_t Count>
Value choose(const settings& all, std::string_view key, const std::array<choice<Value>, Count>& choices,
             Value otherwise) {
  const setting* const given = all.find(key);
  if (given == nullptr) return otherwise;
  std::vector<std::string_view> names;
  for (const auto& [text, value] : choices) {
    if (given->value == text) return value;
    names.push_back(text);
  }
  refuse_choice(*given, names);
}

/// A decimal integer with an optional sign and surrounding spaces. Absent or empty: `otherwise`.
[[nodiscard]] std::int32_t integer(const settings& all, std::string_view key, std::int32_t otherwise);
/// One port of a list; empty: 5432.
[[nodiscard]] std::uint16_t port(const setting& given, std::string_view text);
/// A parameter that is 0 or 1. Absent or empty: `otherwise`.
[[nodiscard]] bool flag(const settings& all, std::string_view key, bool otherwise);
/// The comma-separated elements: at least one, possibly empty.
[[nodiscard]] std::vector<std::string_view> comma_separated(std::string_view list);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// `require_auth`: methods to allow or, if each has a `!` before it, methods to forbid.
[[nodiscard]] auth_methods allowed_methods(const settings& all);
/// The servers from `host`, `hostaddr` and `port`, which must have matching numbers of elements.
[[nodiscard]] std::vector<conninfo::host> servers(const settings& all, const conninfo_environment& environment);

}  // namespace sluice::wire
