#pragma once
/// @file
/// Columns by their position or name, and rows as tuples and structs, for queries whose columns are wanted rather than
/// documents.
///
///     for (sluice::row row : db.stream(sluice::sql("select id, name, born from people").as_columns())) {
///       auto [id, name] = row.get<std::int64_t, std::string_view>();
///       auto born = row.get<std::optional<std::chrono::sys_days>>("born");
///       auto whole = row.get<person>();                     // a type with SLUICE_JSON: its members, by their names
///     }
///
/// | C++ | SQL |
/// |---|---|
/// | integers, checked against their range | int2, int4, int8; numeric that holds a whole number |
/// | the same | oid, regclass and the like, xid, cid, xid8, pg_lsn |
/// | float, double | float4, float8 (float: float4 only); double: numeric, as the nearest one |
/// | bool; char | bool; "char" |
/// | std::string_view, std::string | text, varchar, char(n), name, json, jsonb, xml |
/// | the same | enumerations, citext and other types of the database's own whose binary form is text |
/// | an enumeration with SLUICE_JSON_ENUM | enumerations and text: its names |
/// | std::string | as psql shows it: numeric, inet, cidr, macaddr, macaddr8, bit, varbit, and the geometric types |
/// | std::span<const std::byte>, std::vector<std::byte> | bytea |
/// | uuid | uuid |
/// | std::chrono::sys_time, local_time | timestamptz, timestamp; infinity is `max()`, -infinity `min()` |
/// | std::chrono::sys_days, year_month_day | date; sys_days: infinity as above |
/// | std::chrono::microseconds | time: since midnight |
/// | time_with_zone, interval | timetz, interval |
/// | network_address | inet, cidr |
/// | mac_address, mac_address_8 | macaddr, macaddr8 |
/// | bit_string, std::bitset, std::vector<bool> | bit, varbit |
/// | money; row_place; ltree | money; tid; ltree, lquery, ltxtquery |
/// | std::optional | any of these, or NULL |
/// | std::vector; of vectors; multi_array | arrays of one dimension; of as many; of any number |
/// | std::tuple, a type with SLUICE_JSON | composites and `record`, by the positions of their fields |
/// | range, multirange | ranges, multiranges |
/// | std::map, std::unordered_map of std::string to std::optional<std::string> | hstore |
/// | raw_value | any type: its OID and its bytes |
///
/// A domain is what it is made of. The server says so of a column; inside of arrays, composites and ranges it does not:
/// `query::as_described_columns` looks it up.
///
/// Of a query `as_text_columns()`, each column is text: std::string_view, std::string, an enumeration, or std::optional
/// of them. Cast any type not listed above in the query: `v::text`.
///
/// To support a type of your own, define `void from_binary(const sluice::binary_field&, your_type&)` in its namespace.
/// @see PostgreSQL documentation, section "Formats and Format Codes"

#include <bit>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/proto/oid.hpp>
#include <sluice/stream/binary_field.hpp>
#include <sluice/stream/column_values.hpp>
#include <sluice/stream/members.hpp>
#include <sluice/stream/moments.hpp>
#include <sluice/stream/nested_columns.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/stream/row_columns.hpp>
#include <sluice/stream/uuid.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice {

namespace detail {
/// The digits of a numeric that has no fractional part.
[[nodiscard]] SLUICE_API std::string whole_number(const binary_field& from);
[[nodiscard]] SLUICE_API double nearest_double(const binary_field& from);
/// Of the types that are numbers without a sign, such as regclass; nothing: it is none of them.
[[nodiscard]] SLUICE_API std::optional<std::uint64_t> unsigned_number(const binary_field& from);
}  // namespace detail

template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
void from_binary(const binary_field& from, Integer& into) {
  constexpr std::string_view out_of_range{"it is out of the range of the C++ type"};
  if (from.type == proto::oid::numeric) {
    const std::string digits = detail::whole_number(from);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    if (failed != std::errc{}) from.fail_value(out_of_range);
    return;
  }
  const auto take = [&](auto value) {
    if (!std::in_range<Integer>(value)) from.fail_value(out_of_range);
    into = static_cast<Integer>(value);
  };
  switch (from.type) {
    case proto::oid::int2: return take(static_cast<std::int16_t>(from.load<std::uint16_t>()));
    case proto::oid::int4: return take(static_cast<std::int32_t>(from.load<std::uint32_t>()));
    case proto::oid::int8: return take(static_cast<std::int64_t>(from.load<std::uint64_t>()));
    case proto::oid::object_id: return take(from.load<std::uint32_t>());
    default: break;
  }
  const std::optional<std::uint64_t> other = detail::unsigned_number(from);
  if (!other) from.fail("an integer");
  take(*other);
}

