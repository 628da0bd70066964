// Floating-point numbers as JSON: the shortest digits that lie nearer to a number than to any other, in the server's
// form: 1e+15 and 1e-05, and all digits between.
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include <sluice/proto/byte_order.hpp>

#include "json/digits.hpp"
#include "json/value_writers.hpp"

namespace sluice::detail {

namespace {

using proto::load_big;

constexpr std::size_t longest = 48;        // of a number, and of what is copied in passing
constexpr std::size_t most_decimals = 16;  // after the first digit
constexpr int least_plain_exponent = -4;

/// An odd number times a power of two.
struct dyadic {
  std::uint64_t odd;
  int exponent;

  friend bool operator==(const dyadic&, const dyadic&) = default;
};

dyadic reduced(std::uint64_t number, int exponent) noexcept {
  const int twos = std::countr_zero(number);
  return {number >> static_cast<unsigned>(twos), exponent + twos};
}

/// Digits times a power of ten, as far as it is one with less than 60 bits; an odd number of 0 where it is not.
dyadic as_dyadic(std::uint64_t digits, int power) noexcept {
  constexpr std::uint64_t most = 1ULL << 60U;
  dyadic result = reduced(digits, power);  // ten is five times two
  for (; power > 0; --power) {
    if (result.odd > most / 5) return {};
    result.odd *= 5;
  }
  for (; power < 0; ++power) {
    if (result.odd % 5 != 0) return {};
    result.odd /= 5;
  }
  return result;
}

/// "1.25e-07" of std::to_chars, without a sign: its digits, and the powers of ten of the first and of the last one.
template <class Float>
class scientific {
 public:
  explicit scientific(Float number) noexcept {
    end_ = std::to_chars(text_.data(), text_.data() + text_.size(), number, std::chars_format::scientific).ptr;
    look();
  }
  /// With so many digits after the point.
  void make_longer(Float number, int decimals) noexcept {
    end_ =
        std::to_chars(text_.data(), text_.data() + text_.size(), number, std::chars_format::scientific, decimals).ptr;
    look();
  }
  [[nodiscard]] int exponent() const noexcept { return exponent_; }
  [[nodiscard]] int count() const noexcept { return count_; }
  [[nodiscard]] int power() const noexcept { return exponent_ - count_ + 1; }
  [[nodiscard]] char last_digit() const noexcept { return count_ == 1 ? text_[0] : *(e_ - 1); }
  [[nodiscard]] std::uint64_t digits() const noexcept {
    std::uint64_t all = 0;
    for (const char* at = text_.data(); at != e_; ++at)
      if (*at != '.') all = 10 * all + static_cast<unsigned>(*at - '0');
    return all;
  }

  /// @param to  has room for `longest`
  char* write(char* to) const noexcept {
    std::memcpy(to, text_.data(), text_.size());
    return to + (end_ - text_.data());
  }
  /// The same without an exponent, which is from -4 to 14.
  char* write_plainly(char* to) const noexcept {
    const char* const decimals = text_.data() + 2;
    if (exponent_ < 0) {
      constexpr std::array<char, 5> zeros{'0', '.', '0', '0', '0'};
      std::memcpy(to, zeros.data(), zeros.size());
      to += 1 - exponent_;
      *to = text_[0];
      std::memcpy(to + 1, decimals, most_decimals);
      return to + count_;
    }
    if (exponent_ >= count_ - 1) {
      std::memset(to, '0', most_decimals);
      *to = text_[0];
      std::memcpy(to + 1, decimals, static_cast<std::size_t>(count_ - 1));
      return to + exponent_ + 1;
    }
    *to = text_[0];
    std::memcpy(to + 1, decimals, most_decimals);
    to += exponent_ + 1;
    *to = '.';
    std::memcpy(to + 1, decimals + exponent_, most_decimals);
    return to + count_ - exponent_;
  }

 private:
  void look() noexcept {
    e_ = end_[-4] == 'e' ? end_ - 4 : end_ - 5;
    count_ = static_cast<int>(e_ - text_.data());
    if (count_ > 1) --count_;  // the point
    exponent_ = 0;
    for (const char* at = e_ + 2; at != end_; ++at) exponent_ = 10 * exponent_ + (*at - '0');
    if (e_[1] == '-') exponent_ = -exponent_;
  }

