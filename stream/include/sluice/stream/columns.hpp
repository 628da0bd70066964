#pragma once
/// @file
/// Columns by their position, for queries whose columns are wanted rather than documents.
///
///     for (sluice::row row : db.stream(sluice::sql("select id, name, born from people").as_columns())) {
///       auto [id, name] = row.get<std::int64_t, std::string_view>();
///       auto born = row.get<std::optional<std::chrono::sys_days>>(2);
///     }
///
/// | C++ | SQL |
/// |---|---|
/// | integers, checked against their range | int2, int4, int8, oid; numeric that holds a whole number |
/// | float, double | float4, float8 (float: float4 only); double: numeric, as the nearest one |
/// | bool | bool |
/// | std::string_view, std::string | text, varchar, char(n), name, json, jsonb, xml |
/// | the same | enumerations, citext and other types of the database's own whose binary form is text |
/// | std::string | numeric, too: its decimal text |
/// | std::span<const std::byte>, std::vector<std::byte> | bytea |
/// | uuid | uuid |
/// | std::chrono::sys_time, local_time | timestamptz, timestamp; infinity is `max()`, -infinity `min()` |
/// | std::chrono::sys_days, year_month_day | date; sys_days: infinity as above |
/// | std::chrono::microseconds | time: since midnight |
/// | time_with_zone, interval | timetz, interval |
/// | std::optional | any of these, or NULL |
/// | std::vector | one-dimensional arrays of these |
///
/// Of a query `as_text_columns()`, each column is text: std::string_view, std::string, or std::optional of them.
///
/// Cast any type not listed above in the query: `host::text`.
///
/// To support a type of your own, define `void from_binary(const sluice::binary_field&, your_type&)` in its namespace.
/// @see PostgreSQL documentation, section "Formats and Format Codes"

#include <bit>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/oid.hpp>
#include <sluice/stream/moments.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/stream/uuid.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice {

/// One field of a row, or one element of an array, as the server sent it.
/// @par Lifetime  a view; valid as long as the row
struct binary_field {
  std::span<const std::byte> bytes{};
  bool is_null{};
  std::uint32_t type{};           ///< OID
  std::size_t index{};            ///< of the column, counted from 0
  const result_column* column{};  ///< the column it belongs to

  /// @par Errors  throws error: bad_column: "column 3 (name): expected an integer, found text"
  [[noreturn]] SLUICE_API void fail(std::string_view expected) const;
  /// The same for a value of the right type that cannot be used.
  [[noreturn]] SLUICE_API void fail_value(std::string_view what) const;

  /// Reads the whole field as one big-endian number.
  template <class Unsigned>
  [[nodiscard]] Unsigned load() const {
    if (bytes.size() != sizeof(Unsigned)) fail_value("it is not as long as its type");
    return proto::load_big<Unsigned>(bytes.data());
  }
};

/// A value of type timetz.
struct time_with_zone {
  std::chrono::microseconds since_midnight{};
  std::chrono::seconds east_of_utc{};
  friend bool operator==(const time_with_zone&, const time_with_zone&) = default;
};

/// A value of type interval: three parts that cannot be added up without a calendar.
struct interval {
  std::int32_t months{};
  std::int32_t days{};
  std::chrono::microseconds time{};
  friend bool operator==(const interval&, const interval&) = default;
};

namespace detail {
/// The digits of a numeric that has no fractional part.
[[nodiscard]] SLUICE_API std::string whole_number(const binary_field& from);
[[nodiscard]] SLUICE_API double nearest_double(const binary_field& from);
}  // namespace detail

template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
void from_binary(const binary_field& from, Integer& into) {
  constexpr std::string_view out_of_range{"it is out of the range of the C++ type"};
  if (from.type == proto::oid::numeric) {
    const std::string digits = detail::whole_number(from);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    if (failed != std::errc{}) from.fail_value(out_of_range);
    return;
  }
  std::int64_t value{};
  switch (from.type) {
    case proto::oid::int2: value = static_cast<std::int16_t>(from.load<std::uint16_t>()); break;
    case proto::oid::int4: value = static_cast<std::int32_t>(from.load<std::uint32_t>()); break;
    case proto::oid::int8: value = static_cast<std::int64_t>(from.load<std::uint64_t>()); break;
    case proto::oid::object_id: value = from.load<std::uint32_t>(); break;
    default: from.fail("an integer");
  }
  if (!std::in_range<Integer>(value)) from.fail_value(out_of_range);
  into = static_cast<Integer>(value);
}

inline void from_binary(const binary_field& from, float& into) {
  if (from.type != proto::oid::float4) from.fail("float4");
  into = std::bit_cast<float>(from.load<std::uint32_t>());
}
inline void from_binary(const binary_field& from, double& into) {
  if (from.type == proto::oid::float4)
    into = static_cast<double>(std::bit_cast<float>(from.load<std::uint32_t>()));
  else if (from.type == proto::oid::float8)
    into = std::bit_cast<double>(from.load<std::uint64_t>());
  else if (from.type == proto::oid::numeric)
    into = detail::nearest_double(from);
  else
    from.fail("float4, float8 or numeric");
}

SLUICE_API void from_binary(const binary_field& from, bool& into);
SLUICE_API void from_binary(const binary_field& from, std::string_view& into);
SLUICE_API void from_binary(const binary_field& from, std::string& into);
SLUICE_API void from_binary(const binary_field& from, std::span<const std::byte>& into);
SLUICE_API void from_binary(const binary_field& from, std::vector<std::byte>& into);
SLUICE_API void from_binary(const binary_field& from, uuid& into);
SLUICE_API void from_binary(const binary_field& from, std::chrono::sys_days& into);
SLUICE_API void from_binary(const binary_field& from, std::chrono::year_month_day& into);
SLUICE_API void from_binary(const binary_field& from, std::chrono::microseconds& into);
SLUICE_API void from_binary(const binary_field& from, time_with_zone& into);
SLUICE_API void from_binary(const binary_field& from, interval& into);

