#pragma once
/// @file
/// Rows that were read before their consumer asked for them, in their own memory.

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include <sluice/proto/row_walk.hpp>

namespace sluice::wire {

class kept_rows {
 public:
  /// @param most  bytes that may be kept
  explicit kept_rows(std::size_t most = 0) noexcept : most_{most} {}

  /// Whether `at` points into these bytes.
  [[nodiscard]] bool holds(const std::byte* at) const noexcept {
    return std::less_equal{}(bytes_.data(), at) && std::less{}(at, bytes_.data() + bytes_.size());
  }
  /// Appends a copy of these frames.
  /// @return false if there is no room for them: they are not kept, and `has_overflowed` reports it
  /// @par Exception safety  strong: std::bad_alloc
  [[nodiscard]] bool add(const std::byte* rows, std::size_t size);
  [[nodiscard]] bool has_overflowed() const noexcept { return overflowed_; }
  /// The same, and resets it.
  [[nodiscard]] bool take_overflow() noexcept { return std::exchange(overflowed_, false); }
  /// Whether it holds this share of its limit for the first time.
  [[nodiscard]] bool has_reached(double share) noexcept;
  [[nodiscard]] bool empty() const noexcept { return taken_ == bytes_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - taken_; }
  [[nodiscard]] std::size_t most() const noexcept { return most_; }
  /// All its rows, followed by padding.
  /// @par Lifetime  until the next `add` or `clear`
  [[nodiscard]] std::pair<const std::byte*, const std::byte*> all() const noexcept {
    return {bytes_.data() + taken_, bytes_.data() + bytes_.size()};
  }
  /// Removes the first `count` bytes. Views stay valid until the next `add` or `clear`.
  void consume(std::size_t count) noexcept { taken_ += count; }
  /// Removes the first `count` bytes and gives the memory away, so that views stay valid.
  [[nodiscard]] std::vector<std::byte> part(std::size_t count);
  /// Frees the memory.
  void clear() noexcept;

 private:
  std::vector<std::byte> bytes_;
  std::size_t taken_{0};
  std::size_t most_;
  bool has_warned_{false};
  bool overflowed_{false};
};

}  // namespace sluice::wire
