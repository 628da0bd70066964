#pragma once
// The stored results by their hash, and the order in which they are evicted.
//
// Open addressing with linear probing. Each slot counts the hits of its entry, up to a small number; a hand goes round
// the slots, lowers the counts and stops at the first that is zero. Compared with a list in order of use, it takes less
// memory, a hit moves nothing, and on a skewed trace more calls are hits (docs/decisions/result-cache.md).
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "cache/entry.hpp"

namespace sluice::detail {

class entry_table {
 public:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  /// What a slot takes, the empty ones included.
  static constexpr std::size_t bytes_per_entry = 16;

  /// The slot of the entry with this hash that `is_it` accepts.
  template <class Predicate>
  [[nodiscard]] std::size_t find(std::uint32_t hash, const Predicate& is_it) const {
    if (entries_.empty()) return none;
    const std::uint32_t wanted = hash & hash_mask;
    for (std::size_t slot = home(wanted); entries_[slot] != nullptr; slot = after(slot))
      if ((marks_[slot] & hash_mask) == wanted && is_it(*entries_[slot])) return slot;
    return none;
  }
  [[nodiscard]] entry* at(std::size_t slot) const noexcept { return entries_[slot]; }
  void count_hit(std::size_t slot) noexcept {
    if ((marks_[slot] & most_hits) != most_hits) ++marks_[slot];
  }

  /// @par Exception safety  strong
  void insert(entry* which);
  /// @return the entry, which is the caller's now. Those behind it may move one slot forward
  entry* erase(std::size_t slot) noexcept;
  /// The next entry to evict, of those that `may_go` accepts; `none` if there is none.
  template <class Predicate>
  [[nodiscard]] std::size_t next_victim(const Predicate& may_go) {
    for (std::size_t steps = entries_.size() * (most_hits + 1); steps != 0; --steps) {
      const std::size_t slot = hand_ < entries_.size() ? hand_ : 0;
      hand_ = slot + 1;
      if (entries_[slot] == nullptr) continue;
      if ((marks_[slot] & most_hits) != 0) {
        --marks_[slot];
      } else if (may_go(*entries_[slot])) {
        hand_ = slot;  // another entry may move there
        return slot;
      }
    }
    return none;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t slots() const noexcept { return entries_.size(); }
  /// Gives memory back once most slots are empty.
  void shrink() noexcept;

 private:
  static constexpr std::uint32_t hit_bits = 3;
  static constexpr std::uint32_t most_hits = (1U << hit_bits) - 1;
  static constexpr std::uint32_t hash_mask = ~most_hits;

  [[nodiscard]] std::size_t home(std::uint32_t mark) const noexcept {
    return static_cast<std::size_t>((std::uint64_t{mark} * entries_.size()) >> 32U);
  }
  [[nodiscard]] std::size_t after(std::size_t slot) const noexcept {
    return slot + 1 == entries_.size() ? 0 : slot + 1;
  }
  void put(entry* which, std::uint32_t mark) noexcept;
  void resize(std::size_t slots);

  std::vector<entry*> entries_;
  std::vector<std::uint32_t> marks_;  // the hash, and in the lowest bits the hits
  std::size_t size_{0};
  std::size_t hand_{0};
};

}  // namespace sluice::detail
