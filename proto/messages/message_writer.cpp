#include "messages/message_writer.hpp"

#include <algorithm>
#include <sluice/proto/byte_order.hpp>

namespace sluice::proto {

namespace {
constexpr std::size_t length_bytes = 4;

template <class Unsigned>
void append_big(output& out, Unsigned value) {
  out.resize(out.size() + sizeof(Unsigned));
  store_big<Unsigned>(out.data() + out.size() - sizeof(Unsigned), value);
}
}  // namespace

message_writer::message_writer(char type, output& out, std::size_t limit)
    : out_{out}, start_{out.size()}, length_at_{start_ + (type == '\0' ? 0 : 1)}, limit_{limit}, type_{type} {
  out_.resize(length_at_ + length_bytes);  // in one step: if it throws, there is nothing to undo
  if (type_ != '\0') out_[start_] = static_cast<std::byte>(type_);
}

message_writer::~message_writer() {
  if (!finished_) out_.resize(start_);
}

message_writer& message_writer::room(std::size_t size) {
  const std::size_t used = out_.size() - length_at_;
  if (used > limit_ || size > limit_ - used) refuse("a message longer than the server accepts");
  const std::size_t needed = out_.size() + size + 1;
  if (!fault_ && needed > out_.capacity()) out_.reserve(std::max(needed, 2 * out_.capacity()));
  return *this;
}

message_writer& message_writer::u16(std::size_t value) {
  if (value > 0xffff) refuse("more than 65535 parameters");
  append_big(out_, static_cast<std::uint16_t>(value));
  return *this;
}

message_writer& message_writer::u32(std::uint32_t value) {
  append_big(out_, value);
  return *this;
}

message_writer& message_writer::byte(char value) {
  out_.push_back(static_cast<std::byte>(value));
  return *this;
}

message_writer& message_writer::text(std::string_view value) {
  room(value.size());
  if (!fault_ && value.find('\0') != std::string_view::npos)
    refuse("a text with a zero byte, which would end it early");
  return bytes(value).byte('\0');
}

message_writer& message_writer::bytes(std::string_view value) {
  room(value.size());
  if (fault_) return *this;
  const auto view = std::as_bytes(std::span{value});
  out_.insert(out_.end(), view.begin(), view.end());
  return *this;
}

message_writer& message_writer::sized(std::string_view value) {
  return u32(static_cast<std::uint32_t>(value.size())).bytes(value);
}

void message_writer::refuse(std::string_view rule) noexcept {
  if (!fault_) fault_ = {fault::kind::unencodable, type_, rule};
}

fault message_writer::finish() {
  const std::size_t length = out_.size() - length_at_;
  if (length > limit_) refuse("a message longer than the server accepts");
  if (!fault_) {
    store_big(out_.data() + length_at_, static_cast<std::uint32_t>(length));
    finished_ = true;
  }
  return fault_;
}

}  // namespace sluice::proto
