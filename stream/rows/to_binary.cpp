#include <sluice/stream/to_binary.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <sluice/wire/error.hpp>

#include "rows/postgres_epoch.hpp"

namespace sluice {

namespace {

using namespace std::chrono;
namespace oid = proto::oid;

constexpr std::size_t longest_value{(1U << 30U) - 1};  // the server's limit
constexpr std::string_view out_of_range{"it is out of the column's range"};

[[noreturn]] void refuse_row(std::string message) {
  throw error{
      error_info{.code = errc::bad_column, .message = std::move(message), .server = {}, .connection_usable = true}};
}

template <std::signed_integral Stored>
void append_checked(binary_place& to, std::int64_t value) {
  if (!std::in_range<Stored>(value)) to.fail_value(out_of_range);
  to.append(static_cast<std::make_unsigned_t<Stored>>(value));
}

template <class Number>
std::string shortest(Number value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

/// A decimal number: its digits without leading zeros, and how many of them are in front of the point.
struct digits_of {
  std::string digits{};
  std::int64_t whole{0};
  std::int64_t scale{0};  // digits after the point, as they were written
  bool is_negative{false};
  bool is_valid{false};

  explicit digits_of(std::string_view text) {
    constexpr std::int64_t far = 1'000'000;
    is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) text.remove_prefix(1);
    std::int64_t exponent = 0;
    if (const std::size_t e = text.find_first_of("eE"); e != text.npos) {
      std::string_view power = text.substr(e + 1);
      if (power.starts_with('+') && !power.starts_with("+-")) power.remove_prefix(1);
      const auto [end, failed] = std::from_chars(power.data(), power.data() + power.size(), exponent);
      const bool is_far = exponent < -far || exponent > far;
      if (failed != std::errc{} || end != power.data() + power.size() || is_far) return;
      text = text.substr(0, e);
    }
    const std::size_t point = std::min(text.find('.'), text.size());
    digits = text.substr(0, point);
    if (point < text.size()) digits += text.substr(point + 1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    is_valid = !digits.empty() && std::ranges::all_of(digits, is_digit);
    whole = static_cast<std::int64_t>(point) + exponent;
    scale = std::max<std::int64_t>(static_cast<std::int64_t>(digits.size()) - whole, 0);
    const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
    digits.erase(0, zeros);
    whole -= static_cast<std::int64_t>(zeros);
  }
};

/// Digits in base 10000, as numeric_recv reads them: count, weight of the first, sign, digits after the point.
/// @see src/backend/utils/adt/numeric.c in the sources of PostgreSQL
void append_numeric(binary_place& to, std::uint16_t sign, std::int64_t weight, std::int64_t scale,
                    std::span<const std::uint16_t> groups) {
  to.append(static_cast<std::uint16_t>(groups.size()));
  to.append(static_cast<std::uint16_t>(weight));
  to.append(sign);
  to.append(static_cast<std::uint16_t>(scale));
  for (const std::uint16_t group : groups) to.append(group);
}

}  // namespace

void binary_place::fail(std::string_view what) const {
  const std::string_view place = may_be_array_ ? "it" : "an element of it";
  refuse_row("column " + std::to_string(index_) + " (" + column_->name + ") is of type " + column_->type_name + ": " +
             std::string{place} + " cannot take " + std::string{what});
}
void binary_place::fail_value(std::string_view why) const {
  refuse_row("column " + std::to_string(index_) + " (" + column_->name + "): " + std::string{why});
}

void binary_place::end(std::size_t begin) {
  const std::size_t size = out_->size() - begin - sizeof(std::uint32_t);
  if (size > longest_value) fail_value("the value is longer than 1 GiB");
  proto::store_big(out_->data() + begin, static_cast<std::uint32_t>(size));
}

void detail::write_integer(binary_place& to, std::int64_t value) {
  constexpr std::int64_t exact_in_double{std::int64_t{1} << 53U};
  switch (to.type()) {
    case oid::int2: return append_checked<std::int16_t>(to, value);
    case oid::int4: return append_checked<std::int32_t>(to, value);
    case oid::int8: return to.append(static_cast<std::uint64_t>(value));
    case oid::object_id:
      if (!std::in_range<std::uint32_t>(value)) to.fail_value(out_of_range);
      return to.append(static_cast<std::uint32_t>(value));
    case oid::float8:
      if (value > exact_in_double || value < -exact_in_double)
        to.fail_value("a double cannot hold this integer exactly");
      return to.append(std::bit_cast<std::uint64_t>(static_cast<double>(value)));
    case oid::numeric: return write_numeric(to, std::to_string(value));
    default: to.fail("an integer");
  }
}

void detail::write_numeric(binary_place& to, std::string_view decimal) {
  constexpr std::uint16_t negative = 0x4000;
  constexpr std::int64_t most_whole = 131'072;
  constexpr std::int64_t most_scale = 16'383;
  constexpr std::int64_t in_group = 4;
  if (decimal == "NaN" || decimal == "nan" || decimal == "-nan") return append_numeric(to, 0xc000, 0, 0, {});
  if (decimal == "Infinity" || decimal == "inf") return append_numeric(to, 0xd000, 0, 0, {});
  if (decimal == "-Infinity" || decimal == "-inf") return append_numeric(to, 0xf000, 0, 0, {});
  const digits_of number{decimal};
  if (!number.is_valid) to.fail_value("it is not a decimal number");
  const bool is_zero = number.digits.empty();
  if (number.scale > most_scale || (number.whole > most_whole && !is_zero))
    to.fail_value("it has more digits than numeric can have");
  if (is_zero) return append_numeric(to, 0, 0, number.scale, {});

  const std::int64_t last = number.whole - 1;  // the power of ten of the first digit
  const std::int64_t weight = (last >= 0 ? last : last - (in_group - 1)) / in_group;
  std::vector<std::uint16_t> groups;
  auto left = static_cast<std::size_t>(last - weight * in_group + 1);  // digits in the first group
  for (std::size_t at = 0; at < number.digits.size(); at += std::exchange(left, in_group)) {
    std::uint16_t group = 0;
    for (std::size_t i = 0; i < left; ++i) {
      const char digit = at + i < number.digits.size() ? number.digits[at + i] : '0';
      group = static_cast<std::uint16_t>(group * 10 + (digit - '0'));
    }
    groups.push_back(group);
  }
  while (groups.back() == 0) groups.pop_back();  // the first is not 0
  append_numeric(to, number.is_negative ? negative : 0, weight, number.scale, groups);
}

void detail::write_moment(binary_place& to, std::uint32_t type, std::optional<microseconds> since_1970) {
  constexpr microseconds epoch{postgres_epoch.time_since_epoch()};
  if (to.type() != type)
    to.fail(type == oid::timestamptz ? "a point in time (std::chrono::sys_time)"
                                     : "a local time (std::chrono::local_time)");
  if (!since_1970) to.fail_value(out_of_range);
  microseconds since_2000 = *since_1970;
  const bool is_infinite = since_2000 == microseconds::max() || since_2000 == microseconds::min();
  if (!is_infinite) {
    if (since_2000 <= microseconds::min() + epoch) to.fail_value(out_of_range);
    since_2000 -= epoch;
  }
  to.append(static_cast<std::uint64_t>(since_2000.count()));
}

void to_binary(binary_place& to, bool value) {
  if (to.type() != oid::boolean) to.fail("a bool");
  to.append(static_cast<std::uint8_t>(value ? 1 : 0));
}

void to_binary(binary_place& to, float value) {
  if (to.type() == oid::float4) return to.append(std::bit_cast<std::uint32_t>(value));
  if (to.type() == oid::float8) return to.append(std::bit_cast<std::uint64_t>(static_cast<double>(value)));
  if (to.type() != oid::numeric) to.fail("a float");
  detail::write_numeric(to, shortest(value));
}

void to_binary(binary_place& to, double value) {
  if (to.type() == oid::float8) return to.append(std::bit_cast<std::uint64_t>(value));
  if (to.type() == oid::float4) {
    if (std::isfinite(value) && std::abs(value) > std::numeric_limits<float>::max()) to.fail_value(out_of_range);
    const auto rounded = static_cast<float>(value);
    if (rounded == 0 && value != 0) to.fail_value(out_of_range);  // as the server does
    return to.append(std::bit_cast<std::uint32_t>(rounded));
  }
  if (to.type() != oid::numeric) to.fail("a double");
  detail::write_numeric(to, shortest(value));
}

void to_binary(binary_place& to, std::string_view value) {
  constexpr std::string_view version_of_jsonb{"\1"};
  if (to.type() == oid::numeric) return detail::write_numeric(to, value);
  if (!to.is_text()) to.fail("text");
  if (to.type() == oid::jsonb) to.append(version_of_jsonb);
  to.append(value);
}

void to_binary(binary_place& to, std::span<const std::byte> value) {
  if (to.type() != oid::bytea) to.fail("bytes");
  to.append(value);
}

void to_binary(binary_place& to, const uuid& value) {
  if (to.type() != oid::uuid) to.fail("a uuid");
  to.append(std::span<const std::byte>{value.bytes});
}

void to_binary(binary_place& to, sys_days value) {
  if (to.type() != oid::date) to.fail("a date");
  constexpr auto infinity = std::numeric_limits<std::int32_t>::max();
  if (value == sys_days::max()) return append_checked<std::int32_t>(to, infinity);
  if (value == sys_days::min()) return append_checked<std::int32_t>(to, std::numeric_limits<std::int32_t>::min());
  constexpr std::int64_t epoch = postgres_epoch.time_since_epoch().count();
  const std::int64_t since_1970 = value.time_since_epoch().count();
  if (since_1970 < std::numeric_limits<std::int32_t>::min() || since_1970 - epoch >= infinity)
    to.fail_value(out_of_range);
  const std::int64_t since_2000 = since_1970 - epoch;
  if (since_2000 == std::numeric_limits<std::int32_t>::min()) to.fail_value(out_of_range);
  append_checked<std::int32_t>(to, since_2000);
}

void to_binary(binary_place& to, year_month_day value) {
  if (!value.ok()) to.fail_value("there is no such date");
  to_binary(to, sys_days{value});
}

namespace {
void append_time(binary_place& to, microseconds since_midnight) {
  if (since_midnight < microseconds::zero() || since_midnight > days{1}) to.fail_value("it is not a time of day");
  to.append(static_cast<std::uint64_t>(since_midnight.count()));
}
}  // namespace

void to_binary(binary_place& to, microseconds value) {
  if (to.type() != oid::time) to.fail("a time of day");
  append_time(to, value);
}

void to_binary(binary_place& to, const time_with_zone& value) {
  if (to.type() != oid::timetz) to.fail("a time with a zone");
  append_time(to, value.since_midnight);
  append_checked<std::int32_t>(to, -static_cast<std::int64_t>(value.east_of_utc.count()));  // west, on the wire
}

void to_binary(binary_place& to, const interval& value) {
  if (to.type() != oid::interval) to.fail("an interval");
  to.append(static_cast<std::uint64_t>(value.time.count()));
  to.append(static_cast<std::uint32_t>(value.days));
  to.append(static_cast<std::uint32_t>(value.months));
}

std::size_t detail::row_writer::begin(std::size_t values) {
  if (values != columns_.size())
    refuse_row("the row has " + std::to_string(values) + " values, and the copy " + std::to_string(columns_.size()) +
               " columns");
  const std::size_t before = bytes_.size();
  bytes_.resize(before + sizeof(std::uint16_t));
  proto::store_big(bytes_.data() + before, static_cast<std::uint16_t>(values));
  return before;
}

}  // namespace sluice
