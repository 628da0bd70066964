#include <sluice/stream/columns.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include <simdjson.h>

#include <sluice/wire/error.hpp>
#include "messages/backend.hpp"
#include "messages/body_reader.hpp"

#include "rows/number_chars.hpp"
#include "rows/own_types.hpp"
#include "rows/postgres_epoch.hpp"
#include "rows/shown_text.hpp"

namespace sluice {

namespace {

using namespace std::chrono;

std::string type_name(std::uint32_t type) {
  if (const std::string_view name = proto::oid::name_of(type); !name.empty()) return std::string{name};
  const std::string number = std::to_string(type);
  return (type >= detail::first_own_type ? "a type of the database's own (" : "another type (") + ("select " + number) +
         "::regtype names it)";
}

[[noreturn]] void refuse(const binary_field& from, const std::string& what) {
  std::string message = "column " + std::to_string(from.index);
  if (from.column != nullptr) message += " (" + from.column->name + ')';
  if (from.read_as != nullptr)
    message.append(", ").append(type_name(from.type)).append(" read as ").append(*from.read_as);
  throw error{error_info{
      .code = errc::bad_column, .message = message + ": " + what, .server = {}, .rows = 0, .connection_usable = true}};
}

bool is_text(std::uint32_t type) noexcept {
  namespace oid = proto::oid;
  return type == oid::text || type == oid::varchar || type == oid::bpchar || type == oid::name || type == oid::json ||
         type == oid::jsonb || type == oid::xml || type == oid::unknown;
}

/// For types defined in the database, nothing here reveals their binary form. That of enumerations and citext is text.
/// That of composites, ranges, arrays, hstore, ltree, vectors and geometries contains a length, a version or flags,
/// none of which is a character.
bool looks_like_text(std::string_view bytes) noexcept {
  const auto is_control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  };
  return std::ranges::none_of(bytes, is_control) && simdjson::validate_utf8(bytes.data(), bytes.size());
}

[[noreturn]] void refuse_as_text(const binary_field& from) {
  refuse(from, "expected text, found " + type_name(from.type) + ": cast it to text in the query");
}

void require(const binary_field& from, std::uint32_t type) {
  if (from.type != type) from.fail(type_name(type));
}

/// Digits in base 10000, as numeric_send writes them: count, weight of the first, sign, digits after the point.
/// @see src/backend/utils/adt/numeric.c in the sources of PostgreSQL
std::string decimal_text(const binary_field& from) {
  constexpr std::uint16_t negative = 0x4000;
  constexpr int digits_in_group = 4;
  proto::body_reader in{from.bytes};
  const std::uint16_t count = in.u16();
  const int weight = static_cast<std::int16_t>(in.u16());
  const std::uint16_t sign = in.u16();
  const int scale = in.u16();
  if (in.ok() && from.bytes.size() == 8U + 2U * count) {
    if (sign == 0xc000) return "NaN";
    if (sign == 0xd000) return "Infinity";
    if (sign == 0xf000) return "-Infinity";
    const auto group = [&](int index) -> unsigned {
      if (index < 0 || index >= count) return 0;
      return proto::load_big<std::uint16_t>(from.bytes.data() + 8 + 2 * static_cast<std::size_t>(index));
    };
    std::string text = sign == negative ? "-" : "";
    const auto append = [&](int index, int digits) {
      const std::string padded = std::to_string(10'000 + group(index) % 10'000);
      text.append(padded, 1, static_cast<std::size_t>(digits));
    };
    if (weight < 0) {
      text += '0';
    } else {
      text += std::to_string(group(0));
      for (int i = 1; i <= weight; ++i) append(i, digits_in_group);
    }
    if (scale > 0) text += '.';
    int index = weight + 1;
    for (int left = scale; left > 0; left -= digits_in_group) append(index++, std::min(left, digits_in_group));
    return text;
  }
  from.fail_value("its digits are malformed");
}

}  // namespace

void binary_field::fail(std::string_view expected) const {
  std::string what = "expected " + std::string{expected} + ", found " + type_name(type);
  if (type >= detail::first_own_type && depth != 0)
    what += ": of what a domain is made, query::as_described_columns asks the server";
  refuse(*this, what);
}
void binary_field::fail_value(std::string_view what) const { refuse(*this, std::string{what}); }

binary_field binary_field::inner(std::uint32_t oid, std::size_t what) const {
  constexpr std::uint32_t deepest = 64;
  if (depth == deepest) fail_value("it is nested too deeply");
  binary_field made{*this};
  made.type = oid;
  made.is_null = false;
  made.bytes = {};
  made.described = nullptr;
  ++made.depth;
  if (described == nullptr || what >= described->parts.size()) return made;
  const result_column& known = described->parts[what];
  if (known.type != oid || known.base == 0) return made;
  made.type = known.base;
  made.described = &known;
  return made;
}

void from_binary(const binary_field& from, bool& into) {
  require(from, proto::oid::boolean);
  into = from.load<std::uint8_t>() != 0;
}

void from_binary(const binary_field& from, std::string_view& into) {
  into = {reinterpret_cast<const char*>(from.bytes.data()), from.bytes.size()};
  if (!is_text(from.type) && !(from.type >= detail::first_own_type && looks_like_text(into))) refuse_as_text(from);
  if (from.type != proto::oid::jsonb) return;
  if (!into.starts_with('\1')) from.fail_value("its version of jsonb is not known");
  into.remove_prefix(1);
}