namespace detail {

/// A date or time in microseconds since 1970; `max()` and `min()` for infinity and -infinity.
SLUICE_API std::chrono::microseconds moment_of(const binary_field& from, std::uint32_t type);

template <class Clock, class Duration>
void read_moment(const binary_field& from, std::uint32_t type, std::chrono::time_point<Clock, Duration>& into) {
  const std::optional<Duration> since_epoch = from_microseconds<Duration>(moment_of(from, type));
  if (!since_epoch) from.fail_value("it is out of the range of the C++ type");
  into = std::chrono::time_point<Clock, Duration>{*since_epoch};
}

/// Reads the elements of an array, one after the other.
class SLUICE_API array_reader {
 public:
  /// @par Errors  throws error: bad_column for anything but an array of at most one dimension, or if it ends too early
  explicit array_reader(const binary_field& array);
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  [[nodiscard]] binary_field next();

 private:
  binary_field element_;
  std::span<const std::byte> rest_;
  std::size_t left_{0};
};

}  // namespace detail

template <class Duration>
void from_binary(const binary_field& from, std::chrono::sys_time<Duration>& into) {
  detail::read_moment(from, proto::oid::timestamptz, into);
}
template <class Duration>
void from_binary(const binary_field& from, std::chrono::local_time<Duration>& into) {
  detail::read_moment(from, proto::oid::timestamp, into);
}

template <class T>
void from_binary(const binary_field& from, std::optional<T>& into);
template <class T>
void from_binary(const binary_field& from, std::vector<T>& into);

namespace detail {
template <class T>
inline constexpr bool takes_null = false;
template <class T>
inline constexpr bool takes_null<std::optional<T>> = true;

template <class T>
[[nodiscard]] T value_of(const binary_field& from) {
  if constexpr (!takes_null<T>)
    if (from.is_null) from.fail_value("it is NULL: take it as a std::optional");
  T value{};
  from_binary(from, value);
  return value;
}
}  // namespace detail

template <class T>
void from_binary(const binary_field& from, std::optional<T>& into) {
  if (from.is_null)
    into.reset();
  else
    from_binary(from, into.emplace());
}

template <class T>
void from_binary(const binary_field& from, std::vector<T>& into) {
  into.clear();
  detail::array_reader elements{from};
  into.reserve(elements.left());
  while (elements.left() != 0) into.push_back(detail::value_of<T>(elements.next()));
}

namespace detail {

/// Reads the fields of a row, one after the other.
class field_walk {
 public:
  field_walk() = default;
  field_walk(const std::byte* body, const result_columns* columns) : at_{body + 2}, columns_{columns} {
    if (columns == nullptr) fail_no_columns();
  }
  [[nodiscard]] binary_field next() {
    if (index_ == columns_->size()) fail_past_the_last(index_);
    const proto::field_view field{at_};
    at_ = field.end();
    const result_column& column = (*columns_)[index_];
    return {.bytes = {field.bytes(), field.size()},
            .is_null = field.is_null(),
            .type = column.is_text ? proto::oid::text : column.type,
            .index = index_++,
            .column = &column};
  }
  [[nodiscard]] binary_field skip_to(std::size_t index) {
    if (index >= columns_->size()) fail_past_the_last(index);
    while (index_ != index) (void)next();
    return next();
  }

 private:
  [[noreturn]] SLUICE_API static void fail_no_columns();
  [[noreturn]] SLUICE_API void fail_past_the_last(std::size_t index) const;

  const std::byte* at_{};
  const result_columns* columns_{};
  std::size_t index_{0};
};

}  // namespace detail

inline std::span<const result_column> row::columns() const noexcept {
  return columns_ == nullptr ? std::span<const result_column>{} : std::span{*columns_};
}

/// The fields of a row, in order.
class field_range {
 public:
  class iterator {
   public:
    using value_type = binary_field;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(const detail::field_walk& at, std::size_t left) : after_{at}, left_{left} { look(); }
    [[nodiscard]] const binary_field& operator*() const noexcept { return field_; }
    [[nodiscard]] const binary_field* operator->() const noexcept { return &field_; }
    iterator& operator++() {
      --left_;
      look();
      return *this;
    }
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.left_ == b.left_; }
    friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept { return it.left_ == 0; }

   private:
    void look() {
      if (left_ != 0) field_ = after_.next();
    }

    detail::field_walk after_{};
    std::size_t left_{0};
    binary_field field_{};
  };

  field_range(const detail::field_walk& first, std::size_t count) noexcept : first_{first}, count_{count} {}
  [[nodiscard]] iterator begin() const { return {first_, count_}; }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  detail::field_walk first_;
  std::size_t count_;
};

inline field_range row::fields() const { return {detail::field_walk{body_, columns_}, columns().size()}; }

template <class T>
T row::get(std::size_t index) const {
  return detail::value_of<T>(detail::field_walk{body_, columns_}.skip_to(index));
}

template <class First, class... Rest>
std::tuple<First, Rest...> row::get() const {
  detail::field_walk fields{body_, columns_};
  // Braces, so that the elements are initialised in order.
  return std::tuple<First, Rest...>{detail::value_of<First>(fields.next()), detail::value_of<Rest>(fields.next())...};
}

}  // namespace sluice
