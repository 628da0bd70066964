#pragma once
/// @file
/// Columns that are made of other values: arrays, composites, ranges, hstore. Part of <sluice/stream/columns.hpp>.

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/stream/binary_field.hpp>
#include <sluice/stream/column_values.hpp>
#include <sluice/stream/members.hpp>

namespace sluice {

SLUICE_API void from_binary(const binary_field& from, std::string_view& into);
SLUICE_API void from_binary(const binary_field& from, bit_string& into);

namespace detail {

/// Reads the elements of an array, one after the other.
class SLUICE_API array_reader {
 public:
  static constexpr std::size_t most_dimensions = 6;

  /// An array of at most one dimension.
  /// @par Errors  throws error: bad_column for anything but an array of at most so many dimensions, or if it ends too
  ///              early
  explicit array_reader(const binary_field& array, std::size_t most = 1);
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  [[nodiscard]] binary_field next();
  [[nodiscard]] std::size_t dimensions() const noexcept { return dimensions_; }
  [[nodiscard]] std::uint32_t size_of(std::size_t dimension) const noexcept { return sizes_[dimension]; }
  [[nodiscard]] std::int32_t first_of(std::size_t dimension) const noexcept { return firsts_[dimension]; }

 private:
  binary_field element_;
  std::span<const std::byte> rest_;
  std::size_t left_{0};
  std::size_t dimensions_{0};
  std::uint32_t sizes_[most_dimensions]{};
  std::int32_t firsts_[most_dimensions]{};
};

/// Reads the fields of a composite, one after the other.
class SLUICE_API composite_reader {
 public:
  /// @par Errors  throws error: bad_column for anything but a composite of so many fields, or if it ends too early
  composite_reader(const binary_field& composite, std::size_t fields);
  [[nodiscard]] binary_field next();
  /// @par Errors  throws error: bad_column if something follows the last field
  void finish() const;

 private:
  binary_field whole_;
  std::span<const std::byte> rest_;
  std::size_t index_{0};
};

/// The parts of a range.
struct range_parts {
  std::optional<binary_field> lower{};
  std::optional<binary_field> upper{};
  bool has_lower{};
  bool has_upper{};
  bool is_empty{};
};
/// @param natural  OID of the element, for a range type of the database's own
/// @par Errors     throws error: bad_column
[[nodiscard]] SLUICE_API range_parts read_range(const binary_field& from, std::uint32_t natural);

/// Reads the ranges of a multirange, one after the other.
class SLUICE_API multirange_reader {
 public:
  explicit multirange_reader(const binary_field& from);
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  [[nodiscard]] binary_field next();

 private:
  binary_field range_;
  std::span<const std::byte> rest_;
  std::size_t left_{0};
};

/// Reads the pairs of an hstore, one after the other.
class SLUICE_API hstore_reader {
 public:
  explicit hstore_reader(const binary_field& from);
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  [[nodiscard]] std::pair<std::string_view, std::optional<std::string_view>> next();

 private:
  binary_field whole_;
  std::span<const std::byte> rest_;
  std::size_t left_{0};
};

/// The element type that a range of the database's own is taken to have; 0: none.
template <class T>
[[nodiscard]] constexpr std::uint32_t natural_type() noexcept;

/// How many dimensions a vector of vectors has. A vector of bytes is a value, and so is that of an hstore.
template <class T>
inline constexpr std::size_t depth_of = 0;
template <class T>
inline constexpr std::size_t depth_of<std::vector<T>> = 1 + depth_of<T>;
template <>
inline constexpr std::size_t depth_of<std::vector<std::byte>> = 0;
template <>
inline constexpr std::size_t depth_of<std::vector<std::pair<std::string_view, std::optional<std::string_view>>>> = 0;

template <class T>
void read_dimension(array_reader& from, std::size_t dimension, std::vector<T>& into) {
  const std::size_t size = from.size_of(dimension);
  into.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    if constexpr (depth_of<T> != 0)
      read_dimension(from, dimension + 1, into.emplace_back());
    else
      into.push_back(value_of<T>(from.next()));
  }
}

/// @return whether it was bit or varbit, and not an array
[[nodiscard]] SLUICE_API bool read_bits(const binary_field& from, std::vector<bool>& into);

template <class Map>
void read_hstore(const binary_field& from, Map& into) {
  into.clear();
  hstore_reader pairs{from};
  while (pairs.left() != 0) {
    const auto [key, value] = pairs.next();
    into.insert_or_assign(typename Map::key_type{key},
                          value ? std::optional{std::string{*value}} : std::optional<std::string>{});
  }
}

}  // namespace detail

