#pragma once
/// @file
/// The receive buffer of a connection. It has three areas, in this order:
///
///     | consumed: views handed out may point here | arrived: not consumed yet | room |  + padding, always readable
///
/// The padding lets simdjson parse a document in place. Views are valid until the next `make_room`, or as long as the
/// memory that `part` gives away.

#include <cstddef>
#include <memory>
#include <span>

namespace sluice::wire {

class receive_buffer {
 public:
  static constexpr std::size_t padding = 64;  ///< at least SIMDJSON_PADDING

  /// @param capacity  the most bytes held in normal operation; at least 16
  /// @param limit     the size up to which it may grow for a single message larger than `capacity`
  /// @param first     bytes allocated on first use; doubled whenever a read has filled them, up to `capacity`
  receive_buffer(std::size_t capacity, std::size_t limit, std::size_t first) noexcept;
  receive_buffer(std::size_t capacity, std::size_t limit) noexcept : receive_buffer{capacity, limit, capacity} {}

  [[nodiscard]] std::span<const std::byte> arrived() const noexcept { return {bytes_.get() + start_, end_ - start_}; }
  /// Marks `count` arrived bytes as processed; views into them stay valid until the next `make_room`.
  void consume(std::size_t count) noexcept;
  /// Changes arrived bytes in place.
  /// @pre `at` points to at least as many of them
  void overwrite(const std::byte* at, std::span<const std::byte> with) noexcept;

  /// Invalidates all views and makes room after the bytes that have arrived, by moving them to the front. Grows by
  /// doubling once it is full of arrived bytes, so that a length field alone allocates nothing; shrinks back when a
  /// message of `wanted` bytes fits again.
  /// @param wanted  size of the message that is arriving; it comes from the message's own header and may be false
  /// @return where the next read goes; empty only if `wanted` is above the limit, or the limit is reached
  /// @par Exception safety  strong: std::bad_alloc
  [[nodiscard]] std::span<std::byte> make_room(std::size_t wanted);
  /// Where the next read may go without invalidating any view; may be empty.
  [[nodiscard]] std::span<std::byte> room() noexcept { return {bytes_.get() + end_, capacity_ - end_}; }
  /// `count` bytes were read into the room.
  void commit(std::size_t count) noexcept;

  /// Replaces `count` arrived bytes, starting at the one at `at`, with the same number or fewer. Invalidates all views.
  void replace(std::size_t at, std::size_t count, std::span<const std::byte> with) noexcept;

  /// Gives its memory away, so that views into consumed bytes stay valid, and continues with a copy of what has
  /// arrived.
  /// @par Exception safety  strong: std::bad_alloc
  [[nodiscard]] std::unique_ptr<std::byte[]> part() { return reallocate(capacity_); }

  /// A query is over. If its reads needed much less, later ones use half the capacity, down to the initial size.
  void ease() noexcept;
  /// Nothing will be read for a long time: frees the memory if all arrived bytes are consumed. Invalidates all views.
  void rest() noexcept;

  /// Bytes allocated now, and the highest number so far, padding included.
  [[nodiscard]] std::size_t allocated() const noexcept { return capacity_ == 0 ? 0 : capacity_ + padding; }
  [[nodiscard]] std::size_t peak() const noexcept { return peak_; }

 private:
  std::unique_ptr<std::byte[]> reallocate(std::size_t capacity);

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t most_;
  std::size_t first_;
  std::size_t usual_;  // the capacity to return to after a large message
  std::size_t limit_;
  std::size_t capacity_{0};
  std::size_t start_{0};
  std::size_t end_{0};
  std::size_t peak_{0};
  std::size_t fullest_{0};  // since the last `ease`
};

}  // namespace sluice::wire
