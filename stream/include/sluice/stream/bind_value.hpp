#pragma once
/// @file
/// Values that travel apart from the SQL.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/proto/oid.hpp>
#include <sluice/stream/uuid.hpp>

namespace sluice {

/// One bound parameter. It travels apart from the SQL and is never pasted into it: in the text format, but for bytes,
/// which would be twice as long in it.
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
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>)
  bind_value(Integer value) : text_{std::to_string(value)}, type_{integer_type<Integer>()} {}
  bind_value(double value);
  /// A moment: timestamptz. Microseconds are kept, the rest is cut off.
  template <class Duration>
  bind_value(std::chrono::sys_time<Duration> value)
      : bind_value{moment(std::chrono::floor<std::chrono::microseconds>(value).time_since_epoch(), true)} {}
  /// A date and time of the clock on the wall: timestamp.
  template <class Duration>
  bind_value(std::chrono::local_time<Duration> value)
      : bind_value{moment(std::chrono::floor<std::chrono::microseconds>(value).time_since_epoch(), false)} {}
  bind_value(const sluice::uuid& value) : bind_value{uuid(value.to_string())} {}
  template <class T>
  bind_value(const std::optional<T>& value) : bind_value{value ? bind_value{*value} : bind_value{std::nullopt}} {}

  /// Bytes: bytea, in the binary format.
  [[nodiscard]] static bind_value bytes(std::span<const std::byte> value);
  /// JSON text: jsonb.
  [[nodiscard]] static bind_value json(std::string text) { return {std::move(text), proto::oid::jsonb}; }
  /// A number of any size, in decimal.
  [[nodiscard]] static bind_value numeric(std::string text) { return {std::move(text), proto::oid::numeric}; }
  /// A moment as the server reads it.
  [[nodiscard]] static bind_value timestamptz(std::string text) { return {std::move(text), proto::oid::timestamptz}; }
  /// A UUID in its text form.
  [[nodiscard]] static bind_value uuid(std::string text) { return {std::move(text), proto::oid::uuid}; }
  /// An SQL array, one-dimensional. Its type is that of its elements, which are all of one kind; a NULL may be among
  /// them. Of text, or empty, it is of the type that its place asks for.
  [[nodiscard]] static bind_value array(std::span<const bind_value> elements);
  template <std::ranges::input_range Range>
    requires(!std::convertible_to<Range, std::string_view> &&
             !std::same_as<std::ranges::range_value_t<Range>, std::byte> &&
             !std::same_as<std::ranges::range_value_t<Range>, bind_value>)
  bind_value(const Range& elements)
      : bind_value{array(std::vector<bind_value>(std::ranges::begin(elements), std::ranges::end(elements)))} {}

  /// As it is sent; nothing for NULL.
  [[nodiscard]] const std::optional<std::string>& text() const noexcept { return text_; }
  [[nodiscard]] bool is_binary() const noexcept { return type_ == proto::oid::bytea; }
  /// The type's OID, 0 when the server is to infer it.
  [[nodiscard]] std::uint32_t type() const noexcept { return type_; }

 private:
  template <class Integer>
  static constexpr std::uint32_t integer_type() noexcept {
    return std::is_unsigned_v<Integer> && sizeof(Integer) == sizeof(std::uint64_t) ? proto::oid::numeric
                                                                                   : proto::oid::int8;
  }

  bind_value(std::string text, std::uint32_t type) noexcept : text_{std::move(text)}, type_{type} {}
  [[nodiscard]] static bind_value moment(std::chrono::microseconds since_1970, bool in_utc);

  std::optional<std::string> text_{};
  std::uint32_t type_{};
};

}  // namespace sluice
