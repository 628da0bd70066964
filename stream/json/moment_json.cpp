// Dates and times as JSON: ISO 8601, as the server writes them there whatever DateStyle is.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string_view>

#include <sluice/proto/byte_order.hpp>

#include "json/value_writers.hpp"

namespace sluice::detail {

namespace {

using proto::load_big;

constexpr std::int64_t second = 1'000'000;  // in microseconds
constexpr std::int64_t day = 86'400 * second;
constexpr std::size_t longest = 64;

char* write_two(char* to, std::int64_t number) noexcept {
  to[0] = static_cast<char>('0' + number / 10);
  to[1] = static_cast<char>('0' + number % 10);
  return to + 2;
}

char* write_year(char* to, std::int64_t number) noexcept {
  if (number > 9'999) return std::to_chars(to, to + 10, number).ptr;
  return write_two(write_two(to, number / 100), number % 100);
}

/// The year without its sign: before the first there is 1 BC, which is 0 here.
char* write_day(char* to, std::int64_t days_since_2000, bool& is_before_christ) noexcept {
  using namespace std::chrono;
  // Years beyond those of std::chrono: cycles of 400 years are all alike.
  constexpr std::int64_t cycle = 146'097;
  std::int64_t cycles = days_since_2000 / cycle;
  std::int64_t rest = days_since_2000 % cycle;
  if (rest < 0) {
    rest += cycle;
    --cycles;
  }
  const year_month_day date{sys_days{year{2000} / January / 1} + days{rest}};
  std::int64_t number = static_cast<int>(date.year()) + 400 * cycles;
  is_before_christ = number <= 0;
  if (is_before_christ) number = 1 - number;
  to = write_year(to, number);
  *to++ = '-';
  to = write_two(to, static_cast<unsigned>(date.month()));
  *to++ = '-';
  return write_two(to, static_cast<unsigned>(date.day()));
}

char* write_clock(char* to, std::int64_t time) noexcept {
  const std::int64_t seconds = time / second;
  to = write_two(to, seconds / 3600);
  *to++ = ':';
  to = write_two(to, seconds / 60 % 60);
  *to++ = ':';
  to = write_two(to, seconds % 60);
  std::int64_t fraction = time % second;
  if (fraction == 0) return to;
  *to++ = '.';
  for (std::int64_t part = second / 100; part != 0; part /= 100) {
    to = write_two(to, fraction / part);
    fraction %= part;
  }
  while (to[-1] == '0') --to;
  return to;
}

char* write_text(char* to, std::string_view text) noexcept {
  for (const char c : text) *to++ = c;
  return to;
}

/// @param behind  the zone, if any
bool write_moment(text_buffer& to, std::span<const std::byte> value, std::string_view behind) {
  if (value.size() != 8) return false;
  const auto time = static_cast<std::int64_t>(load_big<std::uint64_t>(value.data()));
  if (time == std::numeric_limits<std::int64_t>::max()) return to.add("\"infinity\""), true;
  if (time == std::numeric_limits<std::int64_t>::min()) return to.add("\"-infinity\""), true;
  std::int64_t days = time / day;
  std::int64_t of_day = time % day;
  if (of_day < 0) {
    of_day += day;
    --days;
  }
  char* at = to.room(longest);
  *at++ = '"';
  bool is_before_christ = false;
  at = write_day(at, days, is_before_christ);
  *at++ = 'T';
  at = write_clock(at, of_day);
  at = write_text(at, behind);
  if (is_before_christ) at = write_text(at, " BC");
  *at++ = '"';
  to.wrote(at);
  return true;
}

}  // namespace

bool write_date(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 4) return false;
  const auto days = static_cast<std::int32_t>(load_big<std::uint32_t>(value.data()));
  if (days == std::numeric_limits<std::int32_t>::max()) return to.add("\"infinity\""), true;
  if (days == std::numeric_limits<std::int32_t>::min()) return to.add("\"-infinity\""), true;
  char* at = to.room(longest);
  *at++ = '"';
  bool is_before_christ = false;
  at = write_day(at, days, is_before_christ);
  if (is_before_christ) at = write_text(at, " BC");
  *at++ = '"';
  to.wrote(at);
  return true;
}

bool write_time(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 8) return false;
  const auto time = static_cast<std::int64_t>(load_big<std::uint64_t>(value.data()));
  if (time < 0 || time > day) return false;
  char* at = to.room(longest);
  *at++ = '"';
  at = write_clock(at, time);
  *at++ = '"';
  to.wrote(at);
  return true;
}

bool write_timestamp(text_buffer& to, std::span<const std::byte> value) { return write_moment(to, value, {}); }
bool write_timestamptz(text_buffer& to, std::span<const std::byte> value) { return write_moment(to, value, "+00:00"); }

}  // namespace sluice::detail
