#pragma once
/// @file
/// Batches of columns that own their memory, and what makes them of rows.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <sluice/arrow/abi.hpp>
#include <sluice/arrow/options.hpp>
#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/wire/result_columns.hpp>

namespace sluice {

/// A batch: a struct array with a child for each column.
/// @par Lifetime       owns its memory: it does not need the stream or the connection that it came from
/// @par Thread safety  may be used and destroyed in any one thread
class arrow_batch {
 public:
  /// No batch: the end of the stream.
  arrow_batch() = default;
  /// Takes the array over.
  explicit arrow_batch(ArrowArray array) noexcept : array_{array} {}
  arrow_batch(arrow_batch&& other) noexcept : array_{std::exchange(other.array_, ArrowArray{})} {}
  arrow_batch& operator=(arrow_batch&& other) noexcept {
    if (this != &other) {
      reset();
      array_ = std::exchange(other.array_, ArrowArray{});
    }
    return *this;
  }
  ~arrow_batch() { reset(); }

  /// False at the end of the stream.
  explicit operator bool() const noexcept { return array_.release != nullptr; }
  [[nodiscard]] std::size_t rows() const noexcept { return static_cast<std::size_t>(array_.length); }
  /// @par Lifetime  as the batch
  [[nodiscard]] const ArrowArray& array() const noexcept { return array_; }
  /// Hands the array over: whoever has it calls its `release`. A batch that is the end is handed over as a released
  /// array.
  /// @param to  overwritten; not released before
  void export_to(ArrowArray* to) noexcept { *to = std::exchange(array_, ArrowArray{}); }

 private:
  void reset() noexcept {
    if (array_.release != nullptr) array_.release(&array_);
  }

  ArrowArray array_{};
};

/// The type of the batches: a struct type with a field for each column.
class arrow_schema {
 public:
  arrow_schema() = default;
  explicit arrow_schema(ArrowSchema schema) noexcept : schema_{schema} {}
  arrow_schema(arrow_schema&& other) noexcept : schema_{std::exchange(other.schema_, ArrowSchema{})} {}
  arrow_schema& operator=(arrow_schema&& other) noexcept {
    if (this != &other) {
      reset();
      schema_ = std::exchange(other.schema_, ArrowSchema{});
    }
    return *this;
  }
  ~arrow_schema() { reset(); }

  /// @par Lifetime  as this object
  [[nodiscard]] const ArrowSchema& schema() const noexcept { return schema_; }
  /// Hands the schema over: whoever has it calls its `release`.
  void export_to(ArrowSchema* to) noexcept { *to = std::exchange(schema_, ArrowSchema{}); }

 private:
  void reset() noexcept {
    if (schema_.release != nullptr) schema_.release(&schema_);
  }

  ArrowSchema schema_{};
};

namespace detail {

class batch_builder;

/// Makes batches of chunks. It waits for nothing: whoever has a stream gives it the chunks.
class SLUICE_API batch_assembly {
 public:
  /// @par Errors  throws error: bad_query for impossible options
  explicit batch_assembly(const arrow_options& how);
  batch_assembly(batch_assembly&&) noexcept;
  batch_assembly& operator=(batch_assembly&&) noexcept;
  ~batch_assembly();

  /// Whether the columns are known, so that there is a schema.
  [[nodiscard]] bool is_known() const noexcept { return builder_ != nullptr; }
  /// Whether another chunk is needed before there can be a batch.
  [[nodiscard]] bool is_hungry() const noexcept { return !is_over_ && !is_full_; }
  /// Takes the next rows of the stream; an empty chunk is its end.
  /// @param columns  of the stream, now
  /// @par Lifetime  the rows must stay valid until `is_hungry`
  void take(const chunk& rows, std::span<const result_column> columns);
  /// The stream has failed: the rows before that still become a batch.
  void fail(std::exception_ptr why) noexcept;
  /// The next batch; none at the end.
  /// @pre not `is_hungry`
  /// @par Errors  throws what `fail` was given; error: bad_column for a value that does not fit its Arrow type, after
  ///              the rows before it
  [[nodiscard]] arrow_batch next();
  /// @par Errors  throws error: bad_state when the columns are not known, what `fail` was given
  [[nodiscard]] arrow_schema schema() const;

 private:
  void fill();

  arrow_options how_;
  std::unique_ptr<batch_builder> builder_;
  chunk::iterator at_{};  // in a chunk that was not used up
  std::exception_ptr failure_{};
  bool has_rows_{false};  // in that chunk
  bool is_full_{false};
  bool is_over_{false};
};

}  // namespace detail

}  // namespace sluice
