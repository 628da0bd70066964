#include <sluice/stream/bind_value.hpp>

#include <array>
#include <charconv>
#include <cstdio>

#include <sluice/wire/error.hpp>

namespace sluice {

namespace {

std::uint32_t array_of(std::uint32_t element) noexcept {
  using namespace proto::oid;
  switch (element) {
    case boolean: return boolean_array;
    case int8: return int8_array;
    case float8: return float8_array;
    case numeric: return numeric_array;
    case timestamptz: return timestamptz_array;
    case timestamp: return timestamp_array;
    case proto::oid::uuid: return uuid_array;
    case jsonb: return jsonb_array;
    case bytea: return bytea_array;
    default: return 0;
  }
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

}  // namespace

bind_value::bind_value(bool value) : text_{value ? "true" : "false"}, type_{proto::oid::boolean} {}

bind_value::bind_value(double value) : type_{proto::oid::float8} {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text_.emplace(digits.data(), end.ptr);  // the shortest text that reads back as the same number; also inf and nan
}

bind_value bind_value::moment(std::chrono::microseconds since_1970, bool in_utc) {
  using namespace std::chrono;
  const sys_time<microseconds> value{since_1970};
  const auto day = floor<days>(value);
  const year_month_day date{day};
  const hh_mm_ss time{value - day};
  const int year = static_cast<int>(date.year());
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d.%06d%s%s", year > 0 ? year : 1 - year,
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()),
                in_utc ? "+00" : "", year > 0 ? "" : " BC");
  return {text.data(), in_utc ? proto::oid::timestamptz : proto::oid::timestamp};
}

bind_value bind_value::bytes(std::span<const std::byte> value) {
  return {std::string{reinterpret_cast<const char*>(value.data()), value.size()}, proto::oid::bytea};
}

bind_value bind_value::array(std::span<const bind_value> elements) {
  std::string text{"{"};
  std::optional<std::uint32_t> type;
  for (const bind_value& each : elements) {
    if (text.size() > 1) text += ',';
    if (!each.text_) {
      text += "NULL";
      continue;
    }
    if (type.value_or(each.type_) != each.type_)
      throw error{errc::bad_query, "an array has elements of different types"};
    type = each.type_;
    text += '"';
    for (const char c : each.is_binary() ? hexadecimal(*each.text_) : *each.text_) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return {text + '}', type ? array_of(*type) : 0};
}

}  // namespace sluice
