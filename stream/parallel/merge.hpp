#pragma once
// Merges sorted results into one.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <sluice/stream/chunk.hpp>

namespace sluice::detail {

/// A key of the order: a column that follows the document in each row, in the binary format.
struct sort_column {
  std::uint32_t type;  ///< OID
  bool descending;
  bool nulls_first;
};

/// Whether such values can be ordered by their bytes; for text, only in the collation "C".
[[nodiscard]] bool is_sortable(std::uint32_t type) noexcept;

/// A k-way merge of rows in place. Rows are never moved, so a run of rows from one result may be as short as one row.
class merge {
 public:
  struct run {
    chunk rows;
    std::uint32_t from;
    bool is_last;  ///< nothing remains of what was added for this result
  };

  explicit merge(std::vector<sort_column> keys) : keys_{std::move(keys)} {}

  /// @param from  the result, which must have no rows here at the moment
  void add(std::uint32_t from, const chunk& rows);
  /// How many results have rows here.
  [[nodiscard]] std::size_t size() const noexcept { return heads_.size(); }
  /// The next run of rows, all of one result.
  /// @pre every result that is not over has rows here, and there is at least one such result
  [[nodiscard]] run next();

 private:
  struct head {
    std::uint32_t from;
    proto::row_batch rest;
    std::size_t size;  // of its first row
  };
  [[nodiscard]] bool comes_before(const std::byte* a, const std::byte* b) const noexcept;

  std::vector<sort_column> keys_;
  std::vector<head> heads_{};
};

}  // namespace sluice::detail
