// Columns whose values have a fixed size: numbers, dates and times, UUIDs.
#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include <sluice/proto/byte_order.hpp>

#include "arrow/column_builder.hpp"
#include "arrow/decimal128.hpp"
#include "arrow/numeric_double.hpp"
#include "rows/postgres_epoch.hpp"

namespace sluice::detail {

namespace {

using proto::load_big;
using special = arrow_options::special;

constexpr const char* too_far = "it is too far away for the Arrow type: cast the column to text";

void require(bool is_good) {
  if (!is_good) throw bad_value{malformed_value};
}

template <class Integer>
Integer load(std::span<const std::byte> value) {
  require(value.size() == sizeof(Integer));
  return static_cast<Integer>(load_big<std::make_unsigned_t<Integer>>(value.data()));
}

// Each reader returns a value, or nothing for NULL.

template <class Integer>
struct integer_reader {
  std::optional<Integer> operator()(std::span<const std::byte> value) const { return load<Integer>(value); }
};

template <class Float, class Bits>
struct float_reader {
  std::optional<Float> operator()(std::span<const std::byte> value) const {
    return std::bit_cast<Float>(load<Bits>(value));
  }
};

struct numeric_double_reader {
  std::optional<double> operator()(std::span<const std::byte> value) const {
    const std::optional<double> nearest = nearest_double(numeric_value{value});
    if (!nearest) throw bad_value{"it is out of the range of a double"};
    return nearest;
  }
};

struct decimal_reader {
  int precision;
  int scale;
  special not_a_number;

  std::optional<int128> operator()(std::span<const std::byte> value) const {
    const numeric_value number{value};
    require(number.is_good());
    if (!number.is_finite()) {
      require(!number.name().empty());
      if (not_a_number == special::null) return std::nullopt;
      throw bad_value{std::string{number.name()} +
                      " is not a decimal: cast the column, or set arrow_options::not_a_number"};
    }
    int128 sum{};
    switch (to_decimal(number, precision, scale, sum)) {
      case decimal_fit::exact: return sum;
      case decimal_fit::too_large: throw bad_value{does_not_fit("too many digits")};
      case decimal_fit::too_precise: throw bad_value{does_not_fit("too many digits after the point")};
    }
    return sum;
  }
  [[nodiscard]] std::string does_not_fit(std::string_view why) const {
    return "it has " + std::string{why} + " for a decimal(" + std::to_string(precision) + ',' + std::to_string(scale) +
           "): round it in the query, or cast it";
  }
};

/// Infinity and -infinity, which are the last and the first value on both sides.
template <class Integer>
bool is_infinite(Integer value) noexcept {
  return value == std::numeric_limits<Integer>::max() || value == std::numeric_limits<Integer>::min();
}

/// @return false for NULL
bool keeps_infinity(special how) {
  if (how == special::fail)
    throw bad_value{"infinity has no Arrow value: exclude it in the query, or set arrow_options::infinities"};
  return how == special::saturate;
}

/// From Postgres' epoch to that of Unix.
template <class Integer, class Unit>
struct moment_reader {
  special infinities;

  std::optional<Integer> operator()(std::span<const std::byte> value) const {
    const auto since = load<Integer>(value);
    if (is_infinite(since)) return keeps_infinity(infinities) ? std::optional{since} : std::nullopt;
    constexpr auto epoch = static_cast<Integer>(std::chrono::floor<Unit>(postgres_epoch.time_since_epoch()).count());
    if (since >= std::numeric_limits<Integer>::max() - epoch) throw bad_value{too_far};
    return static_cast<Integer>(since + epoch);
  }
};
using date_reader = moment_reader<std::int32_t, std::chrono::days>;
using timestamp_reader = moment_reader<std::int64_t, std::chrono::microseconds>;

struct time_reader {
  std::optional<std::int64_t> operator()(std::span<const std::byte> value) const {
    const auto since_midnight = load<std::int64_t>(value);
    require(since_midnight >= 0 && since_midnight <= std::chrono::microseconds{std::chrono::days{1}}.count());
    return since_midnight;
  }
};

/// As Arrow lays it out.
struct month_day_nano {
  std::int32_t months;
  std::int32_t days;
  std::int64_t nanoseconds;
};
static_assert(sizeof(month_day_nano) == 16);

struct interval_reader {
  special infinities;

