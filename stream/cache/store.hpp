#pragma once
// The results that a cache holds, without anything that waits: the time is an argument, and nobody is called back.
//
// Bounds are in bytes and count everything: rows, keys, tags, what is being recorded, results that are no longer found
// but still being read, and an estimate of what the allocator and the table add.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <sluice/wire/result_columns.hpp>

#include "cache/entry.hpp"
#include "cache/entry_table.hpp"
#include "cache/families.hpp"

namespace sluice::detail {

class store {
 public:
  using time_point = entry::time_point;

  struct bounds {
    std::size_t total{};
    std::size_t each{};  ///< of one result with its key
  };
  struct counts {
    std::uint64_t evicted{};      ///< entries, to make room
    std::uint64_t invalidated{};  ///< entries that were found to be, and removed
  };

  /// A result that is on its way. It ends in `add` or `give_up`.
  struct fill {
    family* of{};
    std::string values{};
    std::uint32_t hash{};
    std::uint64_t version{};
    time_point began{};
    std::size_t reserved{0};
  };
  enum class added : std::uint8_t { stored, invalidated, superseded, too_large, no_room };

  explicit store(bounds most) noexcept;
  ~store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  /// The entry of a query, if it is valid. Its age is for the caller to judge.
  /// @param statement  what its family is known by
  /// @param values     what it is known by within the family
  [[nodiscard]] entry* find(std::string_view statement, std::string_view values);
  [[nodiscard]] entry* find(const fill& same);
  /// The same, for a reader: as a hit it counts against eviction.
  void count_hit(const entry& which) noexcept;
  void add_reader(entry& which) noexcept { which.add_user(); }
  void remove_reader(entry& which) noexcept;

  /// @return without a family if there is no room for one
  [[nodiscard]] fill begin_fill(std::string_view statement, std::span<const std::string> tags, std::string_view values,
                                time_point now);
  /// Room for more recorded bytes of it.
  [[nodiscard]] bool reserve(fill& of, std::size_t bytes);
  /// @par Exception safety  when memory is short it throws, and nothing was stored
  added add(fill& of, const stored_rows& rows, const result_columns* columns);
  void give_up(fill& of) noexcept;
  /// Whether its result would still be valid.
  [[nodiscard]] bool is_current(const fill& of) const noexcept { return !is_dropped(*of.of, of.version); }

  /// Nothing that began before is found from now on.
  void invalidate(std::string_view tag);
  void invalidate_all() noexcept;
  /// Frees a few of the entries that were invalidated, in a time that does not depend on how many there are.
  /// @return whether there may be more
  bool sweep() noexcept;

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t entries() const noexcept { return table_.size(); }
  [[nodiscard]] const bounds& most() const noexcept { return most_; }
  [[nodiscard]] const counts& done() const noexcept { return done_; }

 private:
  [[nodiscard]] bool is_dropped(const family& of, std::uint64_t version) const noexcept {
    return all_dropped_at_ > version || of.is_dropped(version);
  }
  [[nodiscard]] static std::size_t cost_of(std::size_t block) noexcept;
  [[nodiscard]] std::uint32_t hash_of(const family& of, std::string_view values) const noexcept;
  [[nodiscard]] std::size_t slot_of(const family& of, std::string_view values, std::uint32_t hash) const noexcept;
  [[nodiscard]] entry* valid_at(std::size_t slot) noexcept;
  [[nodiscard]] bool make_room(std::size_t bytes) noexcept;
  [[nodiscard]] family& acquire_family(std::string_view statement, std::span<const std::string> tags);
  void adopt_columns(fill& of, const result_columns* columns);
  std::size_t remove(std::size_t slot) noexcept;
  std::size_t drop_user(entry& which) noexcept;
  void release(family& of) noexcept;

  bounds most_;
  families families_;
  entry_table table_;
  std::size_t bytes_{0};
  std::uint64_t version_{1};
  std::uint64_t all_dropped_at_{0};
  std::size_t sweep_at_{0};
  std::size_t unswept_{0};  // slots
  counts done_{};
};

}  // namespace sluice::detail
