#pragma once
// A writer per type: see value_json.hpp.
#include <cstddef>
#include <span>

#include "json/text_buffer.hpp"

namespace sluice::detail {

bool write_bool(text_buffer& to, std::span<const std::byte> value);
bool write_int2(text_buffer& to, std::span<const std::byte> value);
bool write_int4(text_buffer& to, std::span<const std::byte> value);
bool write_int8(text_buffer& to, std::span<const std::byte> value);
bool write_float4(text_buffer& to, std::span<const std::byte> value);
bool write_float8(text_buffer& to, std::span<const std::byte> value);
bool write_numeric(text_buffer& to, std::span<const std::byte> value);

bool write_date(text_buffer& to, std::span<const std::byte> value);
bool write_time(text_buffer& to, std::span<const std::byte> value);
bool write_timestamp(text_buffer& to, std::span<const std::byte> value);
/// In UTC.
bool write_timestamptz(text_buffer& to, std::span<const std::byte> value);

bool write_jsonb(text_buffer& to, std::span<const std::byte> value);
bool write_uuid(text_buffer& to, std::span<const std::byte> value);
bool write_bytea(text_buffer& to, std::span<const std::byte> value);
/// Of any type that has a writer; in as many dimensions as it has.
bool write_array(text_buffer& to, std::span<const std::byte> value);

}  // namespace sluice::detail
