#pragma once
// Memory for secrets: overwritten before it is freed.

#include <openssl/crypto.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace sluice::proto {

template <class Value>
struct wiping_allocator {
  using value_type = Value;

  wiping_allocator() noexcept = default;
  template <class Other>
  explicit wiping_allocator(const wiping_allocator<Other>& /*other*/) noexcept {}

  [[nodiscard]] Value* allocate(std::size_t count) { return std::allocator<Value>{}.allocate(count); }
  void deallocate(Value* at, std::size_t count) noexcept {
    OPENSSL_cleanse(at, count * sizeof(Value));
    std::allocator<Value>{}.deallocate(at, count);
  }
  friend bool operator==(wiping_allocator, wiping_allocator) noexcept { return true; }
};

/// A vector, because a short std::string stores its text outside its allocator's memory.
template <class Value>
using secret_vector = std::vector<Value, wiping_allocator<Value>>;

}  // namespace sluice::proto
