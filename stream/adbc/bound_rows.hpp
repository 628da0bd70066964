#pragma once
// What a program has bound to a statement: batches of rows, whose columns are the parameters from $1 on.
#include <vector>

#include <sluice/stream/bind_value.hpp>

#include "arrow/input_rows.hpp"

namespace sluice::adbc {

using arrow_input::decimal_text;
using arrow_input::input_batch;
using arrow_input::input_column;
using arrow_input::input_list;
using arrow_input::json_text;

class bound_rows : public arrow_input::input_rows {
 public:
  using input_rows::input_rows;

  /// The values of the row as parameters.
  /// @par Errors  throws failure, bad_input: a value that Postgres does not have
  [[nodiscard]] std::vector<bind_value> values();
};

}  // namespace sluice::adbc
