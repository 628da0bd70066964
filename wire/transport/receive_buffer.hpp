#pragma once
/// @file
/// The one buffer of a connection. Three areas, in this order:
///
///     | consumed: views handed out may point here | arrived: not consumed yet | room |  + padding, always readable
///
/// The padding lets simdjson parse a document where it lies. Views are valid until the next `make_room`.

#include <cstddef>
#include <memory>
#include <span>

namespace sluice::wire {

class receive_buffer {
 public:
  static constexpr std::size_t padding = 64;  ///< at least SIMDJSON_PADDING

  /// @param capacity  the most bytes held in normal running; at least 16
  /// @param limit     largest size it may grow to for one message that is larger than `capacity`
  /// @param first     bytes allocated at the first use; doubled whenever a read has filled them, up to `capacity`
  receive_buffer(std::size_t capacity, std::size_t limit, std::size_t first) noexcept;
  receive_buffer(std::size_t capacity, std::size_t limit) noexcept : receive_buffer{capacity, limit, capacity} {}

  [[nodiscard]] std::span<const std::byte> arrived() const noexcept { return {bytes_.get() + start_, end_ - start_}; }
  /// `count` arrived bytes have been dealt with; views into them stay valid until the next `make_room`.
  void consume(std::size_t count) noexcept;
  /// Changes arrived bytes where they lie.
  /// @pre `at` points to as many of them
  void overwrite(const std::byte* at, std::span<const std::byte> with) noexcept;

  /// Ends all views and makes room after what has arrived: moves it to the front; grows by doubling when it is full of
  /// what has arrived, so that a length alone allocates nothing; shrinks back when a message of `wanted` bytes fits
  /// again.
  /// @param wanted  size of the message that is arriving; from its own header, so it may lie
  /// @return where the next read goes; empty only when `wanted` is above the limit, or the limit is reached
  /// @par Exception safety  strong: std::bad_alloc
  [[nodiscard]] std::span<std::byte> make_room(std::size_t wanted);
  /// Where the next read may go without ending any view; may be empty.
  [[nodiscard]] std::span<std::byte> room() noexcept { return {bytes_.get() + end_, capacity_ - end_}; }
  /// `count` bytes were read into the room.
  void commit(std::size_t count) noexcept;

  /// Replaces arrived bytes: `count` of them, from the one at `at` on, by as many others or fewer. Ends all views.
  void replace(std::size_t at, std::size_t count, std::span<const std::byte> with) noexcept;

  /// A query is over: if its reads needed much less, the next make do with half, down to what it began with.
  void ease() noexcept;
  /// Nothing will be read for long: gives the memory back, if all that arrived is consumed. Ends all views.
  void rest() noexcept;

  /// Bytes allocated now, and the most that ever were, padding included.
  [[nodiscard]] std::size_t allocated() const noexcept { return capacity_ == 0 ? 0 : capacity_ + padding; }
  [[nodiscard]] std::size_t peak() const noexcept { return peak_; }

 private:
  void reallocate(std::size_t capacity);

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t most_;
  std::size_t first_;
  std::size_t usual_;  // the capacity to come back to after a large message
  std::size_t limit_;
  std::size_t capacity_{0};
  std::size_t start_{0};
  std::size_t end_{0};
  std::size_t peak_{0};
  std::size_t fullest_{0};  // since the last `ease`
};

}  // namespace sluice::wire
