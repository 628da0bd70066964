#pragma once
// What a program has bound to a statement: batches of rows, whose columns are the parameters from $1 on.
#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/arrow/abi.hpp>
#include <sluice/stream/bind_value.hpp>

#include "adbc/input_column.hpp"

namespace sluice::adbc {

/// A stream of batches, read one row after the other. It owns what was bound.
class bound_rows {
 public:
  /// Takes over a stream, or one batch. What it takes over is left as released.
  explicit bound_rows(ArrowArrayStream& from) noexcept;
  bound_rows(ArrowArray& values, ArrowSchema& schema) noexcept;
  ~bound_rows();
  bound_rows(const bound_rows&) = delete;
  bound_rows& operator=(const bound_rows&) = delete;

  /// The columns. It asks the stream the first time.
  /// @par Errors  throws failure: what the stream says; a type that cannot be sent
  [[nodiscard]] const input_batch& batch();
  /// Goes to the next row.
  /// @return whether there is one
  /// @par Errors  as `batch`
  [[nodiscard]] bool advance();
  /// The row, in the current batch.
  [[nodiscard]] std::int64_t row() const noexcept { return row_; }
  /// The values of the row as parameters.
  /// @par Errors  throws failure: a value that Postgres does not have
  [[nodiscard]] std::vector<bind_value> values();

 private:
  [[nodiscard]] bool next_batch();
  void check(int number);

  ArrowArrayStream stream_{};
  ArrowSchema schema_{};
  ArrowArray array_{};
  std::optional<input_batch> batch_{};
  std::int64_t row_{-1};
  bool is_read_{false};  // array_ is the current batch
};

}  // namespace sluice::adbc
