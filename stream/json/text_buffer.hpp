#pragma once
// Text that is written anew for each batch of rows: memory that is kept, and not cleared before it is written.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace sluice::detail {

class text_buffer {
 public:
  [[nodiscard]] std::string_view text() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void clear() noexcept { size_ = 0; }
  /// Takes back what was written behind the first `size` bytes.
  void cut(std::size_t size) noexcept { size_ = size; }

  /// Room for so many bytes more; `wrote` says how many it became.
  /// @par Lifetime  until the next call
  [[nodiscard]] char* room(std::size_t most) {
    if (capacity_ - size_ < most) grow(most);
    return bytes_.get() + size_;
  }
  void wrote(const char* end) noexcept { size_ = static_cast<std::size_t>(end - bytes_.get()); }

  void add(char one) {
    *room(1) = one;
    ++size_;
  }
  void add(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    size_ += text.size();
  }

 private:
  void grow(std::size_t most) {
    constexpr std::size_t least = 4096;
    const std::size_t capacity = std::max({least, 2 * capacity_, size_ + most});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_{0};
  std::size_t capacity_{0};
};

}  // namespace sluice::detail
