// Numbers as JSON.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include <sluice/proto/byte_order.hpp>

#include "json/value_writers.hpp"

namespace sluice::detail {

namespace {

using proto::load_big;

template <class Integer>
bool write_integer(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != sizeof(Integer)) return false;
  constexpr std::size_t longest = 20;
  char* const room = to.room(longest);
  const auto number = static_cast<Integer>(load_big<std::make_unsigned_t<Integer>>(value.data()));
  to.wrote(std::to_chars(room, room + longest, number).ptr);
  return true;
}

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

/// "-1.25e-07": digits 125, and the powers of ten of the first and of the last one.
struct scientific {
  std::uint64_t digits{0};
  int count{0};
  int exponent{0};
  bool is_negative{false};

  scientific(const char* at, const char* end) noexcept {
    is_negative = *at == '-';
    if (is_negative) ++at;
    for (; *at != 'e'; ++at) {
      if (*at == '.') continue;
      digits = 10 * digits + static_cast<unsigned>(*at - '0');
      ++count;
    }
    std::from_chars(at + (at[1] == '+' ? 2 : 1), end, exponent);
  }
  [[nodiscard]] int power() const noexcept { return exponent - count + 1; }

  /// The same without an exponent.
  char* write_plainly(char* to) const noexcept {
    if (is_negative) *to++ = '-';
    if (exponent < 0) {
      constexpr std::string_view zeros{"0.000"};
      to = std::copy_n(zeros.data(), 1 - exponent, to);
      return std::to_chars(to, to + count, digits).ptr;
    }
    char* const end = std::to_chars(to, to + count, digits).ptr;
    char* const point = to + exponent + 1;
    if (end <= point) return std::fill_n(end, point - end, '0');
    std::copy_backward(point, end, end + 1);
    *point = '.';
    return end + 1;
  }
};

/// Half the way to one of the neighbours: it is read as this number only because a tie goes to the even one.
template <class Float, class Bits>
bool is_a_tie(Float number, const scientific& written) noexcept {
  constexpr int fraction_bits = std::numeric_limits<Float>::digits - 1;
  constexpr int bias = std::numeric_limits<Float>::max_exponent - 1 + fraction_bits;
  const Bits bits = std::bit_cast<Bits>(number) & ~(Bits{1} << (8 * sizeof(Bits) - 1));
  const auto biased = static_cast<int>(bits >> fraction_bits);
  const std::uint64_t fraction = bits & ((Bits{1} << fraction_bits) - 1);
  const bool may_be_exact = written.power() >= 0 || written.digits % 5 == 0;
  if (fraction % 2 != 0 || bits == 0 || !may_be_exact) return false;
  const std::uint64_t mantissa = biased == 0 ? fraction : fraction | std::uint64_t{1} << fraction_bits;
  const int exponent = (biased == 0 ? 1 : biased) - bias;
  const dyadic at = as_dyadic(written.digits, written.power());
  if (at.odd == 0) return false;
  const bool is_lowest = fraction == 0 && biased > 1;  // of its power of two: the one below is half as far away
  const dyadic below = is_lowest ? reduced(4 * mantissa - 1, exponent - 2) : reduced(2 * mantissa - 1, exponent - 1);
  return at == reduced(2 * mantissa + 1, exponent - 1) || at == below;
}

/// The shortest digits that lie nearer to this number than to any other, in the server's form: 1e+15 and 1e-05, and all
/// digits between.
/// @see src/common/d2s.c in the sources of PostgreSQL
template <class Float, class Bits>
bool write_float(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != sizeof(Float)) return false;
  const auto number = std::bit_cast<Float>(load_big<Bits>(value.data()));
  if (std::isnan(number)) return to.add("\"NaN\""), true;
  if (std::isinf(number)) return to.add(number > 0 ? "\"Infinity\"" : "\"-Infinity\""), true;
  constexpr int first_long_exponent = sizeof(Float) == 4 ? 6 : 15;
  constexpr std::size_t longest = 32;
  char* const room = to.room(longest);
  char* end = std::to_chars(room, room + longest, number, std::chars_format::scientific).ptr;
  scientific written{room, end};
  for (int digits = written.count - 1; is_a_tie<Float, Bits>(number, written);) {
    end = std::to_chars(room, room + longest, number, std::chars_format::scientific, ++digits).ptr;
    written = scientific{room, end};
  }
  const bool is_plain = written.exponent >= -4 && written.exponent < first_long_exponent;
  to.wrote(is_plain ? written.write_plainly(room) : end);
  return true;
}

