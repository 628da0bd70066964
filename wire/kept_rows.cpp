#include <sluice/wire/kept_rows.hpp>

#include <sluice/wire/receive_buffer.hpp>

namespace sluice::wire {

void kept_rows::add(const std::byte* row, std::size_t size) {
  if (empty()) {
    bytes_.clear();
    taken_ = 0;
  }
  bytes_.insert(bytes_.end(), row, row + size);
}

std::pair<const std::byte*, const std::byte*> kept_rows::all() {
  bytes_.reserve(bytes_.size() + receive_buffer::padding);  // readable, though nobody reads it
  return {bytes_.data() + taken_, bytes_.data() + bytes_.size()};
}

void kept_rows::clear() noexcept {
  bytes_ = {};
  taken_ = 0;
}

}  // namespace sluice::wire
