#pragma once
// Makes a query in the memory of one that is gone: short queries would spend a good part of their time in the
// allocator.
#include <memory>
#include <utility>

#include "api/running_query.hpp"

namespace sluice::detail {

/// Keeps a block for this thread, if it has none.
/// @param block  from `operator new`, of so many bytes
void keep_block(void* block, std::size_t bytes) noexcept;
/// @return such a block, or a new one
/// @par Errors  std::bad_alloc
[[nodiscard]] void* take_block(std::size_t bytes);

template <class T>
class block_allocator {
 public:
  using value_type = T;
  block_allocator() = default;
  template <class Other>
  block_allocator(const block_allocator<Other>& /*other*/) noexcept {}
  [[nodiscard]] T* allocate(std::size_t count) { return static_cast<T*>(take_block(count * sizeof(T))); }
  void deallocate(T* block, std::size_t count) noexcept { keep_block(block, count * sizeof(T)); }
  friend bool operator==(const block_allocator&, const block_allocator&) = default;
};

template <class... Args>
[[nodiscard]] std::shared_ptr<running_query> new_query(Args&&... args) {
  return std::allocate_shared<running_query>(block_allocator<running_query>{}, std::forward<Args>(args)...);
}

}  // namespace sluice::detail
