#pragma once
// A writer for each type that is not made of others, from the server's binary format and from its text.
#include <cstddef>
#include <cstdint>
#include <span>

#include "json/text_buffer.hpp"

namespace sluice::detail {

/// Writes one value that is not NULL, as the server's to_json does.
/// @return false when the bytes are no value of the type: what was written so far means nothing then
using leaf_writer = bool (*)(text_buffer& to, std::span<const std::byte> value);

/// The writer of a type's binary format.
/// @param type  OID
/// @return null: its binary format says too little, or is not known here
[[nodiscard]] leaf_writer binary_writer_of(std::uint32_t type) noexcept;
/// The writer of a type's text: any type has one.
[[nodiscard]] leaf_writer text_writer_of(std::uint32_t type) noexcept;

// Of the binary format.
bool write_bool(text_buffer& to, std::span<const std::byte> value);
bool write_int2(text_buffer& to, std::span<const std::byte> value);
bool write_int4(text_buffer& to, std::span<const std::byte> value);
bool write_int8(text_buffer& to, std::span<const std::byte> value);
bool write_float4(text_buffer& to, std::span<const std::byte> value);
bool write_float8(text_buffer& to, std::span<const std::byte> value);
bool write_numeric(text_buffer& to, std::span<const std::byte> value);
/// An `oid`, which to_json writes as a string.
bool write_object_id(text_buffer& to, std::span<const std::byte> value);
bool write_date(text_buffer& to, std::span<const std::byte> value);
bool write_time(text_buffer& to, std::span<const std::byte> value);
bool write_timestamp(text_buffer& to, std::span<const std::byte> value);
/// In UTC.
bool write_timestamptz(text_buffer& to, std::span<const std::byte> value);
bool write_jsonb(text_buffer& to, std::span<const std::byte> value);
bool write_uuid(text_buffer& to, std::span<const std::byte> value);
/// In hexadecimal digits.
bool write_bytea(text_buffer& to, std::span<const std::byte> value);

// Of the text, and of types whose binary format is their text.
bool write_as_string(text_buffer& to, std::span<const std::byte> value);
/// JSON, of which only is checked that it is UTF-8.
bool write_as_it_is(text_buffer& to, std::span<const std::byte> value);
bool write_number_text(text_buffer& to, std::span<const std::byte> value);
bool write_bool_text(text_buffer& to, std::span<const std::byte> value);
/// In ISO 8601 as DateStyle has it, with a space before the time.
bool write_timestamp_text(text_buffer& to, std::span<const std::byte> value);
bool write_timestamptz_text(text_buffer& to, std::span<const std::byte> value);

}  // namespace sluice::detail
