#pragma once
// Values of columns, in the server's binary format, as JSON.
#include <cstddef>
#include <cstdint>
#include <span>

#include "json/text_buffer.hpp"

namespace sluice::detail {

/// Writes one value that is not NULL, as `to_json` of the server writes it.
/// @return false when the bytes are no value of the type: what was written so far means nothing then
using value_writer = bool (*)(text_buffer& to, std::span<const std::byte> value);

/// The writer for a type.
/// @param type  OID
/// @return null when its binary format says too little, or is not known here: such a column is read as text. That is so
///         for types whose text depends on settings of the session (timestamptz outside UTC, interval, bytea, money),
///         which the caller knows: it is told the writer for their default
[[nodiscard]] value_writer writer_of(std::uint32_t type) noexcept;

/// For a column in text: a string, whatever its type.
bool write_as_string(text_buffer& to, std::span<const std::byte> value);
/// For a column in text that is a number, a boolean or JSON already.
bool write_as_it_is(text_buffer& to, std::span<const std::byte> value);

}  // namespace sluice::detail
