#include "messages/body_reader.hpp"

#include <cstring>

#include <sluice/proto/byte_order.hpp>

namespace sluice::proto {

namespace {
template <class Unsigned>
Unsigned take(body_reader& in) noexcept {
  const auto field = in.bytes(sizeof(Unsigned));
  return field.empty() ? Unsigned{} : load_big<Unsigned>(field.data());
}
}  // namespace

std::uint8_t body_reader::u8() noexcept { return take<std::uint8_t>(*this); }
std::uint16_t body_reader::u16() noexcept { return take<std::uint16_t>(*this); }
std::uint32_t body_reader::u32() noexcept { return take<std::uint32_t>(*this); }
std::uint64_t body_reader::u64() noexcept { return take<std::uint64_t>(*this); }

std::span<const std::byte> body_reader::bytes(std::size_t count) noexcept {
  if (count > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const auto field = rest_.first(count);
  rest_ = rest_.subspan(count);
  return field;
}

std::string_view body_reader::text() noexcept {
  const void* end = rest_.empty() ? nullptr : std::memchr(rest_.data(), 0, rest_.size());
  if (end == nullptr) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const auto size = static_cast<std::size_t>(static_cast<const std::byte*>(end) - rest_.data());
  const auto field = bytes(size + 1);
  return {reinterpret_cast<const char*>(field.data()), size};
}

}  // namespace sluice::proto
