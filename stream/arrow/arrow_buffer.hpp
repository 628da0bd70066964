#pragma once
// Memory of an Arrow array while it grows: aligned as Arrow recommends, and not initialized.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace sluice::detail {

class arrow_buffer {
 public:
  static constexpr std::size_t alignment = 64;

  struct freeing {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  using memory = std::unique_ptr<std::byte[], freeing>;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::byte* data() noexcept { return memory_.get(); }
  [[nodiscard]] const std::byte* data() const noexcept { return memory_.get(); }

  /// Room for so many more bytes.
  /// @par Lifetime  until the next change
  [[nodiscard]] std::byte* room(std::size_t bytes) {
    if (bytes > capacity_ - size_) grow(bytes);
    return memory_.get() + size_;
  }
  void wrote(std::size_t bytes) noexcept { size_ += bytes; }

  template <class Value>
    requires std::is_trivially_copyable_v<Value>
  void add(const Value& value) {
    std::memcpy(room(sizeof value), &value, sizeof value);
    size_ += sizeof value;
  }
  void add(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void add_zeros(std::size_t bytes) {
    if (bytes == 0) return;
    std::memset(room(bytes), 0, bytes);
    size_ += bytes;
  }
  void cut(std::size_t size) noexcept { size_ = size; }
  void reserve(std::size_t bytes) {
    if (bytes > capacity_) reallocate(bytes);
  }
  /// Gives the memory away; never null, so that readers need not know of empty buffers.
  [[nodiscard]] memory take() {
    if (memory_ == nullptr) reallocate(alignment);
    size_ = capacity_ = 0;
    return std::move(memory_);
  }

 private:
  void grow(std::size_t bytes) { reallocate(std::max(size_ + bytes, capacity_ * 2)); }
  void reallocate(std::size_t bytes) {
    const std::size_t capacity = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    memory larger{static_cast<std::byte*>(std::aligned_alloc(alignment, capacity))};
    if (larger == nullptr) throw std::bad_alloc{};
    if (size_ != 0) std::memcpy(larger.get(), memory_.get(), size_);
    memory_ = std::move(larger);
    capacity_ = capacity;
  }

  memory memory_;
  std::size_t size_{0};
  std::size_t capacity_{0};
};

}  // namespace sluice::detail
