#pragma once
/// @file
/// Points in time as Postgres writes them in JSON documents.

#include <chrono>
#include <optional>
#include <string_view>

#include <sluice/export.hpp>

namespace sluice {

/// Parses what the server's cast to timestamptz accepts, in the formats that programs write: a date, or a date and a
/// time with a space or a T between them, with a zone (`Z`, `+02`, `+05:30`, `-04:56:02`, `UTC`), or in UTC without
/// one. Fractional seconds beyond microseconds are rounded as the server rounds them. `infinity` is the largest value
/// of the type and `-infinity` the smallest. Returns nothing for any other text, and for days that the calendar does
/// not have. The grammar, from 4713 BC to the year 294246: docs/predicates.md, section "Readings".
[[nodiscard]] SLUICE_API std::optional<std::chrono::sys_time<std::chrono::microseconds>> parse_moment(
    std::string_view text) noexcept;

}  // namespace sluice
