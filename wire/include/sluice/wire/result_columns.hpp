#pragma once
/// @file
/// The names and types of a result's columns.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// One column of a result, as described by RowDescription.
struct result_column {
  std::string name;
  std::uint32_t type{};  ///< OID
  bool is_text{};        ///< its values are the text that the type's output function makes of them

  friend bool operator==(const result_column&, const result_column&) = default;
};
/// The columns of a result, in order.
using result_columns = std::vector<result_column>;

}  // namespace sluice
