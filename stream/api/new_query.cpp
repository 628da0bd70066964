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
  bool is_watched{false};  // it is freed when the thread ends
};
thread_local kept_block kept;

struct watch {
  watch() noexcept { kept.is_watched = true; }
  ~watch() { ::operator delete(std::exchange(kept, {}).at); }
};

}  // namespace

void* take_block(std::size_t bytes) {
  static thread_local const watch frees;  // here, because making it may fail
  (void)frees;
  if (kept.bytes != bytes) return ::operator new(bytes);
  kept.bytes = 0;
  return std::exchange(kept.at, nullptr);
}

void keep_block(void* block, std::size_t bytes) noexcept {
  if (!keeps_blocks || !kept.is_watched || kept.at != nullptr) return ::operator delete(block);
  kept.at = block;
  kept.bytes = bytes;
}

}  // namespace sluice::detail
