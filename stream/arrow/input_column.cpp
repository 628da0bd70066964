#include "arrow/input_column.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "arrow/bad_input.hpp"

namespace sluice::arrow_input {

namespace {

__extension__ using wide = __int128;
__extension__ using unsigned_wide = unsigned __int128;

constexpr std::int64_t microseconds_per_second{1'000'000};

template <class T>
T load(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// @param index  in its buffers
bool is_null_at(const ArrowArray& array, std::int64_t index) noexcept {
  if (array.null_count == 0 || array.n_buffers == 0 || array.buffers[0] == nullptr) return false;
  const auto* const bits = static_cast<const std::uint8_t*>(array.buffers[0]);
  return ((bits[index / 8] >> static_cast<unsigned>(index % 8)) & 1U) == 0;
}

}  // namespace

void input_column::fail_value(std::string_view why) const {
  throw bad_input{bad_input::part::value, "the column \"" + name_ + "\": " + std::string{why}};
}

void input_column::read(const ArrowArray& array) {
  const bool has_values = is_ != kind::null && is_ != kind::fixed_list;
  if (array.length < 0 || array.offset < 0 || (has_values && (array.n_buffers < 2 || array.buffers == nullptr)))
    throw bad_input{bad_input::part::array, "the array of the column \"" + name_ + "\" is not of its schema's type"};
  array_ = &array;
  if (is_ == kind::dictionary) {
    if (array.dictionary == nullptr)
      throw bad_input{bad_input::part::array, "the array of the column \"" + name_ + "\" has no dictionary"};
    return inner_->read(*array.dictionary);
  }
  if (inner_ == nullptr) return;
  if (array.n_children != 1)
    throw bad_input{bad_input::part::array, "the array of the column \"" + name_ + "\" has no elements"};
  inner_->read(*array.children[0]);
}

bool input_column::is_null(std::int64_t index) const noexcept { return is_null_at(*array_, index); }

template <class Offset>
std::string_view input_column::slice(std::int64_t index) const noexcept {
  const Offset begin = at<Offset>(index);
  const auto size = static_cast<std::size_t>(at<Offset>(index + 1) - begin);
  return size == 0 ? std::string_view{} : std::string_view{static_cast<const char*>(array_->buffers[2]) + begin, size};
}
template std::string_view input_column::slice<std::int32_t>(std::int64_t) const noexcept;
template std::string_view input_column::slice<std::int64_t>(std::int64_t) const noexcept;

/// A view has 16 bytes: the size, then up to 12 bytes, or a prefix of 4 and where the bytes are.
std::string_view input_column::view(std::int64_t index) const noexcept {
  constexpr std::int32_t longest_inside = 12;
  const char* const from = static_cast<const char*>(array_->buffers[1]) + index * 16;
  const auto size = load<std::int32_t>(from);
  if (size <= longest_inside) return {from + 4, static_cast<std::size_t>(size)};
  const auto buffer = static_cast<std::size_t>(load<std::int32_t>(from + 8));
  const auto offset = load<std::int32_t>(from + 12);
  return {static_cast<const char*>(array_->buffers[2 + buffer]) + offset, static_cast<std::size_t>(size)};
}

std::string_view input_column::fixed(std::int64_t index) const noexcept {
  return {static_cast<const char*>(array_->buffers[1]) + static_cast<std::size_t>(index) * width_, width_};
}

std::int64_t input_column::key(std::int64_t index) const {
  const auto found = [&]() -> std::int64_t {
    switch (keys_) {
      case kind::int8: return at<std::int8_t>(index);
      case kind::uint8: return at<std::uint8_t>(index);
      case kind::int16: return at<std::int16_t>(index);
      case kind::uint16: return at<std::uint16_t>(index);
      case kind::int32: return at<std::int32_t>(index);
      case kind::uint32: return at<std::uint32_t>(index);
      default: return at<std::int64_t>(index);
    }
  }();
  if (found < 0 || found >= inner_->array_->length) fail_value("its dictionary has no value of that number");
  return found;
}

decimal_text input_column::decimal(std::int64_t index) const {
  const char* const bytes = fixed(index).data();  // as many as the width
  wide value = width_ == 4   ? static_cast<wide>(load<std::int32_t>(bytes))
               : width_ == 8 ? static_cast<wide>(load<std::int64_t>(bytes))
                             : load<wide>(bytes);
  const bool is_negative = value < 0;
  auto rest = is_negative ? ~static_cast<unsigned_wide>(value) + 1 : static_cast<unsigned_wide>(value);
  std::string digits;
  for (; rest != 0; rest /= 10) digits += static_cast<char>('0' + static_cast<int>(rest % 10));
  if (scale_ > 0) {
    const auto after = static_cast<std::size_t>(scale_);
    if (digits.size() <= after) digits.append(after + 1 - digits.size(), '0');
    digits.insert(after, 1, '.');
  }
  if (digits.empty()) digits = "0";
  if (is_negative) digits += '-';
  std::ranges::reverse(digits);
  if (scale_ < 0) digits.append(static_cast<std::size_t>(-scale_), '0');
  return {.digits = std::move(digits)};
}

double input_column::half(std::int64_t index) const noexcept {
  constexpr int mantissa_bits = 10;
  const auto bits = at<std::uint16_t>(index);
  const int exponent = (bits >> mantissa_bits) & 0x1f;
  const int mantissa = bits & 0x3ff;
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0x1f)
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(mantissa + 0x400, exponent - 25);
}

std::chrono::microseconds input_column::microseconds(std::int64_t count) const {
  using us = std::chrono::microseconds;
  if (per_second_ == microseconds_per_second) return us{count};
  if (per_second_ > microseconds_per_second) {
    const std::int64_t more = per_second_ / microseconds_per_second;
    if (count % more != 0)
      fail_value("it has nanoseconds, which Postgres cannot keep: round it to microseconds before");
    return us{count / more};
  }
  std::int64_t scaled = 0;
  if (__builtin_mul_overflow(count, microseconds_per_second / per_second_, &scaled))
    fail_value("it is out of the range of microseconds");
  return us{scaled};
}

interval input_column::period(std::int64_t index) const {
  interval made{};
  switch (is_) {
    case kind::months: made.months = at<std::int32_t>(index); return made;
    case kind::days_and_milliseconds: {
      const char* const from = static_cast<const char*>(array_->buffers[1]) + index * 8;
      made.days = load<std::int32_t>(from);
      made.time = std::chrono::milliseconds{load<std::int32_t>(from + 4)};
      return made;
    }
    case kind::months_days_nanoseconds: {
      const char* const from = static_cast<const char*>(array_->buffers[1]) + index * 16;
      made.months = load<std::int32_t>(from);
      made.days = load<std::int32_t>(from + 4);
      const auto nanoseconds = load<std::int64_t>(from + 8);
      if (nanoseconds % 1'000 != 0) fail_value("it has nanoseconds, which Postgres cannot keep: round it before");
      made.time = std::chrono::microseconds{nanoseconds / 1'000};
      return made;
    }
    default: made.time = microseconds(at<std::int64_t>(index)); return made;
  }
}

std::chrono::sys_days input_column::day(std::int64_t index) const {
  using std::chrono::days;
  if (is_ == kind::date32) return std::chrono::sys_days{days{at<std::int32_t>(index)}};
  const std::int64_t milliseconds = at<std::int64_t>(index);
  const std::chrono::milliseconds since{milliseconds};
  const auto whole = std::chrono::floor<std::chrono::duration<std::int64_t, days::period>>(since);
  if (!std::in_range<std::int32_t>(whole.count())) fail_value("it is out of the range of dates");
  return std::chrono::sys_days{days{static_cast<std::int32_t>(whole.count())}};
}

input_batch::input_batch(const ArrowSchema& schema) {
  const std::string_view format{schema.format == nullptr ? "" : schema.format};
  if (format != "+s")
    throw bad_input{bad_input::part::array,
                    "a batch must be a struct, a child for each column: it is " + std::string{format}};
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& each = *schema.children[i];
    columns_.emplace_back(each, each.name == nullptr ? "" : each.name);
  }
}

void input_batch::read(const ArrowArray& array) {
  if (array.n_children != static_cast<std::int64_t>(columns_.size()))
    throw bad_input{bad_input::part::array, "the batch has other columns than its schema"};
  rows_ = array.length;
  offset_ = array.offset;
  for (std::int64_t i = offset_; i < offset_ + rows_; ++i)
    if (is_null_at(array, i)) throw bad_input{bad_input::part::array, "a row of the batch is null as a whole"};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const ArrowArray& each = *array.children[i];
    if (each.length < rows_ + offset_)
      throw bad_input{bad_input::part::array, "the column \"" + columns_[i].name() + "\" is shorter than its batch"};
    columns_[i].read(each);
  }
}

}  // namespace sluice::arrow_input
