#pragma once
/// @file
/// One field of a row.

#include <cstddef>
#include <cstdint>

#include <sluice/proto/byte_order.hpp>

namespace sluice::proto {

inline constexpr std::uint32_t null_length = 0xffffffff;  ///< instead of a field's length: SQL NULL

/// A field in the body of a row that `row_at` has found well-formed.
/// @par Lifetime  views the body
class field_view {
 public:
  /// @param at  the field's length, which its bytes follow
  explicit field_view(const std::byte* at) noexcept
      : bytes_{at + sizeof(std::uint32_t)}, length_{load_big<std::uint32_t>(at)} {}
  /// The first field of a row.
  [[nodiscard]] static field_view first_of(const std::byte* body) noexcept { return field_view{body + 2}; }

  [[nodiscard]] bool is_null() const noexcept { return length_ == null_length; }
  [[nodiscard]] const std::byte* bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return is_null() ? 0 : length_; }  ///< 0 for NULL
  /// Where the next field begins, or the row ends.
  [[nodiscard]] const std::byte* end() const noexcept { return bytes_ + size(); }

 private:
  const std::byte* bytes_;
  std::uint32_t length_;
};

}  // namespace sluice::proto