void from_binary(const binary_field& from, std::string& into) {
  if (from.type == proto::oid::numeric) {
    into = decimal_text(from);
    return;
  }
  if (detail::show(from, into)) return;
  std::string_view text;
  from_binary(from, text);
  into = text;
}

void from_binary(const binary_field& from, std::span<const std::byte>& into) {
  require(from, proto::oid::bytea);
  into = from.bytes;
}

void from_binary(const binary_field& from, std::vector<std::byte>& into) {
  require(from, proto::oid::bytea);
  into.assign(from.bytes.begin(), from.bytes.end());
}

void from_binary(const binary_field& from, uuid& into) {
  require(from, proto::oid::uuid);
  if (from.bytes.size() != into.bytes.size()) from.fail_value("it is not as long as its type");
  std::ranges::copy(from.bytes, into.bytes.begin());
}

void from_binary(const binary_field& from, sys_days& into) {
  require(from, proto::oid::date);
  const auto since = static_cast<std::int32_t>(from.load<std::uint32_t>());
  if (since == std::numeric_limits<std::int32_t>::max())
    into = sys_days::max();
  else if (since == std::numeric_limits<std::int32_t>::min())
    into = sys_days::min();
  else if (since > std::numeric_limits<std::int32_t>::max() - postgres_epoch.time_since_epoch().count())
    from.fail_value("it is out of the range of the C++ type");
  else
    into = postgres_epoch + days{since};
}

void from_binary(const binary_field& from, year_month_day& into) {
  sys_days day;
  from_binary(from, day);
  constexpr year_month_day first{year::min() / January / 1};
  constexpr year_month_day last{year::max() / December / 31};
  if (day < sys_days{first} || day > sys_days{last}) from.fail_value("it is out of the range of the C++ type");
  into = day;
}

void from_binary(const binary_field& from, microseconds& into) {
  require(from, proto::oid::time);
  into = microseconds{static_cast<std::int64_t>(from.load<std::uint64_t>())};
}

void from_binary(const binary_field& from, time_with_zone& into) {
  require(from, proto::oid::timetz);
  proto::body_reader in{from.bytes};
  into.since_midnight = microseconds{in.i64()};
  into.east_of_utc = -seconds{in.i32()};
  if (!in.exhausted()) from.fail_value("it is not as long as its type");
}

void from_binary(const binary_field& from, interval& into) {
  require(from, proto::oid::interval);
  proto::body_reader in{from.bytes};
  into.time = microseconds{in.i64()};
  into.days = in.i32();
  into.months = in.i32();
  if (!in.exhausted()) from.fail_value("it is not as long as its type");
}

namespace detail {

microseconds moment_of(const binary_field& from, std::uint32_t type) {
  require(from, type);
  const auto since = static_cast<std::int64_t>(from.load<std::uint64_t>());
  using limits = std::numeric_limits<std::int64_t>;
  if (since == limits::max() || since == limits::min()) return microseconds{since};
  constexpr std::int64_t epoch = microseconds{postgres_epoch.time_since_epoch()}.count();
  if (since >= limits::max() - epoch) from.fail_value("it is out of the range of the C++ type");
  return microseconds{since + epoch};
}

std::string whole_number(const binary_field& from) {
  std::string digits = decimal_text(from);
  const std::size_t point = digits.find('.');
  if (digits.find_first_not_of("-0123456789.") != digits.npos ||
      (point != digits.npos && digits.find_first_not_of('0', point + 1) != digits.npos))
    from.fail_value("it is not a whole number");
  return digits.substr(0, point);
}

double nearest_double(const binary_field& from) {
  const std::string digits = decimal_text(from);
  double value{};
  const auto [end, failed] = number_from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failed != std::errc{}) from.fail_value("it is out of the range of the C++ type");
  return value;
}

void field_walk::fail_no_columns() {
  throw error{errc::bad_state, "these rows are documents: for columns, ask for query::as_columns()"};
}

namespace {

[[noreturn]] void fail_column(const std::string& message) {
  throw error{
      error_info{.code = errc::bad_column, .message = message, .server = {}, .rows = 0, .connection_usable = true}};
}

}  // namespace

void field_walk::fail_past_the_last(std::size_t index) const {
  fail_column("there is no column " + std::to_string(index) + ": the result has " + std::to_string(columns_->size()));
}

std::size_t field_walk::position_of(std::string_view name) const {
  const auto found = std::ranges::find(*columns_, name, &result_column::name);
  if (found == columns_->end()) {
    std::string names;
    for (const result_column& each : *columns_) names.append(names.empty() ? "" : ", ").append(each.name);
    fail_column("there is no column \"" + std::string{name} + "\": the result has " + names);
  }
  if (std::find_if(found + 1, columns_->end(), [&](const result_column& each) { return each.name == name; }) !=
      columns_->end())
    fail_twice(name);
  return static_cast<std::size_t>(found - columns_->begin());
}

void fail_missing(std::string_view member) {
  fail_column("there is no column for the member \"" + std::string{member} + "\", which is no std::optional");
}
void fail_unknown(std::string_view column) {
  fail_column("there is no member for the column \"" + std::string{column} + '"');
}
void fail_twice(std::string_view column) {
  fail_column("more than one column has the name \"" + std::string{column} + "\": give them names, or take a position");
}

}  // namespace detail

}  // namespace sluice
