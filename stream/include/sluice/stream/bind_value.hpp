#pragma once
/// @file
/// Bound parameters: values that travel separately from the SQL.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/proto/oid.hpp>
#include <sluice/stream/moments.hpp>
#include <sluice/stream/uuid.hpp>

namespace sluice {

namespace detail {

struct stored_values;

/// The OID that values of a C++ type are sent with; 0: the server infers it.
template <class T>
inline constexpr std::uint32_t parameter_type = 0;
template <>
inline constexpr std::uint32_t parameter_type<bool> = proto::oid::boolean;
template <std::integral Integer>
inline constexpr std::uint32_t parameter_type<Integer> =
    std::in_range<std::int32_t>(std::numeric_limits<Integer>::max()) ? proto::oid::int4 : proto::oid::int8;
template <std::floating_point Number>
inline constexpr std::uint32_t parameter_type<Number> = proto::oid::numeric;
template <class Duration>
inline constexpr std::uint32_t parameter_type<std::chrono::sys_time<Duration>> = proto::oid::timestamptz;
template <>
inline constexpr std::uint32_t parameter_type<std::chrono::sys_days> = proto::oid::date;
template <>
inline constexpr std::uint32_t parameter_type<std::chrono::year_month_day> = proto::oid::date;
template <class Duration>
inline constexpr std::uint32_t parameter_type<std::chrono::local_time<Duration>> = proto::oid::timestamp;
template <>
inline constexpr std::uint32_t parameter_type<uuid> = proto::oid::uuid;
template <class T>
inline constexpr std::uint32_t parameter_type<std::optional<T>> = parameter_type<T>;

/// Types that may be elements of an array; arrays have one dimension.
template <class T>
concept parameter_element = std::convertible_to<T, std::string_view> || !std::ranges::range<T>;

}  // namespace detail

/// One bound parameter. It travels separately from the SQL and is never pasted into it. Values are sent in the text
/// format, except for bytes, which would be twice as long in it.
///
/// | C++ | sent as |
/// |---|---|
/// | text | whatever its place requires, as a quoted literal |
/// | bool | boolean |
/// | int, and what fits into one | integer |
/// | other integers: std::int64_t, unsigned, std::size_t | bigint; numeric for a value beyond bigint |
/// | float, double | numeric, in the shortest digits that read back as the same number |
/// | the same, if infinite, NaN or -0.0 | double precision |
/// | std::chrono::sys_days, year_month_day | date |
/// | std::chrono::sys_time of anything but days | timestamp with time zone |
/// | std::chrono::local_time | timestamp without time zone |
/// | uuid | uuid |
/// | std::optional | as the value; NULL of the same type when empty |
/// | ranges of these | arrays of these |
///
/// The SQL type follows from the C++ type, not from the value, so a query means the same whatever values it is given.
/// Where a function takes another type, cast: `left(name, $1::int)`.
/// @par Errors  the constructors throw error: bad_query for a date or time that the server or the calendar does not
///              have. `max()` and `min()` are infinity and -infinity
class SLUICE_API bind_value {
 public:
  /// NULL.
  bind_value(std::nullopt_t) noexcept {}
  bind_value(std::nullptr_t) noexcept {}
  /// Text: the server infers the type from the place of `$n`, as for a quoted literal.
  bind_value(std::string text) : text_{std::move(text)} {}
  bind_value(std::string_view text) : text_{std::in_place, text} {}
  bind_value(const char* text) : text_{std::in_place, text} {}
  bind_value(bool value);
  /// Pointers do not convert to bool.
  template <class Pointer>
    requires std::is_pointer_v<Pointer>
  bind_value(const Pointer&) = delete;
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
  bind_value(Integer value)
      : text_{std::to_string(value)},
        type_{std::in_range<std::int64_t>(value) ? detail::parameter_type<Integer> : proto::oid::numeric} {}
  bind_value(double value);
  bind_value(std::chrono::sys_days value);
  bind_value(std::chrono::year_month_day value);
  /// Truncated to microseconds.
  template <class Duration>
  bind_value(std::chrono::sys_time<Duration> value)
      : bind_value{moment(detail::to_microseconds(value.time_since_epoch()), true)} {}
  /// A local date and time, without a zone.
  template <class Duration>
  bind_value(std::chrono::local_time<Duration> value)
      : bind_value{moment(detail::to_microseconds(value.time_since_epoch()), false)} {}
  bind_value(const sluice::uuid& value) : bind_value{uuid(value.to_string())} {}
  /// The value, or NULL of the type that T is sent with.
  template <class T>
  bind_value(const std::optional<T>& value)
      : bind_value{value ? bind_value{*value} : bind_value{std::nullopt, detail::parameter_type<T>}} {}

  /// Bytes: bytea, in the binary format.
  [[nodiscard]] static bind_value bytes(std::span<const std::byte> value);
  /// JSON text: jsonb.
  [[nodiscard]] static bind_value json(std::string text) { return {std::move(text), proto::oid::jsonb}; }
  /// A number of any size, in decimal digits.
  [[nodiscard]] static bind_value numeric(std::string text) { return {std::move(text), proto::oid::numeric}; }
  /// A point in time as the server reads it.
  [[nodiscard]] static bind_value timestamptz(std::string text) { return {std::move(text), proto::oid::timestamptz}; }
  /// A UUID in its text form.
  [[nodiscard]] static bind_value uuid(std::string text) { return {std::move(text), proto::oid::uuid}; }
  /// Text that is sent as a value of any type, in that type's own syntax; nothing for NULL. Bytes have `bytes`.
  /// @param type  its OID; not that of bytea, for which a value is taken as bytes
  [[nodiscard]] static bind_value of_type(std::optional<std::string> text, std::uint32_t type) {
    return {std::move(text), type};
  }
  /// An SQL array, one-dimensional. Its type follows from its elements, which must all be of one kind; numbers take the
  /// widest type among them, and NULLs are allowed. An array of text, or an empty one, takes the type that its place
  /// requires.
  /// @par Errors  throws error: bad_query for elements of different kinds, or nested arrays
  [[nodiscard]] static bind_value array(std::span<const bind_value> elements) { return array(elements, 0); }
  /// The same; here the C++ element type counts even when there are no elements.
  template <std::ranges::input_range Range>
    requires(!std::convertible_to<Range, std::string_view> &&
             !std::same_as<std::ranges::range_value_t<Range>, std::byte> &&
             !std::same_as<std::ranges::range_value_t<Range>, bind_value> &&
             detail::parameter_element<std::ranges::range_value_t<Range>>)
  bind_value(const Range& elements)
      : bind_value{array(std::vector<bind_value>(std::ranges::begin(elements), std::ranges::end(elements)),
                         detail::parameter_type<std::ranges::range_value_t<Range>>)} {}

  /// The value as it is sent; nothing for NULL.
  [[nodiscard]] const std::optional<std::string>& text() const noexcept { return text_; }
  [[nodiscard]] bool is_binary() const noexcept { return type_ == proto::oid::bytea; }
  /// The type's OID; 0 when the server infers it.
  [[nodiscard]] std::uint32_t type() const noexcept { return type_; }

 private:
  friend struct detail::stored_values;
  bind_value(std::optional<std::string> text, std::uint32_t type) noexcept : text_{std::move(text)}, type_{type} {}
  [[nodiscard]] static bind_value moment(std::optional<std::chrono::microseconds> since_1970, bool in_utc);
  [[nodiscard]] static bind_value array(std::span<const bind_value> elements, std::uint32_t type);

  std::optional<std::string> text_{};
  std::uint32_t type_{};
};

}  // namespace sluice
