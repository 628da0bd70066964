#include "api/new_query.hpp"

#include <cstddef>
#include <new>
#include <utility>

namespace sluice::detail {

namespace {

// AddressSanitizer is to see every use of a query that is gone.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps_blocks = false;
#elif defined(__has_feature)
constexpr bool keeps_blocks = !__has_feature(address_sanitizer);
#else
constexpr bool keeps_blocks = true;
#endif

struct kept_block {
  void* at{nullptr};
  std::size_t bytes{0};
};
thread_local kept_block kept;

// Frees it when the thread ends; from then on none is kept.
struct keeper {
  ~keeper() {
    ::operator delete(std::exchange(kept.at, this));
    kept.bytes = 0;
  }
};

}  // namespace

void* take_block(std::size_t bytes) {
  if (kept.bytes != bytes) return ::operator new(bytes);
  kept.bytes = 0;
  return std::exchange(kept.at, nullptr);
}

void keep_block(void* block, std::size_t bytes) noexcept {
  static thread_local keeper frees;
  (void)frees;
  if (!keeps_blocks || kept.at != nullptr) return ::operator delete(block);
  kept = {.at = block, .bytes = bytes};
}

}  // namespace sluice::detail
