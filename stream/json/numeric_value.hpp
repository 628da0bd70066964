#pragma once
// A value of type numeric in the binary format.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sluice/proto/byte_order.hpp>

#include "json/digits.hpp"

namespace sluice::detail {

/// How many digits of base 10,000, the weight of the first, the sign, the digits after the point; and the digits.
/// @see src/backend/utils/adt/numeric.c in the sources of PostgreSQL
class numeric_value {
 public:
  static constexpr std::uint32_t base = 10'000;

  explicit numeric_value(std::span<const std::byte> value) noexcept {
    using proto::load_big;
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
  [[nodiscard]] bool is_negative() const noexcept { return sign_ == negative; }
  /// Of what is not finite; empty: there is none of this sign.
  [[nodiscard]] std::string_view name() const noexcept {
    switch (sign_) {
      case 0xc000: return "NaN";
      case 0xd000: return "Infinity";
      case 0xf000: return "-Infinity";
      default: return {};
    }
  }
  [[nodiscard]] int count() const noexcept { return count_; }    ///< of digits of base 10,000
  [[nodiscard]] int weight() const noexcept { return weight_; }  ///< of the first: a power of 10,000
  /// One of these digits; 0 beyond them.
  [[nodiscard]] std::uint32_t digit(int index) const noexcept {
    if (index < 0 || index >= count_) return 0;
    return std::min<std::uint32_t>(base - 1,
                                   proto::load_big<std::uint16_t>(digits_ + 2 * static_cast<std::size_t>(index)));
  }
  /// How many characters `write` may use.
  [[nodiscard]] std::size_t longest() const noexcept {
    const auto whole = static_cast<std::size_t>(weight_ < 0 ? 1 : (weight_ + 1) * group_digits);
    return whole + static_cast<std::size_t>(scale_) + group_digits + 2;
  }
  /// Writes the decimal text.
  /// @pre `is_finite`
  char* write(char* to) const noexcept {
    if (sign_ == negative) *to++ = '-';
    if (weight_ < 0) {
      *to++ = '0';
    } else {
      to = write_group(to, digit(0));
      for (int i = 1; i <= weight_; ++i) to = write_4_digits(to, digit(i));
    }
    if (scale_ == 0) return to;
    *to++ = '.';
    char* const end = to + scale_;
    for (int i = weight_ + 1; to < end; ++i) to = write_4_digits(to, digit(i));
    return end;  // within the last group, when the scale is no multiple of four
  }

 private:
  static constexpr int group_digits = 4;
  static constexpr int most_scale = 0x3fff;
  static constexpr std::uint16_t positive = 0;
  static constexpr std::uint16_t negative = 0x4000;

  const std::byte* digits_{};
  int count_{0};
  int weight_{0};
  int scale_{0};
  std::uint16_t sign_{0};
  bool is_good_{false};
};

}  // namespace sluice::detail
