#include "transport/receive_buffer.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace sluice::wire {

namespace {
constexpr std::size_t smallest = 16;
}

receive_buffer::receive_buffer(std::size_t capacity, std::size_t limit, std::size_t first) noexcept
    : most_{std::max(capacity, smallest)},
      first_{std::clamp(first, smallest, most_)},
      usual_{first_},
      limit_{std::max(limit, most_)} {}

void receive_buffer::consume(std::size_t count) noexcept {
  assert(count <= end_ - start_);
  start_ += count;
}

void receive_buffer::overwrite(const std::byte* at, std::span<const std::byte> with) noexcept {
  assert(at >= arrived().data() && at + with.size() <= bytes_.get() + end_);
  std::ranges::copy(with, bytes_.get() + (at - bytes_.get()));
}

std::span<std::byte> receive_buffer::make_room(std::size_t wanted) {
  const std::size_t pending = end_ - start_;
  if (wanted > limit_) return {};
  if (end_ == capacity_ && capacity_ == usual_) usual_ = std::min(usual_ * 2, most_);  // the last read filled it
  if (pending == capacity_ && capacity_ < limit_) {
    reallocate(std::clamp(capacity_ * 2, usual_, limit_));
  } else if (capacity_ < usual_ || (capacity_ > usual_ && std::max(wanted, pending) <= usual_)) {
    reallocate(usual_);
  } else if (start_ != 0) {
    std::memmove(bytes_.get(), bytes_.get() + start_, pending);
  }
  start_ = 0;
  end_ = pending;
#ifdef SLUICE_POISON_STALE_VIEWS  // a build option of the library; no header depends on it
  std::memset(bytes_.get() + end_, 0xdd, capacity_ - end_);
#endif
  return room();
}

void receive_buffer::commit(std::size_t count) noexcept {
  assert(count <= capacity_ - end_);
  end_ += count;
  fullest_ = std::max(fullest_, end_);
}

void receive_buffer::replace(std::size_t at, std::size_t count, std::span<const std::byte> with) noexcept {
  assert(at + count <= end_ - start_ && with.size() <= count);
  std::byte* const to = bytes_.get() + start_ + at;
  std::ranges::copy(with, to);
  const std::size_t removed = count - with.size();
  if (removed == 0) return;
  std::memmove(to + with.size(), to + count, end_ - start_ - at - count);
  end_ -= removed;
}

void receive_buffer::ease() noexcept {
  constexpr std::size_t much_less = 4;
  if (std::exchange(fullest_, 0) < usual_ / much_less) usual_ = std::max(usual_ / 2, first_);
}

void receive_buffer::rest() noexcept {
  if (start_ != end_) return;
  bytes_.reset();
  usual_ = first_;
  capacity_ = start_ = end_ = 0;
}

/// @return the memory before
std::unique_ptr<std::byte[]> receive_buffer::reallocate(std::size_t capacity) {
  const std::size_t pending = end_ - start_;
  auto bytes = std::make_unique_for_overwrite<std::byte[]>(capacity + padding);
  if (pending != 0) std::memcpy(bytes.get(), bytes_.get() + start_, pending);
  std::memset(bytes.get() + capacity, 0, padding);
  capacity_ = capacity;
  start_ = 0;
  end_ = pending;
  peak_ = std::max(peak_, allocated());
  return std::exchange(bytes_, std::move(bytes));
}

}  // namespace sluice::wire
