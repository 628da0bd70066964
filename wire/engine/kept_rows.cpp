#include "engine/kept_rows.hpp"

#include <algorithm>

#include "transport/receive_buffer.hpp"

namespace sluice::wire {

void kept_rows::add(const std::byte* row, std::size_t size) {
  if (empty()) {
    bytes_.clear();
    taken_ = 0;
  }
  const std::size_t needed = bytes_.size() + size + receive_buffer::padding;  // readable, though nobody reads it
  if (needed > bytes_.capacity()) bytes_.reserve(std::max(needed, 2 * bytes_.size()));
  bytes_.insert(bytes_.end(), row, row + size);
}

void kept_rows::clear() noexcept {
  bytes_ = {};
  taken_ = 0;
}

}  // namespace sluice::wire
