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
};
/// The columns of a result, in order.
using result_columns = std::vector<result_column>;

}  // namespace sluice
