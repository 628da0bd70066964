#include "engine/binary_copy.hpp"

#include "messages/backend.hpp"
#include "messages/body_reader.hpp"

namespace sluice::wire {

namespace {

constexpr std::string_view signature{"PGCOPY\n\xff\r\n\0", 11};
constexpr std::uint32_t critical{0xffff0000};  // flags that change the format

std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_trailer(std::span<const std::byte> tuple) noexcept { return as_text(tuple) == "\xff\xff"; }

}  // namespace

bool binary_copy::is_expected(std::span<const std::byte> body, std::size_t columns) {
  const auto begun = proto::decode_copy_response(body);
  return begun && begun->binary && begun->formats.size() == columns;
}

binary_copy::part binary_copy::on_data(std::span<const std::byte> body) noexcept {
  if (is_ == state::header) {
    proto::body_reader in{body};
    const std::string_view begin = as_text(in.bytes(signature.size()));
    const std::uint32_t flags = in.u32();
    (void)in.bytes(in.u32());  // an extension that may be skipped
    if (!in.ok() || begin != signature || (flags & critical) != 0)
      return {.why = "a copy in the binary format does not begin like this"};
    is_ = state::rows;
    const std::span<const std::byte> first = in.rest();
    if (!is_trailer(first)) return {.is = part::kind::header, .row = first};
  } else if (is_ == state::over || !is_trailer(body)) {
    return {.why = "what is copied is not in the binary format"};
  }
  is_ = state::over;
  return {.is = part::kind::trailer};
}

}  // namespace sluice::wire