template <class T>
void from_binary(const binary_field& from, std::optional<T>& into) {
  if (from.is_null)
    into.reset();
  else
    into.emplace(detail::value_of<T>(from));
}

/// Arrays of one dimension; vectors of vectors: arrays of as many dimensions, or empty ones. Vectors of bool: bit and
/// varbit, too.
template <class T>
void from_binary(const binary_field& from, std::vector<T>& into) {
  into.clear();
  if constexpr (std::is_same_v<T, bool>)
    if (detail::read_bits(from, into)) return;
  constexpr std::size_t depth = detail::depth_of<std::vector<T>>;
  detail::array_reader elements{from, depth};
  if (elements.dimensions() == 0) return;
  if (elements.dimensions() != depth) from.fail("an array of as many dimensions as the C++ type has");
  detail::read_dimension(elements, 0, into);
}

template <class T>
void from_binary(const binary_field& from, multi_array<T>& into) {
  detail::array_reader elements{from, detail::array_reader::most_dimensions};
  into.elements.clear();
  into.dimensions.clear();
  for (std::size_t i = 0; i < elements.dimensions(); ++i)
    into.dimensions.push_back({.size = elements.size_of(i), .first = elements.first_of(i)});
  into.elements.reserve(elements.left());
  while (elements.left() != 0) into.elements.push_back(detail::value_of<T>(elements.next()));
}

/// Composites, by the positions of their fields.
template <class... Ts>
void from_binary(const binary_field& from, std::tuple<Ts...>& into) {
  detail::composite_reader fields{from, sizeof...(Ts)};
  into = std::tuple<Ts...>{detail::value_of<Ts>(fields.next())...};  // braces: in order
  fields.finish();
}
/// Composites, by the positions of their fields and of the members: the binary form has no names.
template <has_json_members T>
void from_binary(const binary_field& from, T& into) {
  constexpr auto members = sluice_json_members(static_cast<const T*>(nullptr));
  detail::composite_reader fields{from, std::tuple_size_v<decltype(members)>};
  const auto read = [&](const auto& member) {
    using type = std::remove_cvref_t<decltype(into.*(member.at))>;
    into.*(member.at) = detail::value_of<type>(fields.next());
  };
  std::apply([&](const auto&... member) { (read(member), ...); }, members);
  fields.finish();
}

/// Enumerations, and other text.
template <has_json_names T>
void from_binary(const binary_field& from, T& into) {
  std::string_view name;
  from_binary(from, name);
  for (const auto& [known, value] : sluice_json_names(static_cast<const T*>(nullptr))) {
    if (known == name) {
      into = value;
      return;
    }
  }
  from.fail_value("it is none of the names of the C++ enumeration");
}

template <class T>
void from_binary(const binary_field& from, range<T>& into) {
  const detail::range_parts parts = detail::read_range(from, detail::natural_type<T>());
  into = {};
  into.is_empty = parts.is_empty;
  into.has_lower = parts.has_lower;
  into.has_upper = parts.has_upper;
  if (parts.lower) into.lower.emplace(detail::value_of<T>(*parts.lower));
  if (parts.upper) into.upper.emplace(detail::value_of<T>(*parts.upper));
}
template <class T>
void from_binary(const binary_field& from, multirange<T>& into) {
  detail::multirange_reader ranges{from};
  into.ranges.clear();
  into.ranges.reserve(ranges.left());
  while (ranges.left() != 0) into.ranges.push_back(detail::value_of<range<T>>(ranges.next()));
}

/// bit(n) of exactly so many bits; the first one is the highest.
template <std::size_t Size>
void from_binary(const binary_field& from, std::bitset<Size>& into) {
  bit_string bits;
  from_binary(from, bits);
  if (bits.size != Size) from.fail_value("it has another number of bits than the C++ type");
  for (std::size_t i = 0; i < Size; ++i) into[Size - 1 - i] = bits[i];
}

inline void from_binary(const binary_field& from, std::map<std::string, std::optional<std::string>>& into) {
  detail::read_hstore(from, into);
}
inline void from_binary(const binary_field& from, std::unordered_map<std::string, std::optional<std::string>>& into) {
  detail::read_hstore(from, into);
}
/// hstore, in the server's order. The texts view the row.
inline void from_binary(const binary_field& from,
                        std::vector<std::pair<std::string_view, std::optional<std::string_view>>>& into) {
  detail::hstore_reader pairs{from};
  into.clear();
  into.reserve(pairs.left());
  while (pairs.left() != 0) into.push_back(pairs.next());
}

}  // namespace sluice
