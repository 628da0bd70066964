#pragma once
// Appends one message: its type byte, room for its length, and its fields; `finish` fills in the length. A writer that
// was not finished, or finished with a fault, removes everything it wrote: no half-written message reaches the wire.
#include <cstring>
#include <utility>

#include <sluice/proto/byte_order.hpp>

#include "messages/frontend.hpp"

namespace sluice::proto {

class message_writer {
 public:
  static constexpr std::size_t max_message = 0x3fffffff;  // the most that the server accepts

  // `type` 0: a start-up message, which has no type byte. `limit` is the largest length field accepted.
  explicit message_writer(char type, output& out, std::size_t limit = max_message);
  ~message_writer();
  message_writer(const message_writer&) = delete;
  message_writer& operator=(const message_writer&) = delete;

  // Reserves room for fields of `size` bytes and a zero byte; refused, here or by `finish`, if they exceed the limit.
  // The buffer does not move until they are written, so no copy of a secret stays behind in freed memory.
  message_writer& room(std::size_t size) { return size < left() ? *this : more_room(size); }
  // A count: refused above 65535.
  message_writer& u16(std::size_t value) {
    if (value > 0xffff) refuse("more than 65535 parameters");
    store_big(take(sizeof(std::uint16_t)), static_cast<std::uint16_t>(value));
    return *this;
  }
  message_writer& u32(std::uint32_t value) {
    store_big(take(sizeof value), value);
    return *this;
  }
  message_writer& byte(char value) {
    *take(1) = static_cast<std::byte>(value);
    return *this;
  }
  // With its zero byte: refused if the text contains one.
  message_writer& text(std::string_view value) { return value.empty() ? byte('\0') : filled_text(value); }
  message_writer& bytes(std::string_view value) {
    if (value.size() > left()) return many_bytes(value);
    if (!value.empty()) std::memcpy(take(value.size()), value.data(), value.size());
    return *this;
  }
  // Its size, then its bytes.
  message_writer& sized(std::string_view value) { return u32(static_cast<std::uint32_t>(value.size())).bytes(value); }
  void refuse(std::string_view rule) noexcept;
  [[nodiscard]] fault finish();

 private:
  static constexpr std::size_t spare = 64;  // bytes: as many as most messages have

  message_writer& more_room(std::size_t size);
  message_writer& filled_text(std::string_view value);
  message_writer& many_bytes(std::string_view value);
  // Where the next `size` bytes of the message go.
  std::byte* take(std::size_t size) {
    if (left() < size) open(size);
    return std::exchange(at_, at_ + size);
  }
  // Makes the output long enough for `size` more bytes, and a few more.
  void open(std::size_t size);
  // The next byte goes to `position` in the output, whose memory or length has changed.
  void go_on_at(std::size_t position) noexcept {
    at_ = out_.data() + position;
    end_ = out_.data() + out_.size();
  }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] std::size_t used() const noexcept { return static_cast<std::size_t>(at_ - out_.data()); }

  output& out_;
  std::size_t start_;
  std::size_t length_at_;
  std::size_t limit_;
  std::byte* at_;   // within `out_`: behind what was written
  std::byte* end_;  // of `out_`
  char type_;
  bool finished_{false};
  fault fault_{};
};

}  // namespace sluice::proto
