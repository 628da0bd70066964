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

struct spare_memory {
  void* at{nullptr};
  std::size_t bytes{0};
  bool is_watched{false};  // it is freed when the thread ends
};
thread_local spare_memory spare;

struct freed_with_thread {
  freed_with_thread() noexcept { spare.is_watched = true; }
  ~freed_with_thread() { ::operator delete(std::exchange(spare, {}).at); }
};

}  // namespace

void* take_block(std::size_t bytes) {
  static thread_local const freed_with_thread frees;  // here, because making it may fail
  (void)frees;
  if (spare.bytes != bytes) return ::operator new(bytes);
  spare.bytes = 0;
  return std::exchange(spare.at, nullptr);
}

void keep_block(void* block, std::size_t bytes) noexcept {
  if (!keeps_blocks || !spare.is_watched || spare.at != nullptr) return ::operator delete(block);
  spare.at = block;
  spare.bytes = bytes;
}

}  // namespace sluice::detail
