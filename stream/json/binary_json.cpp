// Values in the binary format as JSON: which writer a type has, and those of identifiers and bytes.
#include <sluice/proto/oid.hpp>

#include "json/value_writers.hpp"

namespace sluice::detail {

namespace {

char* write_hex(char* to, std::span<const std::byte> bytes) noexcept {
  constexpr char digits[] = "0123456789abcdef";
  for (const std::byte each : bytes) {
    *to++ = digits[std::to_integer<unsigned>(each) >> 4U];
    *to++ = digits[std::to_integer<unsigned>(each) & 15U];
  }
  return to;
}

}  // namespace

bool write_jsonb(text_buffer& to, std::span<const std::byte> value) {
  constexpr std::byte version{1};
  if (value.empty() || value[0] != version) return false;
  return write_as_it_is(to, value.subspan(1));
}

bool write_uuid(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 16) return false;
  char* at = to.room(38);
  *at++ = '"';
  at = write_hex(at, value.first(4));
  for (std::size_t from = 4; from < 10; from += 2) {
    *at++ = '-';
    at = write_hex(at, value.subspan(from, 2));
  }
  *at++ = '-';
  at = write_hex(at, value.subspan(10));
  *at++ = '"';
  to.wrote(at);
  return true;
}

bool write_bytea(text_buffer& to, std::span<const std::byte> value) {
  to.add("\"\\\\x");
  to.wrote(write_hex(to.room(2 * value.size()), value));
  to.add('"');
  return true;
}

leaf_writer binary_writer_of(std::uint32_t type) noexcept {
  namespace oid = proto::oid;
  switch (type) {
    case oid::boolean: return write_bool;
    case oid::int2: return write_int2;
    case oid::int4: return write_int4;
    case oid::int8: return write_int8;
    case oid::float4: return write_float4;
    case oid::float8: return write_float8;
    case oid::numeric: return write_numeric;
    case oid::object_id: return write_object_id;
    case oid::date: return write_date;
    case oid::time: return write_time;
    case oid::timestamp: return write_timestamp;
    case oid::timestamptz: return write_timestamptz;
    case oid::jsonb: return write_jsonb;
    case oid::uuid: return write_uuid;
    case oid::bytea: return write_bytea;
    case oid::json: return write_as_it_is;
    case oid::text:
    case oid::varchar:
    case oid::bpchar:
    case oid::name: return write_as_string;
    default: return nullptr;
  }
}

}  // namespace sluice::detail
