#pragma once
/// @file
/// Rows that were read before their consumer asked for them, in memory of their own.

#include <cstddef>
#include <utility>
#include <vector>

#include <sluice/proto/row_walk.hpp>

namespace sluice::wire {

class kept_rows {
 public:
  /// Copies frames behind those there.
  /// @par Exception safety  strong: std::bad_alloc
  void add(const std::byte* row, std::size_t size);
  [[nodiscard]] bool empty() const noexcept { return taken_ == bytes_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - taken_; }
  /// All that is there, with padding behind it.
  /// @par Lifetime  until the next `add` or `clear`
  [[nodiscard]] std::pair<const std::byte*, const std::byte*> all() const noexcept {
    return {bytes_.data() + taken_, bytes_.data() + bytes_.size()};
  }
  /// The first `count` bytes are done with. Views stay valid until the next `add` or `clear`.
  void consume(std::size_t count) noexcept { taken_ += count; }
  /// Gives the memory back.
  void clear() noexcept;

 private:
  std::vector<std::byte> bytes_;
  std::size_t taken_{0};
};

}  // namespace sluice::wire
