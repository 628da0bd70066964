#pragma once
/// @file
/// The names and types of a result's columns.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// One column of a result, as described by RowDescription.
struct result_column {
  /// What its values are. Known only of a query whose types were looked up: `query::as_columns` with a format_choice.
  enum class kind : std::uint8_t {
    unknown,      ///< not looked up, or its type does not tell: `record`
    scalar,       ///< of the type `base`
    text,         ///< the binary form is the text: enumerations, citext
    enumeration,  ///< the same, of a few labels
    array,        ///< of `parts[0]`
    composite,    ///< of the fields `parts`
  };

  std::string name;
  std::uint32_t type{};       ///< OID
  bool is_text{};             ///< its values are the text that the type's output function makes of them
  std::int32_t modifier{-1};  ///< of the type, such as a numeric's precision and scale; -1: none
  kind what{kind::unknown};
  std::uint32_t base{};                ///< OID: the type, or what its domain is made of
  std::vector<result_column> parts{};  ///< an array's element, a composite's fields

  friend bool operator==(const result_column&, const result_column&) = default;
};
/// The columns of a result, in order.
using result_columns = std::vector<result_column>;

}  // namespace sluice
