#pragma once
/// @file
/// One value of a column, as the server sent it, and what reading it as a C++ type takes.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <sluice/export.hpp>
#include <sluice/proto/byte_order.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice {

/// One field of a row, or one element of an array, of a composite or of a range, as the server sent it.
/// @par Lifetime  a view; valid as long as the row
struct binary_field {
  std::span<const std::byte> bytes{};
  bool is_null{};
  std::uint32_t type{};               ///< OID; of a domain, if its type was looked up, what it is made of
  std::size_t index{};                ///< of the column, counted from 0
  const result_column* column{};      ///< the column it belongs to
  const result_column* described{};   ///< what its type is made of, if that was looked up: query::as_described_columns
  const std::string_view* read_as{};  ///< the name of the C++ type, for errors; null: not known
  std::uint32_t depth{0};             ///< how many arrays, composites and ranges it is in

  /// @par Errors  throws error: bad_column: "column 3 (name), text read as int: expected an integer, found text"
  [[noreturn]] SLUICE_API void fail(std::string_view expected) const;
  /// The same for a value of the right type that cannot be used.
  [[noreturn]] SLUICE_API void fail_value(std::string_view what) const;

  /// Reads the whole field as one big-endian number.
  template <class Unsigned>
  [[nodiscard]] Unsigned load() const {
    if (bytes.size() != sizeof(Unsigned)) fail_value("it is not as long as its type");
    return proto::load_big<Unsigned>(bytes.data());
  }

  /// A value in this one.
  /// @param what  of the parts of its type; past their end: nothing is known of it
  /// @par Errors  throws error: bad_column beyond 64 levels of nesting
  [[nodiscard]] SLUICE_API binary_field inner(std::uint32_t oid, std::size_t what) const;
};

/// Types that a column can be read as: there is a `from_binary` for them.
template <class T>
concept readable_column = requires(const binary_field& from, T& into) { from_binary(from, into); };

namespace detail {

template <class T>
[[nodiscard]] constexpr std::string_view spelled_type() noexcept {
  const std::string_view whole{__PRETTY_FUNCTION__};
  constexpr std::string_view before{"T = "};
  const std::size_t begin = whole.find(before) + before.size();
  return whole.substr(begin, whole.find_first_of(";]", begin) - begin);
}
template <class T>
inline constexpr std::string_view name_of_type = spelled_type<T>();
template <>
inline constexpr std::string_view name_of_type<std::string> = "std::string";
template <>
inline constexpr std::string_view name_of_type<std::string_view> = "std::string_view";

template <class T>
inline constexpr bool takes_null = false;
template <class T>
inline constexpr bool takes_null<std::optional<T>> = true;

template <class T>
[[nodiscard]] T value_of(binary_field from) {
  static_assert(
      readable_column<T>,
      "a column cannot be read as this C++ type: <sluice/stream/columns.hpp> lists those that can; for a type "
      "of your own, write SLUICE_JSON or SLUICE_JSON_ENUM, or define "
      "void from_binary(const sluice::binary_field&, your_type&) in its namespace");
  from.read_as = &name_of_type<T>;
  if constexpr (!takes_null<T>)
    if (from.is_null) from.fail_value("it is NULL: take it as a std::optional");
  T value{};
  if constexpr (readable_column<T>) from_binary(from, value);
  return value;
}

}  // namespace detail

}  // namespace sluice
