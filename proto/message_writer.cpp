#include "message_writer.hpp"

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

message_writer::message_writer(char type, output& out) : out_{out}, start_{out.size()}, type_{type} {
  if (type_ != '\0') out_.push_back(static_cast<std::byte>(type_));
  out_.resize(out_.size() + length_bytes);
}

message_writer::~message_writer() {
  if (!finished_) out_.resize(start_);
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
  if (value.size() <= max_message && value.find('\0') != std::string_view::npos)
    refuse("a text with a zero byte, which would end it early");
  return bytes(value).byte('\0');
}

message_writer& message_writer::bytes(std::string_view value) {
  if (value.size() > max_message) refuse("a value of 1 GiB or more");
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

fault message_writer::finish(std::size_t limit) {
  const std::size_t at = start_ + (type_ == '\0' ? 0 : 1);
  const std::size_t length = out_.size() - at;
  if (length > limit) refuse("a message longer than the server accepts");
  if (!fault_) {
    store_big(out_.data() + at, static_cast<std::uint32_t>(length));
    finished_ = true;
  }
  return fault_;
}

}  // namespace sluice::proto
