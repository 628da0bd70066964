#pragma once
/// @file
/// Reads the fields of one message body. This is the only place where received bytes are split into fields. A read past
/// the end returns zeros and is remembered, so a decoder can read all its fields first and check once.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::proto {

/// A cursor over one body.
/// @par Lifetime  it returns views into the body
class body_reader {
 public:
  explicit body_reader(std::span<const std::byte> body) noexcept : rest_{body} {}

  [[nodiscard]] std::uint8_t u8() noexcept;
  [[nodiscard]] std::uint16_t u16() noexcept;
  [[nodiscard]] std::uint32_t u32() noexcept;
  [[nodiscard]] std::uint64_t u64() noexcept;
  [[nodiscard]] std::int16_t i16() noexcept { return static_cast<std::int16_t>(u16()); }
  [[nodiscard]] std::int32_t i32() noexcept { return static_cast<std::int32_t>(u32()); }
  [[nodiscard]] std::int64_t i64() noexcept { return static_cast<std::int64_t>(u64()); }
  [[nodiscard]] std::span<const std::byte> bytes(std::size_t count) noexcept;
  /// The text up to the next zero byte, which is consumed but not part of the result.
  [[nodiscard]] std::string_view text() noexcept;
  /// Everything that is left.
  [[nodiscard]] std::span<const std::byte> rest() noexcept { return bytes(rest_.size()); }

  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }
  /// Whether no read went past the end.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// Whether `ok()` and nothing is left: the message had exactly the fields that were read.
  [[nodiscard]] bool exhausted() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool ok_{true};
};

}  // namespace sluice::proto
