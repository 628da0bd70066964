#pragma once
// Replaces operator new and delete of a program; to be included in exactly one of its files. Counts what a thread
// allocates, and lets a chosen allocation fail.
#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace sluice::test {

/// The counts of this thread. Memory freed by another thread is not subtracted from `live`.
struct memory {
  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

  std::size_t allocations{0};
  /// The number of allocations before the one that fails; later ones succeed. Asio's allocations do not count: it
  /// terminates the program when it cannot allocate an operation that it starts.
  std::size_t until_failure{never};
  std::size_t live{0};
  std::size_t peak{0};
  bool has_failed{false};

  /// Called for each allocation: whether this is the one that fails.
  bool fails_now() noexcept {
    if (until_failure == never || until_failure-- != 0) return false;
    until_failure = never;
    has_failed = true;
    return true;
  }
};
inline thread_local constinit memory counted{};

}  // namespace sluice::test

// NOLINTBEGIN(misc-*,cppcoreguidelines-*)
void* operator new(std::size_t size) {
  auto& counted = sluice::test::counted;
  ++counted.allocations;
  const bool is_asios = size % 4 == 1;  // Asio allocates a multiple of four bytes, plus one
  void* const memory = !is_asios && counted.fails_now() ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc{};
  counted.live += ::malloc_usable_size(memory);
  counted.peak = std::max(counted.peak, counted.live);
  return memory;
}
void operator delete(void* memory) noexcept {
  auto& counted = sluice::test::counted;
  counted.live -= std::min(counted.live, memory == nullptr ? 0 : ::malloc_usable_size(memory));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
// NOLINTEND(misc-*,cppcoreguidelines-*)
