#include "engine/kept_rows.hpp"

#include <algorithm>
#include <utility>

#include "transport/receive_buffer.hpp"

namespace sluice::wire {

bool kept_rows::add(const std::byte* rows, std::size_t size) {
  overflowed_ = overflowed_ || size > most_ - this->size();
  if (overflowed_) return false;
  if (empty()) {
    bytes_.clear();
    taken_ = 0;
  }
  const std::size_t needed = bytes_.size() + size + receive_buffer::padding;  // readable, contents unused
  if (needed > bytes_.capacity()) bytes_.reserve(std::max(needed, 2 * bytes_.size()));
  bytes_.insert(bytes_.end(), rows, rows + size);
  return true;
}

bool kept_rows::has_reached(double share) noexcept {
  return static_cast<double>(size()) >= share * static_cast<double>(most_) && !std::exchange(has_warned_, true);
}

std::vector<std::byte> kept_rows::part(std::size_t count) {
  consume(count);
  std::vector<std::byte> rest;
  if (!empty()) {
    rest.reserve(size() + receive_buffer::padding);
    rest.assign(all().first, all().second);
  }
  taken_ = 0;
  return std::exchange(bytes_, std::move(rest));
}

void kept_rows::clear() noexcept {
  bytes_ = {};
  taken_ = 0;
}

}  // namespace sluice::wire
