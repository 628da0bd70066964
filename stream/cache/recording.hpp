#pragma once
// Rows that are copied while their stream flows. A chunk is copied once its consumer asks for the next one, so that
// nobody waits for the copy of the first rows.
#include <cstddef>
#include <vector>

#include <sluice/stream/chunk.hpp>

#include "cache/store.hpp"

namespace sluice::detail {

class recording {
 public:
  /// Adds the rows of a chunk.
  /// @param room  where the bytes are counted
  /// @return false if they exceed the bounds, or do not look like those before; then it is of no more use
  [[nodiscard]] bool take(const chunk& rows, store& room, store::fill& of);
  [[nodiscard]] stored_rows rows() const noexcept { return {.bytes = bytes_, .shape = shape_, .count = count_}; }

 private:
  std::vector<std::byte> bytes_;
  proto::row_shape shape_{};
  std::uint32_t count_{0};
};

}  // namespace sluice::detail
