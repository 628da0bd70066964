#include <sluice/stream/json_moment.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>

#include "ascii.hpp"

namespace sluice {

using detail::is_digit;

namespace {

std::string_view without_spaces(std::string_view text) noexcept {
  constexpr std::string_view spaces{" \t\n\v\f\r"};
  const std::size_t first = text.find_first_not_of(spaces);
  return first == text.npos ? std::string_view{} : text.substr(first, text.find_last_not_of(spaces) + 1 - first);
}

/// Consumes numbers and words from the front of a text.
class moment_reader {
 public:
  explicit moment_reader(std::string_view text) noexcept : rest_{text} {}

  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool done() const noexcept { return rest_.empty(); }
  [[nodiscard]] bool at_digit() const noexcept { return !rest_.empty() && is_digit(rest_.front()); }
  [[nodiscard]] std::size_t digits() const noexcept {
    std::size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count])) ++count;
    return count;
  }
  bool take(std::string_view word) noexcept {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool take_last(std::string_view word) noexcept {
    if (!rest_.ends_with(word)) return false;
    rest_.remove_suffix(word.size());
    return true;
  }
  void expect(std::string_view word) noexcept { good_ = take(word) && good_; }
  void refuse() noexcept { good_ = false; }
  /// @param most  larger numbers are invalid
  int number(std::size_t count, int most) noexcept {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!at_digit()) {
        good_ = false;
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    good_ = good_ && value <= most;
    return value;
  }
  /// A point and digits, rounded as the server rounds them.
  std::chrono::microseconds fraction(bool is_zero) noexcept {
    if (!take(".")) return {};
    const std::size_t count = digits();
    good_ = good_ && count >= 1 && count <= 30;
    if (is_zero) good_ = good_ && rest_.substr(0, count).find_first_not_of('0') == rest_.npos;
    double value = 0;
    const char* const point = rest_.data() - 1;
    std::from_chars(point, rest_.data() + count, value);
    rest_.remove_prefix(count);
    return std::chrono::microseconds{std::llrint(value * 1'000'000)};
  }

 private:
  std::string_view rest_;
  bool good_{true};
};

using moment = std::chrono::sys_time<std::chrono::microseconds>;

/// Days since 1970 in the proleptic Gregorian calendar; `chrono::year` ends at 32767.
std::chrono::days since_1970(int year, int month, int day) noexcept {
  constexpr int days_per_era = 146'097;  // 400 years
  const int era = (year >= 0 ? year : year - 399) / 400;
  const std::chrono::year_month_day within{std::chrono::year{year - era * 400 + 2000},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
  return std::chrono::sys_days{within}.time_since_epoch() + std::chrono::days{(era - 5) * days_per_era};
}

bool is_day(int year, int month, int day) noexcept {
  const int in_era = ((year % 400) + 400) % 400 + 2000;
  return std::chrono::year_month_day{std::chrono::year{in_era}, std::chrono::month{static_cast<unsigned>(month)},
                                     std::chrono::day{static_cast<unsigned>(day)}}
      .ok();
}

std::chrono::microseconds time_of_day(moment_reader& in, bool is_basic) noexcept {
  using namespace std::chrono;
  const int hour = in.number(2, is_basic ? 23 : 24);
  if (!is_basic) in.expect(":");
  const bool is_end = hour == 24;
  const int minute = in.number(2, is_end ? 0 : 59);
  int second = 0;
  microseconds fraction{};
  if (is_basic ? in.at_digit() : in.take(":")) {
    second = in.number(2, is_end ? 0 : is_basic ? 59 : 60);
    fraction = in.fraction(is_end || second == 60);
  }
  return hours{hour} + minutes{minute} + seconds{second} + fraction;
}

/// The offset east of Greenwich.
std::chrono::seconds offset(moment_reader& in, bool is_basic) noexcept {
  using namespace std::chrono;
  if (!is_basic) (void)in.take(" ");
  if (in.take("Z") || in.take("z") || (!is_basic && (in.take("UTC") || in.take("GMT")))) return {};
  const bool is_east = in.take("+");
  if (!is_east) in.expect("-");
  seconds size = hours{in.number(2, 15)};
  if (in.at_digit()) {
    size += minutes{in.number(2, 59)};
  } else if (!is_basic && in.take(":")) {
    size += minutes{in.number(2, 59)};
    if (in.take(":")) size += seconds{in.number(2, 59)};
  }
  return is_east ? size : -size;
}

}  // namespace

std::optional<moment> parse_moment(std::string_view text) noexcept {
  using namespace std::chrono;
  text = without_spaces(text);
  if (text == "infinity" || text == "Infinity") return moment::max();
  if (text == "-infinity" || text == "-Infinity") return moment::min();

  moment_reader in{text};
  const bool is_basic = in.digits() == 8;
  const bool is_bc = !is_basic && in.take_last(" BC");
  const std::size_t digits = is_basic ? 4 : in.digits();
  if (digits < 4 || digits > (is_bc ? 4 : 6)) return std::nullopt;
  const int written = in.number(digits, is_bc ? 4713 : 294'246);
  const int year = is_bc ? 1 - written : written;
  if (!is_basic) in.expect("-");
  const int month = in.number(2, 12);
  if (!is_basic) in.expect("-");
  const int day = in.number(2, 31);
  if (!in.good() || written == 0 || !is_day(year, month, day)) return std::nullopt;
  moment at{since_1970(year, month, day)};
  if (in.done()) return at;

  if (!in.take("T") && !in.take("t")) {
    if (is_basic) in.refuse();
    in.expect(" ");
  }
  const microseconds time = time_of_day(in, is_basic);
  at += time;
  if (!in.done()) at -= offset(in, is_basic);
  if (!in.good() || !in.done()) return std::nullopt;
  return at;
}

}  // namespace sluice
