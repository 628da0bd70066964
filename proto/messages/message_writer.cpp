#include "messages/message_writer.hpp"

#include <algorithm>

namespace sluice::proto {

namespace {
constexpr std::size_t length_bytes = 4;
}  // namespace

message_writer::message_writer(char type, output& out, std::size_t limit)
    : out_{out}, start_{out.size()}, length_at_{start_ + (type == '\0' ? 0 : 1)}, limit_{limit}, type_{type} {
  out_.resize(length_at_ + length_bytes + spare);  // in one step: if it throws, there is nothing to undo
  if (type_ != '\0') out_[start_] = static_cast<std::byte>(type_);
  go_on_at(length_at_ + length_bytes);
}

message_writer::~message_writer() {
  if (!finished_) out_.resize(start_);
}

void message_writer::open(std::size_t size) {
  const std::size_t now = used();
  out_.resize(now + size + spare);
  go_on_at(now);
}

message_writer& message_writer::more_room(std::size_t size) {
  const std::size_t now = used();
  const std::size_t length = now - length_at_;
  if (length > limit_ || size > limit_ - length) refuse("a message longer than the server accepts");
  const std::size_t needed = now + size + 1 + spare;
  if (fault_ || needed <= out_.capacity()) return *this;
  out_.reserve(std::max(needed, 2 * out_.capacity()));
  go_on_at(now);
  return *this;
}

message_writer& message_writer::filled_text(std::string_view value) {
  room(value.size());  // first: what is far too large is not looked at
  if (!fault_ && value.find('\0') != std::string_view::npos)
    refuse("a text with a zero byte, which would end it early");
  return bytes(value).byte('\0');
}

message_writer& message_writer::many_bytes(std::string_view value) {
  more_room(value.size());
  if (fault_) return *this;
  out_.resize(used());  // what is inserted need not be filled with zeros first
  const auto view = std::as_bytes(std::span{value});
  out_.insert(out_.end(), view.begin(), view.end());
  go_on_at(out_.size());
  return *this;
}

void message_writer::refuse(std::string_view rule) noexcept {
  if (!fault_) fault_ = {fault::kind::unencodable, type_, rule};
}

fault message_writer::finish() {
  const std::size_t length = used() - length_at_;
  if (length > limit_) refuse("a message longer than the server accepts");
  if (!fault_) {
    out_.resize(used());
    store_big(out_.data() + length_at_, static_cast<std::uint32_t>(length));
    finished_ = true;
  }
  return fault_;
}

}  // namespace sluice::proto
