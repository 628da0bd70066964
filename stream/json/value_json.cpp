#include "json/value_json.hpp"

#include <string_view>

#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/oid.hpp>

#include "json/json_string.hpp"
#include "json/value_writers.hpp"
#include "messages/body_reader.hpp"

namespace sluice::detail {

namespace {

constexpr std::string_view digits{"0123456789abcdef"};

std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

char* write_hex(char* to, std::span<const std::byte> bytes) noexcept {
  for (const std::byte each : bytes) {
    *to++ = digits[std::to_integer<unsigned>(each) >> 4U];
    *to++ = digits[std::to_integer<unsigned>(each) & 15U];
  }
  return to;
}

/// The elements of an array, dimension by dimension.
class array_elements {
 public:
  static constexpr std::uint32_t most_dimensions = 6;

  array_elements(text_buffer& to, std::span<const std::byte> value) noexcept : to_{to}, in_{value} {}

  bool write() {
    dimensions_ = in_.u32();
    (void)in_.u32();  // whether any is NULL
    element_ = writer_of(in_.u32());
    if (dimensions_ > most_dimensions || element_ == nullptr) return false;
    for (std::uint32_t i = 0; i < dimensions_; ++i) {
      sizes_[i] = in_.u32();
      (void)in_.u32();  // its first index
    }
    if (dimensions_ == 0) return to_.add("[]"), in_.exhausted();
    return write_dimension(0) && in_.exhausted();
  }

 private:
  bool write_dimension(std::uint32_t level) {
    to_.add('[');
    for (std::uint32_t i = 0; i < sizes_[level]; ++i) {
      if (i != 0) to_.add(',');
      const bool good = level + 1 == dimensions_ ? write_element() : write_dimension(level + 1);
      if (!good) return false;
    }
    to_.add(']');
    return true;
  }
  bool write_element() {
    constexpr std::uint32_t null = 0xffffffff;
    const std::uint32_t size = in_.u32();
    if (!in_.ok()) return false;
    if (size == null) return to_.add("null"), true;
    const std::span<const std::byte> value = in_.bytes(size);
    return in_.ok() && element_(to_, value);
  }

  text_buffer& to_;
  proto::body_reader in_;
  std::uint32_t dimensions_{0};
  std::uint32_t sizes_[most_dimensions]{};
  value_writer element_{};
};

}  // namespace

bool write_as_string(text_buffer& to, std::span<const std::byte> value) {
  write_string(to, as_text(value));
  return true;
}

bool write_as_it_is(text_buffer& to, std::span<const std::byte> value) {
  to.add(as_text(value));
  return true;
}

bool write_jsonb(text_buffer& to, std::span<const std::byte> value) {
  if (value.empty() || value[0] != std::byte{1}) return false;  // the version
  to.add(as_text(value.subspan(1)));
  return true;
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

bool write_array(text_buffer& to, std::span<const std::byte> value) { return array_elements{to, value}.write(); }

value_writer writer_of(std::uint32_t type) noexcept {
  namespace oid = proto::oid;
  switch (type) {
    case oid::boolean: return write_bool;
    case oid::int2: return write_int2;
    case oid::int4: return write_int4;
    case oid::int8: return write_int8;
    case oid::float4: return write_float4;
    case oid::float8: return write_float8;
    case oid::numeric: return write_numeric;
    case oid::date: return write_date;
    case oid::time: return write_time;
    case oid::timestamp: return write_timestamp;
    case oid::timestamptz: return write_timestamptz;
    case oid::json: return write_as_it_is;
    case oid::jsonb: return write_jsonb;
    case oid::uuid: return write_uuid;
    case oid::bytea: return write_bytea;
    case oid::text:
    case oid::varchar:
    case oid::bpchar:
    case oid::name:
    case oid::xml:
    case oid::unknown: return write_as_string;
    case oid::boolean_array:
    case oid::int2_array:
    case oid::int4_array:
    case oid::int8_array:
    case oid::float4_array:
    case oid::float8_array:
    case oid::numeric_array:
    case oid::date_array:
    case oid::timestamp_array:
    case oid::timestamptz_array:
    case oid::json_array:
    case oid::jsonb_array:
    case oid::uuid_array:
    case oid::bytea_array:
    case oid::text_array:
    case oid::varchar_array: return write_array;
    default: return nullptr;
  }
}

}  // namespace sluice::detail
