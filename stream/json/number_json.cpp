// Booleans, integers and numerics as JSON.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <sluice/proto/byte_order.hpp>

#include "json/digits.hpp"
#include "json/value_writers.hpp"

namespace sluice::detail {

namespace {

using proto::load_big;

template <class Integer>
bool write_integer(text_buffer& to, std::span<const std::byte> value) {
  using unsigned_integer = std::make_unsigned_t<Integer>;
  if (value.size() != sizeof(Integer)) return false;
  char* at = to.room(1 + most_digits);
  const auto number = static_cast<Integer>(load_big<unsigned_integer>(value.data()));
  auto size = static_cast<std::uint64_t>(number);
  if (number < 0) {
    *at++ = '-';
    size = 0 - size;
  }
  to.wrote(write_number(at, size));
  return true;
}

/// How many digits of base 10,000, the weight of the first, the sign, the digits after the point; and the digits.
/// @see src/backend/utils/adt/numeric.c in the sources of PostgreSQL
class numeric_value {
 public:
  explicit numeric_value(std::span<const std::byte> value) noexcept {
    constexpr std::size_t head = 8;
    if (value.size() < head) return;
    digits_ = value.data() + head;
    count_ = load_big<std::uint16_t>(value.data());
    weight_ = static_cast<std::int16_t>(load_big<std::uint16_t>(value.data() + 2));
    sign_ = load_big<std::uint16_t>(value.data() + 4);
    scale_ = load_big<std::uint16_t>(value.data() + 6);
    is_good_ = value.size() == head + 2 * static_cast<std::size_t>(count_) && scale_ <= most_scale;
  }
  [[nodiscard]] bool is_good() const noexcept { return is_good_; }
  [[nodiscard]] bool is_finite() const noexcept { return sign_ == positive || sign_ == negative; }
  /// Of what is not finite; empty: there is none of this sign.
  [[nodiscard]] std::string_view name() const noexcept {
    switch (sign_) {
      case 0xc000: return "\"NaN\"";
      case 0xd000: return "\"Infinity\"";
      case 0xf000: return "\"-Infinity\"";
      default: return {};
    }
  }
  /// How many characters `write` may use.
  [[nodiscard]] std::size_t longest() const noexcept {
    const auto whole = static_cast<std::size_t>(weight_ < 0 ? 1 : (weight_ + 1) * group_digits);
    return whole + static_cast<std::size_t>(scale_) + group_digits + 2;
  }
  char* write(char* to) const noexcept {
    if (sign_ == negative) *to++ = '-';
    if (weight_ < 0) {
      *to++ = '0';
    } else {
      to = write_group(to, group(0));
      for (int i = 1; i <= weight_; ++i) to = write_4_digits(to, group(i));
    }
    if (scale_ == 0) return to;
    *to++ = '.';
    char* const end = to + scale_;
    for (int i = weight_ + 1; to < end; ++i) to = write_4_digits(to, group(i));
    return end;  // within the last group, when the scale is no multiple of four
  }

 private:
  static constexpr int group_digits = 4;
  static constexpr int most_scale = 0x3fff;
  static constexpr std::uint16_t positive = 0;
  static constexpr std::uint16_t negative = 0x4000;

  [[nodiscard]] std::uint32_t group(int index) const noexcept {
    constexpr std::uint32_t most = 9'999;
    if (index < 0 || index >= count_) return 0;
    return std::min<std::uint32_t>(most, load_big<std::uint16_t>(digits_ + 2 * static_cast<std::size_t>(index)));
  }

  const std::byte* digits_{};
  int count_{0};
  int weight_{0};
  int scale_{0};
  std::uint16_t sign_{0};
  bool is_good_{false};
};

}  // namespace

bool write_bool(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 1) return false;
  const bool is_true = value[0] != std::byte{0};
  constexpr std::size_t longest = 5;
  char* const at = to.room(longest);
  std::memcpy(at, is_true ? "true " : "false", longest);  // of a fixed size, so that nothing is called
  to.wrote(at + (is_true ? longest - 1 : longest));
  return true;
}

bool write_int2(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int16_t>(to, value); }
bool write_int4(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int32_t>(to, value); }
bool write_int8(text_buffer& to, std::span<const std::byte> value) { return write_integer<std::int64_t>(to, value); }

bool write_object_id(text_buffer& to, std::span<const std::byte> value) {
  if (value.size() != 4) return false;
  char* at = to.room(2 + most_digits);
  *at++ = '"';
  at = write_number(at, load_big<std::uint32_t>(value.data()));
  *at++ = '"';
  to.wrote(at);
  return true;
}

bool write_numeric(text_buffer& to, std::span<const std::byte> value) {
  const numeric_value number{value};
  if (!number.is_good()) return false;
  if (number.is_finite()) {
    to.wrote(number.write(to.room(number.longest())));
    return true;
  }
  to.add(number.name());
  return !number.name().empty();
}

}  // namespace sluice::detail
