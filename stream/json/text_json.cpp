// Values in text as JSON: what the server's to_json makes of the output of a type's own function.
#include <algorithm>
#include <string_view>

#include <simdjson.h>

#include <sluice/proto/oid.hpp>

#include "ascii.hpp"
#include "json/json_string.hpp"
#include "json/value_writers.hpp"

namespace sluice::detail {

namespace {

std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Infinities are not, nor is anything in another DateStyle, which may have been set since the value was planned for.
bool is_in_iso_8601(std::string_view text) noexcept {
  constexpr std::size_t least_digits_of_year = 4;
  const std::size_t year = std::min(text.find_first_not_of("0123456789"), text.size());
  return year >= least_digits_of_year && year < text.size() && text[year] == '-';
}

/// With the day and the time apart by a T.
bool write_moment_text(text_buffer& to, std::string_view day, std::string_view rest) {
  to.add('"');
  if (!write_escaped(to, day)) return false;
  if (!rest.empty()) to.add('T');
  return write_escaped(to, rest);
}

/// "2000-01-01" and "12:00:00+00 BC", of which the second may be empty.
struct moment_text {
  std::string_view day;
  std::string_view rest;

  explicit moment_text(std::string_view text) noexcept {
    const std::size_t space = std::min(text.find(' '), text.size());
    day = text.substr(0, space);
    rest = text.substr(std::min(space + 1, text.size()));
  }
};

}  // namespace

bool write_as_string(text_buffer& to, std::span<const std::byte> value) { return write_string(to, as_text(value)); }

bool write_as_it_is(text_buffer& to, std::span<const std::byte> value) {
  const std::string_view text = as_text(value);
  to.add(text);
  return simdjson::validate_utf8(text.data(), text.size());
}

bool write_number_text(text_buffer& to, std::span<const std::byte> value) {
  const std::string_view text = as_text(value);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  const bool is_finite = first < text.size() && is_digit(text[first]);  // not NaN, not Infinity
  if (!is_finite) return write_as_string(to, value);
  to.add(text);
  return true;
}

bool write_bool_text(text_buffer& to, std::span<const std::byte> value) {
  const std::string_view text = as_text(value);
  if (text != "t" && text != "f") return false;
  to.add(text == "t" ? "true" : "false");
  return true;
}

bool write_timestamp_text(text_buffer& to, std::span<const std::byte> value) {
  if (!is_in_iso_8601(as_text(value))) return write_as_string(to, value);
  const moment_text text{as_text(value)};
  const bool is_good = write_moment_text(to, text.day, text.rest);
  to.add('"');
  return is_good;
}

bool write_timestamptz_text(text_buffer& to, std::span<const std::byte> value) {
  if (!is_in_iso_8601(as_text(value))) return write_as_string(to, value);
  const moment_text text{as_text(value)};
  const std::string_view time = text.rest.substr(0, text.rest.find(' '));
  if (!write_moment_text(to, text.day, time)) return false;
  constexpr std::size_t whole_hours = 3;
  const std::size_t zone = time.find_last_of("+-");
  if (zone != time.npos && time.size() - zone == whole_hours) to.add(":00");
  const bool is_good = write_escaped(to, text.rest.substr(time.size()));  // " BC"
  to.add('"');
  return is_good;
}

leaf_writer text_writer_of(std::uint32_t type) noexcept {
  namespace oid = proto::oid;
  switch (type) {
    case oid::boolean: return write_bool_text;
    case oid::int2:
    case oid::int4:
    case oid::int8:
    case oid::float4:
    case oid::float8:
    case oid::numeric: return write_number_text;
    case oid::json:
    case oid::jsonb: return write_as_it_is;
    case oid::timestamp: return write_timestamp_text;
    case oid::timestamptz: return write_timestamptz_text;
    default: return write_as_string;
  }
}

}  // namespace sluice::detail
