#pragma once
// Gathers rows into a batch: a struct array with a child for each column.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sluice/arrow/batch.hpp>
#include <sluice/arrow/options.hpp>
#include <sluice/stream/row.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/result_columns.hpp>

#include "arrow/arrow_type.hpp"
#include "arrow/column_builder.hpp"

namespace sluice::detail {

class batch_builder {
 public:
  /// @param columns  as `comes_as_text` wanted them
  batch_builder(std::span<const result_column> columns, const arrow_options& how);

  /// Adds a row.
  /// @return whether it had room; without, and after an error, the batch is as before
  /// @pre the row has as many fields as there are columns
  /// @par Errors  throws error: bad_column; row_too_large for a row that no batch has room for
  [[nodiscard]] bool add(const row& each);
  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] bool is_full() const noexcept { return rows_ >= most_rows_ || counted_.count() >= most_bytes_; }
  /// Hands the batch over, and begins another.
  /// @par Errors  throws error: bad_column for text that is not UTF-8; the rows are lost
  [[nodiscard]] arrow_batch finish();
  [[nodiscard]] arrow_schema schema() const { return arrow_schema{export_schema(type_)}; }

 private:
  [[noreturn]] void fail(errc code, std::size_t column, const std::string& what, std::uint64_t row_number) const;

  arrow_type type_;
  batch_bytes counted_;
  std::vector<builder_ptr> columns_;
  std::size_t most_rows_;
  std::size_t most_bytes_;
  std::size_t rows_{0};
  std::uint64_t before_{0};  // rows of the batches before
};

/// @par Errors  throws error: bad_query for options that are impossible
void check_options(const arrow_options& how);

}  // namespace sluice::detail
