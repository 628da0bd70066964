#pragma once
/// @file
/// C++ values as columns of a COPY in the binary format: the reverse of <sluice/stream/columns.hpp>.
///
/// | C++ | SQL |
/// |---|---|
/// | integers, checked against the column's range | int2, int4, int8, oid, numeric; float8, if it holds them exactly |
/// | float, double | float4 (rounded), float8, numeric (the shortest digits that read back as the same number) |
/// | bool | bool |
/// | std::string_view, std::string, const char* | text, varchar, char(n), name, json, jsonb, xml |
/// | the same | enumerations, citext and other types of the database's own whose binary form is text |
/// | the same | numeric: its decimal text |
/// | std::span<const std::byte>, std::vector<std::byte> | bytea |
/// | uuid | uuid |
/// | std::chrono::sys_time, local_time | timestamptz, timestamp; `max()` is infinity, `min()` -infinity |
/// | std::chrono::sys_days, year_month_day | date; sys_days: infinity as above |
/// | std::chrono::microseconds | time: since midnight |
/// | time_with_zone, interval | timetz, interval |
/// | std::optional, std::nullopt | any of these, or NULL |
/// | std::vector, std::span and other ranges | one-dimensional arrays of these |
///
/// A column of a domain takes what the type under it takes.
///
/// To support a type of your own, define `void to_binary(sluice::binary_place&, const your_type&)` in its namespace.
/// @see PostgreSQL documentation, COPY, section "Binary Format"

#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/proto/byte_order.hpp>
#include <sluice/stream/columns.hpp>
#include <sluice/stream/moments.hpp>
#include <sluice/stream/uuid.hpp>

namespace sluice {

namespace detail {

/// A type as its values are written.
struct binary_type {
  std::uint32_t oid{};  ///< of a domain, the type under it
  bool is_text{};       ///< its binary form is text
};

/// A column that is written.
struct written_column {
  std::string name{};
  std::string type_name{};
  binary_type type{};
  std::optional<binary_type> element{};  ///< of an array
};

}  // namespace detail

/// Where a value is written: a field of a row, or an element of an array.
class binary_place {
 public:
  binary_place(std::vector<std::byte>& out, const detail::written_column& column, std::size_t index) noexcept
      : binary_place{out, column, index, column.type, true} {}

  /// The OID of its type.
  [[nodiscard]] std::uint32_t type() const noexcept { return type_.oid; }
  /// Whether its binary form is text.
  [[nodiscard]] bool is_text() const noexcept { return type_.is_text; }
  /// The place of the elements, if it is of an array type.
  [[nodiscard]] std::optional<binary_place> elements() const noexcept {
    if (!may_be_array_ || !column_->element) return std::nullopt;
    return binary_place{*out_, *column_, index_, *column_->element, false};
  }

  void append(std::span<const std::byte> bytes) { out_->insert(out_->end(), bytes.begin(), bytes.end()); }
  void append(std::string_view text) { append(std::as_bytes(std::span{text})); }
  /// Appends a number in network byte order.
  template <std::unsigned_integral Number>
  void append(Number number) {
    const std::size_t at = out_->size();
    out_->resize(at + sizeof number);
    proto::store_big(out_->data() + at, number);
  }

  /// @par Errors  throws error: bad_column: "column 3 (name) is of type point: it cannot take an integer"
  [[noreturn]] SLUICE_API void fail(std::string_view what) const;
  /// The same for a value of the right type that cannot be used.
  [[noreturn]] SLUICE_API void fail_value(std::string_view why) const;

  /// Writes a value's length and then the value, or NULL.
  template <class T>
  void write(const T& value);

 private:
  binary_place(std::vector<std::byte>& out, const detail::written_column& column, std::size_t index,
               detail::binary_type type, bool may_be_array) noexcept
      : out_{&out}, column_{&column}, index_{index}, type_{type}, may_be_array_{may_be_array} {}
  SLUICE_API void end(std::size_t begin);

