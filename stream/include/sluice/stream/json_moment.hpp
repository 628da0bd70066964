#pragma once
/// @file
/// Moments as JSON documents of Postgres hold them.

#include <chrono>
#include <optional>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice {

/// Reads a date, or a date and a time with a blank or a T between them, with a zone (`Z`, `+02`, `+05:30`) or in UTC
/// without one; up to microseconds. Nothing for anything else, and for days that the calendar does not have.
/// @see ISO 8601; PostgreSQL documentation, section "Date/Time Output"
[[nodiscard]] SLUICE_API std::optional<std::chrono::sys_time<std::chrono::microseconds>> parse_moment(
    std::string_view text) noexcept;

}  // namespace sluice
