#pragma once
// Text that is written anew for each batch of rows: memory that is kept, and not cleared before it is written.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

namespace sluice::detail {

/// Thrown when a text would become longer than it may.
struct text_too_long {};

class text_buffer {
 public:
  [[nodiscard]] std::string_view text() const noexcept { return {bytes_.get(), size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - bytes_.get()); }
  void clear() noexcept { at_ = bytes_.get(); }
  /// Takes back what was written after the first `size` bytes.
  void cut(std::size_t size) noexcept { at_ = bytes_.get() + size; }

  /// Lets the text become about so many bytes longer: a little more, because writers ask for more room than they use.
  void limit(std::size_t more) noexcept {
    constexpr std::size_t unused = 32U << 10U;
    const std::size_t least = size() + unused;
    limit_ = least + std::min(more, std::numeric_limits<std::size_t>::max() - least);
  }

  /// Room for at least so many bytes more; `wrote` says where the text ends in it.
  /// @par Lifetime  until the next call
  /// @par Errors    throws text_too_long
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
    if (used > limit_ || most > limit_ - used) throw text_too_long{};
    const std::size_t twice = 2 * static_cast<std::size_t>(end_ - bytes_.get());
    const std::size_t capacity = std::max(used + most, std::min(std::max(least, twice), limit_));
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (used != 0) std::memcpy(larger.get(), bytes_.get(), used);
    bytes_ = std::move(larger);
    at_ = bytes_.get() + used;
    end_ = bytes_.get() + capacity;
  }

  std::unique_ptr<char[]> bytes_;
  char* at_{nullptr};  // the end of the text
  char* end_{nullptr};
  std::size_t limit_{std::numeric_limits<std::size_t>::max()};  // of the size
};

}  // namespace sluice::detail