  std::vector<std::byte>* out_;
  const detail::written_column* column_;
  std::size_t index_;
  detail::binary_type type_;
  bool may_be_array_;
};

namespace detail {
SLUICE_API void write_numeric(binary_place& to, std::string_view decimal);
/// @param since_1970  `max()` and `min()` for the infinities
SLUICE_API void write_moment(binary_place& to, std::uint32_t type, std::optional<std::chrono::microseconds> since_1970);
SLUICE_API void write_integer(binary_place& to, std::int64_t value);
}  // namespace detail

template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
void to_binary(binary_place& to, Integer value) {
  if (std::in_range<std::int64_t>(value)) return detail::write_integer(to, static_cast<std::int64_t>(value));
  if (to.type() != proto::oid::numeric) to.fail_value("the number is out of the column's range");
  detail::write_numeric(to, std::to_string(value));
}
SLUICE_API void to_binary(binary_place& to, bool value);
SLUICE_API void to_binary(binary_place& to, float value);
SLUICE_API void to_binary(binary_place& to, double value);
SLUICE_API void to_binary(binary_place& to, std::string_view value);
inline void to_binary(binary_place& to, const std::string& value) { to_binary(to, std::string_view{value}); }
inline void to_binary(binary_place& to, const char* value) { to_binary(to, std::string_view{value}); }
SLUICE_API void to_binary(binary_place& to, std::span<const std::byte> value);
inline void to_binary(binary_place& to, const std::vector<std::byte>& value) { to_binary(to, std::span{value}); }
SLUICE_API void to_binary(binary_place& to, const uuid& value);
SLUICE_API void to_binary(binary_place& to, std::chrono::sys_days value);
SLUICE_API void to_binary(binary_place& to, std::chrono::year_month_day value);
SLUICE_API void to_binary(binary_place& to, std::chrono::microseconds value);
SLUICE_API void to_binary(binary_place& to, const time_with_zone& value);
SLUICE_API void to_binary(binary_place& to, const interval& value);

template <class Duration>
  requires(!std::same_as<Duration, std::chrono::days>)
void to_binary(binary_place& to, std::chrono::sys_time<Duration> value) {
  detail::write_moment(to, proto::oid::timestamptz, detail::to_microseconds(value.time_since_epoch()));
}
template <class Duration>
void to_binary(binary_place& to, std::chrono::local_time<Duration> value) {
  detail::write_moment(to, proto::oid::timestamp, detail::to_microseconds(value.time_since_epoch()));
}

namespace detail {

/// Ranges that are written as arrays.
template <class T>
concept array_like = std::ranges::sized_range<T> && !std::convertible_to<T, std::string_view> &&
                     !std::same_as<std::remove_cv_t<std::ranges::range_value_t<T>>, std::byte>;

/// Types of NULL, or of a value that may be NULL.
template <class T>
concept is_null_type = takes_null<T> || std::same_as<T, std::nullopt_t> || std::same_as<T, std::nullptr_t>;

template <class T>
[[nodiscard]] bool is_null(const T& value) noexcept {
  if constexpr (takes_null<T>)
    return !value.has_value();
  else
    return is_null_type<T>;
}

}  // namespace detail

template <class Range>
  requires detail::array_like<Range>
void to_binary(binary_place& to, const Range& values) {
  std::optional<binary_place> each = to.elements();
  if (!each) to.fail("an array");
  const std::size_t count = std::ranges::size(values);
  bool has_nulls = false;
  for (const auto& value : values) has_nulls = has_nulls || detail::is_null(value);
  to.append(std::uint32_t{count == 0 ? 0U : 1U});  // dimensions
  to.append(std::uint32_t{has_nulls ? 1U : 0U});
  to.append(each->type());
  if (count == 0) return;
  if (!std::in_range<std::int32_t>(count)) to.fail_value("the array is too long");
  to.append(static_cast<std::uint32_t>(count));
  to.append(std::uint32_t{1});  // the index of the first
  for (const auto& value : values) each->write(value);
}

template <class T>
void binary_place::write(const T& value) {
  constexpr std::uint32_t null{0xffffffff};
  if constexpr (detail::is_null_type<T>) {
    if constexpr (detail::takes_null<T>)
      if (value) return write(*value);
    append(null);
  } else {
    const std::size_t begin = out_->size();
    append(std::uint32_t{0});
    to_binary(*this, value);
    end(begin);
  }
}

namespace detail {

/// What can be written into a column.
template <class T>
concept binary_value = is_null_type<T> || requires(binary_place& to, const T& value) { to_binary(to, value); };

/// Rows in the binary format of COPY.
class SLUICE_API row_writer {
 public:
  explicit row_writer(std::vector<written_column> columns) noexcept : columns_{std::move(columns)} {}

  /// Appends a row, or nothing if it throws.
  template <class... Values>
  void add(const Values&... values) {
    const std::size_t before = begin(sizeof...(Values));
    try {
      [[maybe_unused]] std::size_t index = 0;
      ((binary_place{bytes_, columns_[index], index}.write(values), ++index), ...);
    } catch (...) {
      bytes_.resize(before);
      throw;
    }
    ++rows_;
  }
  /// The same, with a call for each column, which has to write one value.
  template <class Write>
  void add_each(const Write& write) {
    const std::size_t before = begin(columns_.size());
    try {
      for (std::size_t index = 0; index < columns_.size(); ++index) {
        binary_place place{bytes_, columns_[index], index};
        write(place, index);
      }
    } catch (...) {
      bytes_.resize(before);
      throw;
    }
    ++rows_;
  }
  [[nodiscard]] const std::vector<written_column>& columns() const noexcept { return columns_; }
  [[nodiscard]] std::vector<std::byte>& bytes() noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

 private:
  /// @return the size before
  std::size_t begin(std::size_t values);

  std::vector<written_column> columns_;
  std::vector<std::byte> bytes_{};
  std::uint64_t rows_{0};
};

}  // namespace detail

}  // namespace sluice
