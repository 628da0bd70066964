#pragma once
// Splits the binary form of an array or a composite: numbers in network byte order, and parts after their lengths.
#include <cstddef>
#include <cstdint>
#include <span>

#include <sluice/proto/byte_order.hpp>

namespace sluice::detail {

class part_reader {
 public:
  explicit part_reader(std::span<const std::byte> value) noexcept : rest_{value} {}

  /// A number; 0 if there is none, which is remembered.
  [[nodiscard]] std::uint32_t u32() noexcept {
    const std::span<const std::byte> bytes = part(sizeof(std::uint32_t));
    return bytes.empty() ? 0 : proto::load_big<std::uint32_t>(bytes.data());
  }
  [[nodiscard]] std::span<const std::byte> part(std::size_t size) noexcept {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::span<const std::byte> first = rest_.first(size);
    rest_ = rest_.subspan(size);
    return first;
  }
  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }
  /// Whether no read went past the end.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool exhausted() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool ok_{true};
};

}  // namespace sluice::detail
