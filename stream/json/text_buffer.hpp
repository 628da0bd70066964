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
  [[nodiscard]] std::string_view text() const noexcept { return {bytes_.get(), size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - bytes_.get()); }
  void clear() noexcept { at_ = bytes_.get(); }
  /// Takes back what was written after the first `size` bytes.
  void cut(std::size_t size) noexcept { at_ = bytes_.get() + size; }

  /// Room for at least so many bytes more; `wrote` says where the text ends in it.
  /// @par Lifetime  until the next call
  [[nodiscard]] char* room(std::size_t most) {
    if (static_cast<std::size_t>(end_ - at_) < most) grow(most);
    return at_;
  }
  void wrote(char* end) noexcept { at_ = end; }

  void add(char one) {
    *room(1) = one;
    ++at_;
  }
  void add(std::string_view text) {
    if (text.empty()) return;  // its data may be null
    std::memcpy(room(text.size()), text.data(), text.size());
    at_ += text.size();
  }

 private:
  void grow(std::size_t most) {
    constexpr std::size_t least = 4096;
    const std::size_t used = size();
    const std::size_t capacity = std::max({least, 2 * static_cast<std::size_t>(end_ - bytes_.get()), used + most});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (used != 0) std::memcpy(larger.get(), bytes_.get(), used);
    bytes_ = std::move(larger);
    at_ = bytes_.get() + used;
    end_ = bytes_.get() + capacity;
  }

  std::unique_ptr<char[]> bytes_;
  char* at_{nullptr};  // the end of the text
  char* end_{nullptr};
};

}  // namespace sluice::detail