inline void from_binary(const binary_field& from, float& into) {
  if (from.type != proto::oid::float4) from.fail("float4");
  into = std::bit_cast<float>(from.load<std::uint32_t>());
}
inline void from_binary(const binary_field& from, double& into) {
  if (from.type == proto::oid::float4)
    into = static_cast<double>(std::bit_cast<float>(from.load<std::uint32_t>()));
  else if (from.type == proto::oid::float8)
    into = std::bit_cast<double>(from.load<std::uint64_t>());
  else if (from.type == proto::oid::numeric)
    into = detail::nearest_double(from);
  else
    from.fail("float4, float8 or numeric");
}

SLUICE_API void from_binary(const binary_field& from, bool& into);
SLUICE_API void from_binary(const binary_field& from, std::string& into);
SLUICE_API void from_binary(const binary_field& from, std::span<const std::byte>& into);
SLUICE_API void from_binary(const binary_field& from, std::vector<std::byte>& into);
SLUICE_API void from_binary(const binary_field& from, uuid& into);
SLUICE_API void from_binary(const binary_field& from, std::chrono::sys_days& into);
SLUICE_API void from_binary(const binary_field& from, std::chrono::year_month_day& into);
SLUICE_API void from_binary(const binary_field& from, std::chrono::microseconds& into);
SLUICE_API void from_binary(const binary_field& from, time_with_zone& into);
SLUICE_API void from_binary(const binary_field& from, interval& into);
SLUICE_API void from_binary(const binary_field& from, char& into);
SLUICE_API void from_binary(const binary_field& from, network_address& into);
SLUICE_API void from_binary(const binary_field& from, mac_address& into);
SLUICE_API void from_binary(const binary_field& from, mac_address_8& into);
SLUICE_API void from_binary(const binary_field& from, money& into);
SLUICE_API void from_binary(const binary_field& from, row_place& into);
SLUICE_API void from_binary(const binary_field& from, ltree& into);
inline void from_binary(const binary_field& from, raw_value& into) { into = {from.type, from.bytes}; }

namespace detail {

/// A date or time in microseconds since 1970; `max()` and `min()` for infinity and -infinity.
SLUICE_API std::chrono::microseconds moment_of(const binary_field& from, std::uint32_t type);

template <class Clock, class Duration>
void read_moment(const binary_field& from, std::uint32_t type, std::chrono::time_point<Clock, Duration>& into) {
  const std::optional<Duration> since_epoch = from_microseconds<Duration>(moment_of(from, type));
  if (!since_epoch) from.fail_value("it is out of the range of the C++ type");
  into = std::chrono::time_point<Clock, Duration>{*since_epoch};
}

}  // namespace detail

template <class Duration>
void from_binary(const binary_field& from, std::chrono::sys_time<Duration>& into) {
  detail::read_moment(from, proto::oid::timestamptz, into);
}
template <class Duration>
void from_binary(const binary_field& from, std::chrono::local_time<Duration>& into) {
  detail::read_moment(from, proto::oid::timestamp, into);
}

namespace detail {

template <class T>
inline constexpr std::uint32_t natural_moment = 0;
template <class Duration>
inline constexpr std::uint32_t natural_moment<std::chrono::sys_time<Duration>> = proto::oid::timestamptz;
template <>
inline constexpr std::uint32_t natural_moment<std::chrono::sys_days> = proto::oid::date;
template <>
inline constexpr std::uint32_t natural_moment<std::chrono::year_month_day> = proto::oid::date;
template <class Duration>
inline constexpr std::uint32_t natural_moment<std::chrono::local_time<Duration>> = proto::oid::timestamp;

template <class T>
constexpr std::uint32_t natural_type() noexcept {
  if constexpr (std::is_same_v<T, std::int16_t>) return proto::oid::int2;
  if constexpr (std::is_same_v<T, std::int32_t>) return proto::oid::int4;
  if constexpr (std::is_same_v<T, std::int64_t>) return proto::oid::int8;
  if constexpr (std::is_same_v<T, float>) return proto::oid::float4;
  if constexpr (std::is_same_v<T, double>) return proto::oid::float8;
  if constexpr (std::is_same_v<T, std::chrono::microseconds>) return proto::oid::time;
  if constexpr (std::is_same_v<T, network_address>) return proto::oid::inet;
  if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) return proto::oid::text;
  return natural_moment<T>;
}

}  // namespace detail

}  // namespace sluice
