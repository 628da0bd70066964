#include "cache/entry_table.hpp"

#include <new>
#include <utility>

namespace sluice::detail {

namespace {
constexpr std::size_t fewest_slots = 16;
}

void entry_table::put(entry* which, std::uint32_t mark) noexcept {
  std::size_t slot = home(mark & hash_mask);
  while (entries_[slot] != nullptr) slot = after(slot);
  entries_[slot] = which;
  marks_[slot] = mark;
}

void entry_table::insert(entry* which) {
  if ((size_ + 1) * 8 > entries_.size() * 7) resize(entries_.size() + entries_.size() / 4 + fewest_slots);
  put(which, which->hash() & hash_mask);
  ++size_;
}

entry* entry_table::erase(std::size_t slot) noexcept {
  entry* const gone = entries_[slot];
  std::size_t empty = slot;
  for (std::size_t next = after(empty); entries_[next] != nullptr; next = after(next)) {
    // An entry moves back unless that would put it before its home, round the end of the table.
    const std::size_t wanted = home(marks_[next] & hash_mask);
    const bool is_between = empty <= next ? empty < wanted && wanted <= next : empty < wanted || wanted <= next;
    if (is_between) continue;
    entries_[empty] = entries_[next];
    marks_[empty] = marks_[next];
    empty = next;
  }
  entries_[empty] = nullptr;
  marks_[empty] = 0;
  --size_;
  return gone;
}

void entry_table::resize(std::size_t slots) {
  std::vector<entry*> entries(slots);
  std::vector<std::uint32_t> marks(slots);
  entries.swap(entries_);
  marks.swap(marks_);
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i] != nullptr) put(entries[i], marks[i]);
  hand_ = entries.empty() ? 0 : hand_ * slots / entries.size();
}

void entry_table::shrink() noexcept {
  const std::size_t enough = size_ + size_ / 2 + fewest_slots;
  if (entries_.size() < enough * 2) return;
  try {
    resize(enough);
  } catch (const std::bad_alloc&) {  // it stays as large as it is
  }
}

}  // namespace sluice::detail
