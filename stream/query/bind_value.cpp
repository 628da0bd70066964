#include <sluice/stream/bind_value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "query/bad_query.hpp"

namespace sluice {

namespace {

using namespace std::chrono;
namespace oid = proto::oid;
using detail::refuse;

std::uint32_t array_of(std::uint32_t element) noexcept {
  switch (element) {
    case oid::boolean: return oid::boolean_array;
    case oid::int4: return oid::int4_array;
    case oid::int8: return oid::int8_array;
    case oid::float8: return oid::float8_array;
    case oid::numeric: return oid::numeric_array;
    case oid::date: return oid::date_array;
    case oid::timestamptz: return oid::timestamptz_array;
    case oid::timestamp: return oid::timestamp_array;
    case oid::uuid: return oid::uuid_array;
    case oid::jsonb: return oid::jsonb_array;
    case oid::bytea: return oid::bytea_array;
    default: return 0;
  }
}

/// The type that holds both of two array elements.
std::uint32_t common_type(std::uint32_t a, std::uint32_t b) {
  if (a == b) return a;
  constexpr std::array numbers{oid::int4, oid::int8, oid::numeric, oid::float8};
  const auto wider = std::max(std::ranges::find(numbers, a), std::ranges::find(numbers, b));
  if (wider == numbers.end()) refuse("an array has elements of different types");
  return *wider;
}

/// bytea as text.
std::string hexadecimal(std::string_view bytes) {
  static constexpr std::string_view digits{"0123456789abcdef"};
  std::string text{"\\x"};
  for (const char each : bytes) {
    text += digits[static_cast<unsigned char>(each) >> 4U];
    text += digits[static_cast<unsigned char>(each) & 15U];
  }
  return text;
}

/// A date and a suffix, in a form that reads the same under every DateStyle. A std::chrono year has 16 bits; the
/// calendar repeats every 400 years, so the day is looked up in the first cycle.
std::string written(sys_days day, const char* time) {
  constexpr days cycle{146'097};
  const auto since = day.time_since_epoch();
  const auto cycles = since / cycle - (since % cycle < days{0} ? 1 : 0);
  const year_month_day date{sys_days{since - cycles * cycle}};
  const auto year = static_cast<std::int64_t>(cycles) * 400 + static_cast<int>(date.year());
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04lld-%02u-%02u %s%s", static_cast<long long>(year > 0 ? year : 1 - year),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time, year > 0 ? "" : " BC");
  return text.data();
}

}  // namespace

bind_value::bind_value(bool value) : text_{value ? "true" : "false"}, type_{oid::boolean} {}

/// As digits, which a numeric column takes unchanged. Converting from float8, the server would keep only 15 of 17
/// digits there, and for a comparison it would convert the column, which no index serves.
bind_value::bind_value(double value)
    : type_{std::isfinite(value) && !(value == 0 && std::signbit(value)) ? oid::numeric : oid::float8} {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text_.emplace(digits.data(), end.ptr);  // the shortest text that reads back as the same number; also inf and nan
}

/// With a time, which the server ignores for a date. Where it reads a timestamp, the value is midnight UTC whatever the
/// TimeZone.
bind_value::bind_value(sys_days value) : type_{oid::date} {
  constexpr sys_days first{days{-2'440'588}};
  constexpr sys_days last{days{2'145'042'905}};
  if (value == sys_days::max())
    text_ = "infinity";
  else if (value == sys_days::min())
    text_ = "-infinity";
  else if (value < first || value > last)
    refuse("a date out of the server's range, which is 4714-11-24 BC to 5874897-12-31");
  else
    text_ = written(value, "00:00:00+00");
}

bind_value::bind_value(year_month_day value) : type_{oid::date} {
  if (!value.ok()) refuse("a date that the calendar does not have");
  *this = bind_value{sys_days{value}};
}

bind_value bind_value::moment(std::optional<microseconds> since_1970, bool in_utc) {
  constexpr sys_time<microseconds> first{sys_days{year{-4713} / November / 24}};
  const std::uint32_t type = in_utc ? oid::timestamptz : oid::timestamp;
  if (since_1970 == microseconds::max()) return {"infinity", type};
  if (since_1970 == microseconds::min()) return {"-infinity", type};
  if (!since_1970 || *since_1970 < first.time_since_epoch())
    refuse("a moment out of range, which is 4714-11-24 BC to 294247-01-10");
  const auto day = floor<days>(sys_time<microseconds>{*since_1970});
  const hh_mm_ss time{sys_time<microseconds>{*since_1970} - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%06d%s", static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()), in_utc ? "+00" : "");
  return {written(day, text.data()), type};
}

bind_value bind_value::bytes(std::span<const std::byte> value) {
  return {std::string{reinterpret_cast<const char*>(value.data()), value.size()}, oid::bytea};
}

bind_value bind_value::array(std::span<const bind_value> elements, std::uint32_t type) {
  std::string text{"{"};
  std::optional<std::uint32_t> common;
  if (type != 0) common = type;
  for (const bind_value& each : elements) {
    if (each.text_ || each.type_ != 0) common = common_type(common.value_or(each.type_), each.type_);
    if (text.size() > 1) text += ',';
    if (!each.text_) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const char c : each.is_binary() ? hexadecimal(*each.text_) : *each.text_) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  const std::uint32_t element = common.value_or(0);
  if (element != 0 && array_of(element) == 0) refuse("an array of arrays: a parameter has one dimension");
  return {text + '}', array_of(element)};
}

}  // namespace sluice
