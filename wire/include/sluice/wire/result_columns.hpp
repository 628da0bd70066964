#pragma once
/// @file
/// What a result's columns are called, and their types.

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// One column of a result, as RowDescription tells it.
struct result_column {
  std::string name;
  std::uint32_t type{};  ///< OID
};
using result_columns = std::vector<result_column>;

}  // namespace sluice
