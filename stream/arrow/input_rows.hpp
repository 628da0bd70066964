#pragma once
// The rows of batches from elsewhere.
#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/arrow/abi.hpp>
#include <sluice/stream/to_binary.hpp>

#include "arrow/input_column.hpp"

namespace sluice::arrow_input {

/// A stream of batches, read one row after the other.
class input_rows {
 public:
  /// Takes over a stream, or one batch. What it takes over is left as released.
  explicit input_rows(ArrowArrayStream& from) noexcept;
  input_rows(ArrowArray& values, ArrowSchema& schema) noexcept;
  ~input_rows();
  input_rows(const input_rows&) = delete;
  input_rows& operator=(const input_rows&) = delete;

  /// The columns. It asks the stream the first time.
  /// @par Errors  throws std::system_error: what the stream says; bad_input
  [[nodiscard]] const input_batch& batch();
  /// Goes to the next row.
  /// @return whether there is one
  /// @par Errors  as `batch`
  [[nodiscard]] bool advance();
  /// The row, in the current batch.
  [[nodiscard]] std::int64_t row() const noexcept { return row_; }
  /// Writes a value of the row.
  /// @par Errors  throws error: bad_column; bad_input
  void write(binary_place& to, std::size_t column) const;

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

}  // namespace sluice::arrow_input
