#include <sluice/stream/json_moment.hpp>

#include <cstddef>

namespace sluice {

namespace {

/// Takes fixed numbers of digits and single characters off a text's front.
class moment_reader {
 public:
  explicit moment_reader(std::string_view text) noexcept : rest_{text} {}

  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool done() const noexcept { return rest_.empty(); }
  bool take(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) noexcept { good_ = take(c) && good_; }
  /// @param most  larger numbers are wrong
  int number(std::size_t digits, int most) noexcept {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char c = rest_.empty() ? '\0' : rest_.front();
      if (c < '0' || c > '9') {
        good_ = false;
        return 0;
      }
      value = value * 10 + (c - '0');
      rest_.remove_prefix(1);
    }
    good_ = good_ && value <= most;
    return value;
  }
  int microseconds() noexcept {
    int value = 0;
    int digits = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits, rest_.remove_prefix(1))
      if (digits < 6) value = value * 10 + (rest_.front() - '0');
    good_ = good_ && digits >= 1 && digits <= 6;
    for (; digits < 6; ++digits) value *= 10;
    return value;
  }

 private:
  std::string_view rest_;
  bool good_{true};
};

}  // namespace

std::optional<std::chrono::sys_time<std::chrono::microseconds>> parse_moment(std::string_view text) noexcept {
  using namespace std::chrono;
  moment_reader in{text};
  const int y = in.number(4, 9999);
  in.expect('-');
  const auto m = static_cast<unsigned>(in.number(2, 12));
  in.expect('-');
  const auto d = static_cast<unsigned>(in.number(2, 31));
  const year_month_day date{year{y}, month{m}, day{d}};
  if (!in.good() || !date.ok()) return std::nullopt;
  sys_time<microseconds> moment = sys_days{date};
  if (in.done()) return moment;

  if (!in.take('T')) in.expect(' ');
  moment += hours{in.number(2, 23)};
  in.expect(':');
  moment += minutes{in.number(2, 59)};
  if (in.take(':')) {
    moment += seconds{in.number(2, 59)};
    if (in.take('.')) moment += microseconds{in.microseconds()};
  }
  if (!in.done() && !in.take('Z')) {
    (void)in.take(' ');
    const bool east = in.take('+');
    if (!east) in.expect('-');
    minutes offset = hours{in.number(2, 15)};
    if (!in.done()) {
      (void)in.take(':');
      offset += minutes{in.number(2, 59)};
    }
    moment -= east ? offset : -offset;
  }
  if (!in.good() || !in.done()) return std::nullopt;
  return moment;
}

}  // namespace sluice
