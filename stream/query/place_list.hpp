#pragma once
// Where the values of a result's columns are in the document that is made of them.
#include <string>
#include <vector>

namespace sluice::detail {

/// For each column, the names on the way to its value. Columns in the same inner object follow each other.
struct place_list {
  std::vector<std::vector<std::string>> of_columns;
  bool are_json{true};  ///< the values, of which the text is as good as any other format
};

}  // namespace sluice::detail