  std::array<char, 40> text_{};
  const char* end_{};
  const char* e_{};
  int count_{};
  int exponent_{};
};

/// Half the way to one of the neighbours: it is read as this number only because a tie goes to the even one. The server
/// never writes such digits.
/// @see src/common/d2s.c in the sources of PostgreSQL
template <class Float, class Bits>
bool is_a_tie(Bits bits, const scientific<Float>& written) noexcept {
  constexpr int fraction_bits = std::numeric_limits<Float>::digits - 1;
  constexpr int bias = std::numeric_limits<Float>::max_exponent - 1 + fraction_bits;
  const bool may_be_exact = written.power() >= 0 || written.last_digit() == '5';
  if (bits % 2 != 0 || !may_be_exact) return false;
  const auto biased = static_cast<int>(bits >> fraction_bits);
  const std::uint64_t fraction = bits & ((Bits{1} << fraction_bits) - 1);
  const std::uint64_t mantissa = biased == 0 ? fraction : fraction | std::uint64_t{1} << fraction_bits;
  const int exponent = (biased == 0 ? 1 : biased) - bias;
  const dyadic at = as_dyadic(written.digits(), written.power());
  if (at.odd == 0) return false;
  const bool is_lowest = fraction == 0 && biased > 1;  // of its power of two: the one below is half as far away
  const dyadic below = is_lowest ? reduced(4 * mantissa - 1, exponent - 2) : reduced(2 * mantissa - 1, exponent - 1);
  return at == reduced(2 * mantissa + 1, exponent - 1) || at == below;
}

/// As `write_few_digits`, which has fewer digits to take away again then.
/// @param whole  the part of `number` before the point
char* write_up_to_4_decimals(char* to, double number, std::uint64_t whole) noexcept {
  constexpr double limit = 1e11;
  constexpr std::uint64_t power = 10'000;
  const auto scaled = static_cast<std::uint64_t>(number * power + 0.5);  // NOLINT(bugprone-incorrect-roundings)
  if (number >= limit || static_cast<double>(scaled) / power != number) return nullptr;
  to = write_number(to, whole);
  *to++ = '.';
  to = write_4_digits(to, static_cast<std::uint32_t>(scaled - whole * power));
  while (to[-1] == '0') --to;
  return to;
}

/// Numbers with few digits, such as prices, by one multiplication and one division: when a decimal of at most 15 digits
/// is read as this number, no other decimal of so few digits is, and none of them lies half way to a neighbour.
/// @param number  positive
/// @return null: it is not of this kind
char* write_few_digits(char* to, double number) noexcept {
  constexpr double least = 1e-4;
  constexpr double limit = 1e15;
  constexpr std::array<double, 20> powers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                          1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  if (!(number >= least && number < limit)) return nullptr;
  const auto whole = static_cast<std::uint64_t>(number);
  if (static_cast<double>(whole) == number) return write_number(to, whole);
  if (char* const end = write_up_to_4_decimals(to, number, whole)) return end;

  // The power of two below it says its power of ten within one: with `decimals` after the point it has 14 or 15 digits.
  const int twos = static_cast<int>(std::bit_cast<std::uint64_t>(number) >> 52U) - 1023;
  const int tens = (twos * 1233) >> 12;
  const int decimals = 13 - tens;
  if (decimals <= 0) return nullptr;
  const double power = powers[static_cast<std::size_t>(decimals)];
  const auto scaled = static_cast<std::uint64_t>(number * power + 0.5);  // NOLINT(bugprone-incorrect-roundings)
  // Where it was rounded the wrong way, this does not hold.
  if (static_cast<double>(scaled) / power != number) return nullptr;

  to = write_number(to, whole);
  *to++ = '.';
  std::uint64_t fraction = scaled - whole * static_cast<std::uint64_t>(power);
  int left = decimals;
  for (; fraction % 10'000 == 0; left -= 4) fraction /= 10'000;
  for (; fraction % 10 == 0; --left) fraction /= 10;
  for (int at = left; at > 0; fraction /= 100) {
    at -= 2;
    if (at < 0)
      to[0] = static_cast<char>('0' + fraction % 10);
    else
      write_2_digits(to + at, static_cast<std::uint32_t>(fraction % 100));
  }
  return to + left;
}

template <class Float, class Bits>
char* write_positive(char* to, Bits bits) noexcept {
  constexpr int first_long_exponent = sizeof(Float) == 4 ? 6 : 15;
  const auto number = std::bit_cast<Float>(bits);
  if constexpr (sizeof(Float) == 8) {
    if (char* const end = write_few_digits(to, number)) return end;
  }
  scientific<Float> written{number};
  for (int decimals = written.count() - 1; is_a_tie<Float, Bits>(bits, written);)
    written.make_longer(number, ++decimals);
  const bool is_plain = written.exponent() >= least_plain_exponent && written.exponent() < first_long_exponent;
  return is_plain ? written.write_plainly(to) : written.write(to);
}

template <class Float, class Bits>
bool write_float(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != sizeof(Float)) return false;
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  const auto bits = load_big<Bits>(value.data());
  const auto number = std::bit_cast<Float>(bits);
  if (std::isnan(number)) return to.add("\"NaN\""), true;
  if (std::isinf(number)) return to.add(number > 0 ? "\"Infinity\"" : "\"-Infinity\""), true;
  char* at = to.room(longest);
  if ((bits & sign) != 0) *at++ = '-';
  if (number == 0) {
    *at++ = '0';
  } else {
    at = write_positive<Float, Bits>(at, bits & static_cast<Bits>(~sign));
  }
  to.wrote(at);
  return true;
}

}  // namespace

bool write_float4(text_buffer& to, std::span<const std::byte> value) {
  return write_float<float, std::uint32_t>(to, value);
}
bool write_float8(text_buffer& to, std::span<const std::byte> value) {
  return write_float<double, std::uint64_t>(to, value);
}

}  // namespace sluice::detail
