// Dates and times as JSON: ISO 8601, as the server writes them there whatever DateStyle is.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>

#include <sluice/proto/byte_order.hpp>

#include "json/digits.hpp"
#include "json/value_writers.hpp"
#include "rows/postgres_epoch.hpp"

namespace sluice::detail {

namespace {

using proto::load_big;

constexpr std::int64_t second = 1'000'000;  // in microseconds
constexpr std::int64_t whole_day = 86'400 * second;
constexpr std::size_t longest_moment = 64;

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
  const year_month_day date{postgres_epoch + days{rest}};
  std::int64_t number = static_cast<int>(date.year()) + 400 * cycles;
  is_before_christ = number <= 0;
  if (is_before_christ) number = 1 - number;
  constexpr std::int64_t first_longer = 10'000;
  const auto year = static_cast<std::uint32_t>(number);
  to = number < first_longer ? write_4_digits(to, year) : write_number(to, year);
  *to++ = '-';
  to = write_2_digits(to, static_cast<unsigned>(date.month()));
  *to++ = '-';
  return write_2_digits(to, static_cast<unsigned>(date.day()));
}

/// @param time  since midnight, at most a day
char* write_clock(char* to, std::uint64_t time) noexcept {
  const auto seconds = static_cast<std::uint32_t>(time / second);
  auto fraction = static_cast<std::uint32_t>(time % second);
  const std::uint32_t minutes = seconds / 60;
  write_2_digits(to, minutes / 60);
  to[2] = ':';
  write_2_digits(to + 3, minutes % 60);
  to[5] = ':';
  to = write_2_digits(to + 6, seconds % 60);
  if (fraction == 0) return to;
  *to = '.';
  write_2_digits(to + 1, fraction / 10'000);
  fraction %= 10'000;
  to = write_4_digits(to + 3, fraction);
  while (to[-1] == '0') --to;
  return to;
}

/// A literal. Its size is known, so that nothing is called.
template <std::size_t size>
char* write_text(char* to, const char (&text)[size]) noexcept {
  std::memcpy(to, text, size - 1);
  return to + size - 1;
}

/// Of a timestamp or a date.
template <class Integer>
bool write_if_infinite(text_buffer& to, Integer time) {
  if (time == std::numeric_limits<Integer>::max()) return to.add("\"infinity\""), true;
  if (time == std::numeric_limits<Integer>::min()) return to.add("\"-infinity\""), true;
  return false;
}

template <bool has_zone>
bool write_moment(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 8) return false;
  const auto time = static_cast<std::int64_t>(load_big<std::uint64_t>(value.data()));
  if (write_if_infinite(to, time)) return true;
  std::int64_t days = time / whole_day;
  std::int64_t of_day = time % whole_day;
  if (of_day < 0) {
    of_day += whole_day;
    --days;
  }
  char* at = to.room(longest_moment);
  *at++ = '"';
  bool is_before_christ = false;
  at = write_day(at, days, is_before_christ);
  *at++ = 'T';
  at = write_clock(at, static_cast<std::uint64_t>(of_day));
  if constexpr (has_zone) at = write_text(at, "+00:00");
  if (is_before_christ) at = write_text(at, " BC");
  *at++ = '"';
  to.wrote(at);
  return true;
}

}  // namespace

bool write_date(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 4) return false;
  const auto days = static_cast<std::int32_t>(load_big<std::uint32_t>(value.data()));
  if (write_if_infinite(to, days)) return true;
  char* at = to.room(longest_moment);
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
  const auto time = load_big<std::uint64_t>(value.data());
  if (time > static_cast<std::uint64_t>(whole_day)) return false;
  char* at = to.room(longest_moment);
  *at++ = '"';
  at = write_clock(at, time);
  *at++ = '"';
  to.wrote(at);
  return true;
}

bool write_timestamp(text_buffer& to, std::span<const std::byte> value) { return write_moment<false>(to, value); }
bool write_timestamptz(text_buffer& to, std::span<const std::byte> value) { return write_moment<true>(to, value); }

}  // namespace sluice::detail