constexpr int group_digits = 4;

char* write_group(char* to, unsigned group) noexcept {
  for (int i = group_digits; i-- != 0; group /= 10) to[i] = static_cast<char>('0' + group % 10);
  return to + group_digits;
}

/// How many digits of base 10,000, the weight of the first, the sign, the digits behind the point; and the digits.
/// @see src/backend/utils/adt/numeric.c in the sources of PostgreSQL
class numeric_value {
 public:
  explicit numeric_value(std::span<const std::byte> value) noexcept : digits_{value} {
    if (value.size() < head) return;
    count_ = load_big<std::uint16_t>(value.data());
    weight_ = static_cast<std::int16_t>(load_big<std::uint16_t>(value.data() + 2));
    sign_ = load_big<std::uint16_t>(value.data() + 4);
    scale_ = load_big<std::uint16_t>(value.data() + 6);
    is_good_ = value.size() == head + 2U * static_cast<unsigned>(count_);
  }
  [[nodiscard]] bool is_good() const noexcept { return is_good_; }
  [[nodiscard]] std::string_view name() const noexcept {
    switch (sign_) {
      case 0xc000: return "\"NaN\"";
      case 0xd000: return "\"Infinity\"";
      case 0xf000: return "\"-Infinity\"";
      default: return {};
    }
  }
  [[nodiscard]] std::size_t longest() const noexcept {
    const auto whole = static_cast<std::size_t>(weight_ < 0 ? 1 : (weight_ + 1) * group_digits);
    return whole + static_cast<std::size_t>(scale_) + group_digits + 2;
  }
  char* write(char* to) const noexcept {
    constexpr std::uint16_t negative = 0x4000;
    if (sign_ == negative) *to++ = '-';
    if (weight_ < 0) {
      *to++ = '0';
    } else {
      to = std::to_chars(to, to + group_digits, group(0)).ptr;
      for (int i = 1; i <= weight_; ++i) to = write_group(to, group(i));
    }
    if (scale_ == 0) return to;
    *to++ = '.';
    char* const end = to + scale_;
    for (int i = weight_ + 1; to < end; ++i) to = write_group(to, group(i));
    return end;
  }

 private:
  static constexpr std::size_t head = 8;

  [[nodiscard]] unsigned group(int index) const noexcept {
    if (index < 0 || index >= count_) return 0;
    return load_big<std::uint16_t>(digits_.data() + head + 2 * static_cast<std::size_t>(index)) % 10'000U;
  }

  std::span<const std::byte> digits_;
  int count_{0};
  int weight_{0};
  int scale_{0};
  std::uint16_t sign_{0};
  bool is_good_{false};
};

}  // namespace

bool write_int2(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int16_t>(to, value); }
bool write_int4(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int32_t>(to, value); }
bool write_int8(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int64_t>(to, value); }
bool write_float4(text_buffer& to, std::span<const std::byte> value) {
  return write_float<float, std::uint32_t>(to, value);
}
bool write_float8(text_buffer& to, std::span<const std::byte> value) {
  return write_float<double, std::uint64_t>(to, value);
}

bool write_numeric(text_buffer& to, std::span<const std::byte> value) {
  const numeric_value number{value};
  if (!number.is_good()) return false;
  if (const std::string_view name = number.name(); !name.empty()) return to.add(name), true;
  to.wrote(number.write(to.room(number.longest())));
  return true;
}

bool write_bool(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 1) return false;
  to.add(value[0] != std::byte{0} ? "true" : "false");
  return true;
}

}  // namespace sluice::detail