  std::optional<month_day_nano> operator()(std::span<const std::byte> value) const {
    require(value.size() == sizeof(month_day_nano));
    const auto time = load<std::int64_t>(value.first(8));
    month_day_nano made{.months = load<std::int32_t>(value.subspan(12)),
                        .days = load<std::int32_t>(value.subspan(8, 4)),
                        .nanoseconds = time};
    const bool is_endless = is_infinite(time) && is_infinite(made.days) && is_infinite(made.months) &&
                            (time < 0) == (made.days < 0) && (time < 0) == (made.months < 0);  // since Postgres 17
    if (is_endless) return keeps_infinity(infinities) ? std::optional{made} : std::nullopt;
    constexpr std::int64_t nanoseconds = 1'000;  // in a microsecond
    if (__builtin_mul_overflow(time, nanoseconds, &made.nanoseconds)) throw bad_value{too_far};
    return made;
  }
};

using uuid_bytes = std::array<std::byte, 16>;
struct uuid_reader {
  std::optional<uuid_bytes> operator()(std::span<const std::byte> value) const {
    uuid_bytes made{};
    require(value.size() == made.size());
    std::memcpy(made.data(), value.data(), made.size());
    return made;
  }
};

template <class Value, class Reader>
class fixed_builder final : public column_builder {
 public:
  fixed_builder(batch_bytes& counted, Reader reads) noexcept : column_builder{counted}, reads_{reads} {}

  void add(std::span<const std::byte> value) override {
    const std::optional<Value> read = reads_(value);
    if (!read) return add_null();
    counted().add(sizeof(Value));
    values_.add(*read);
    valid().add_valid();
  }
  void add_null() override {
    counted().add(sizeof(Value));
    values_.add(Value{});
    valid().add_null();
  }
  void cut(std::size_t size) override {
    values_.cut(size * sizeof(Value));
    valid().cut(size);
  }
  ArrowArray finish() override {
    const std::size_t used = values_.size();
    array_parts parts;
    valid().move_to(parts);
    parts.buffers.push_back(values_.take());
    values_.reserve(used);  // the next batch will be about as large
    return export_array(std::move(parts));
  }

 private:
  Reader reads_;
  arrow_buffer values_;
};

class bool_builder final : public column_builder {
 public:
  using column_builder::column_builder;

  void add(std::span<const std::byte> value) override {
    require(value.size() == 1);
    push(value.front() != std::byte{0});
    valid().add_valid();
  }
  void add_null() override {
    push(false);
    valid().add_null();
  }
  void cut(std::size_t size) override {
    bits_.cut((size + 7) / 8);
    if (size % 8 != 0) bits_.data()[size / 8] &= static_cast<std::byte>((1U << (size % 8)) - 1);
    valid().cut(size);
  }
  ArrowArray finish() override {
    array_parts parts;
    valid().move_to(parts);
    parts.buffers.push_back(bits_.take());
    return export_array(std::move(parts));
  }

 private:
  void push(bool is_true) {
    const std::size_t index = size();
    if (index / 8 == bits_.size()) {
      counted().add(1);
      bits_.add(std::byte{0});
    }
    if (is_true) bits_.data()[index / 8] |= std::byte{1} << (index % 8);
  }

  arrow_buffer bits_;
};

template <class Value, class Reader>
builder_ptr fixed(batch_bytes& counted, Reader reads) {
  return std::make_unique<fixed_builder<Value, Reader>>(counted, reads);
}

template <class Integer>
builder_ptr integers(batch_bytes& counted) {
  return fixed<Integer>(counted, integer_reader<Integer>{});
}

}  // namespace

builder_ptr make_fixed_builder(const arrow_type& type, const arrow_options& how, batch_bytes& counted) {
  switch (type.is) {
    case arrow_type::kind::boolean: return std::make_unique<bool_builder>(counted);
    case arrow_type::kind::int16: return integers<std::int16_t>(counted);
    case arrow_type::kind::int32: return integers<std::int32_t>(counted);
    case arrow_type::kind::int64: return integers<std::int64_t>(counted);
    case arrow_type::kind::uint32: return integers<std::uint32_t>(counted);
    case arrow_type::kind::float32: return fixed<float>(counted, float_reader<float, std::uint32_t>{});
    case arrow_type::kind::float64: return fixed<double>(counted, float_reader<double, std::uint64_t>{});
    case arrow_type::kind::numeric_as_double: return fixed<double>(counted, numeric_double_reader{});
    case arrow_type::kind::decimal:
      return fixed<int128>(counted, decimal_reader{type.precision, type.scale, how.not_a_number});
    case arrow_type::kind::date: return fixed<std::int32_t>(counted, date_reader{how.infinities});
    case arrow_type::kind::time: return fixed<std::int64_t>(counted, time_reader{});
    case arrow_type::kind::timestamp: return fixed<std::int64_t>(counted, timestamp_reader{how.infinities});
    case arrow_type::kind::interval: return fixed<month_day_nano>(counted, interval_reader{how.infinities});
    case arrow_type::kind::uuid: return fixed<uuid_bytes>(counted, uuid_reader{});
    case arrow_type::kind::numeric_as_text:
    case arrow_type::kind::text:
    case arrow_type::kind::versioned_text:
    case arrow_type::kind::binary:
    case arrow_type::kind::label:
    case arrow_type::kind::list:
    case arrow_type::kind::structure: break;
  }
  return nullptr;
}

}  // namespace sluice::detail
