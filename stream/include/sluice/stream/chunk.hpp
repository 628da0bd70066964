#pragma once
/// @file
/// Chunks: the rows that one read delivered, as they lie in the receive buffer.

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

#include <sluice/export.hpp>
#include <sluice/proto/row_walk.hpp>
#include <sluice/stream/row.hpp>

namespace sluice {

class owned_chunk;
namespace detail {
class merge;
class recording;
}  // namespace detail

/// The complete rows that one read delivered: a forward range of `row` with at least one row, or empty at the end of
/// the stream. Iterating is the only walk over the bytes, so there is no `size()`.
/// @par Lifetime  a view: valid until the next read of its stream
class SLUICE_API chunk {
 public:
  class iterator;

  chunk() = default;
  /// @param columns  of the result, if it was requested as columns; must outlive the rows
  explicit chunk(const proto::row_batch& rows, const result_columns* columns = nullptr) noexcept
      : rows_{rows}, columns_{columns} {}

  [[nodiscard]] iterator begin() const noexcept;
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  /// False at the end of the stream.
  explicit operator bool() const noexcept { return rows_.begin != nullptr; }

  /// A copy that owns its bytes. It may outlive the stream and move to another thread.
  [[nodiscard]] owned_chunk detach() const;

 private:
  friend class detail::merge;
  friend class detail::recording;
  proto::row_batch rows_;
  const result_columns* columns_{};
};

/// Steps from row to row. At the end it records where it stopped, so that no byte is walked twice.
class chunk::iterator {
 public:
  using value_type = row;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::forward_iterator_tag;
  using reference = row;
  using pointer = void;

  iterator() = default;
  iterator(const proto::row_batch& rows, const result_columns* columns) noexcept
      : at_{rows.begin}, rows_{rows}, columns_{columns} {
    if (at_ != nullptr) look();
  }

  [[nodiscard]] row operator*() const noexcept { return row{at_ + proto::header_size, columns_}; }
  iterator& operator++() noexcept {
    at_ += size_;
    ++count_;
    look();
    return *this;
  }
  iterator operator++(int) noexcept {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }
  friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept { return it.size_ == 0; }

 private:
  void look() noexcept {
    size_ = proto::row_at(at_, rows_.end, rows_.shape);
    if (size_ == 0 && rows_.walked != nullptr) *rows_.walked = {.at = at_, .rows = count_};
  }

  const std::byte* at_{};
  std::size_t size_{};
  std::size_t count_{};
  proto::row_batch rows_{};
  const result_columns* columns_{};
};

inline chunk::iterator chunk::begin() const noexcept { return {rows_, columns_}; }

/// Rows that own their bytes: what `chunk::detach` returns.
class SLUICE_API owned_chunk {
 public:
  owned_chunk() = default;
  /// A moved-from chunk is empty.
  owned_chunk(owned_chunk&& other) noexcept
      : bytes_{std::move(other.bytes_)},
        columns_{std::move(other.columns_)},
        rows_{std::exchange(other.rows_, proto::row_batch{})} {}
  owned_chunk& operator=(owned_chunk&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    columns_ = std::move(other.columns_);
    rows_ = std::exchange(other.rows_, proto::row_batch{});
    return *this;
  }
  ~owned_chunk() = default;

  /// @par Lifetime  rows are valid until this object is destroyed or assigned to; moving it keeps them valid
  [[nodiscard]] chunk::iterator begin() const& noexcept { return {rows_, columns_.get()}; }
  [[nodiscard]] std::default_sentinel_t end() const& noexcept { return {}; }
  chunk::iterator begin() const&& = delete;  // the rows would outlive the bytes
  /// False if it has no rows.
  explicit operator bool() const noexcept { return rows_.begin != nullptr; }

 private:
  friend class chunk;
  owned_chunk(const proto::row_batch& rows, const result_columns* columns);

  std::unique_ptr<std::byte[]> bytes_;
  std::unique_ptr<const result_columns> columns_;
  proto::row_batch rows_;
};

}  // namespace sluice
