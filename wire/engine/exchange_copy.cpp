// What an exchange makes of COPY in the binary format: a header, a tuple per CopyData, and a trailer.
//
// A tuple is written as the body of a DataRow, so that the rows are walked over where they lie. The first one, which
// servers send behind the header in one message, becomes a message of its own there.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/proto/byte_order.hpp>
#include "engine/exchange.hpp"
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

void exchange::on_copy(const proto::frame& message) {
  const auto begun = proto::decode_copy_response(message.body);
  if (!begun || !begun->binary || begun->formats.size() != batch_.shape.columns)
    fail_malformed(message.type, "the copy is not in the binary format, or not of the columns that were described");
}

/// One that is not simply a row.
void exchange::on_copy_data(const proto::frame& message) {
  std::span<const std::byte> tuple = message.body;
  if (copy_part_ == copy_part::header) {
    copy_part_ = copy_part::rows;
    batch_.shape.type = std::byte{'d'};
    tuple = behind_header(tuple);
    if (tuple.empty()) return;
    if (!is_trailer(tuple)) {
      std::array<std::byte, proto::header_size> header{batch_.shape.type};
      proto::store_big(header.data() + 1, static_cast<std::uint32_t>(tuple.size() + proto::length_size));
      session_.io.in.overwrite(tuple.data() - header.size(), header);  // the copy's own header is longer
      unread_ = header.size() + tuple.size();
      return;
    }
  }
  if (copy_part_ == copy_part::over || !is_trailer(tuple))
    fail_malformed(message.type, "what is copied is not in the binary format");
  copy_part_ = copy_part::over;
  batch_.shape.type = {};  // no row comes any more
}

std::span<const std::byte> exchange::behind_header(std::span<const std::byte> data) const {
  proto::body_reader in{data};
  const std::string_view begin = as_text(in.bytes(signature.size()));
  const std::uint32_t flags = in.u32();
  (void)in.bytes(in.u32());  // an extension that may be passed over
  if (!in.ok() || begin != signature || (flags & critical) != 0)
    fail_malformed('d', "a copy in the binary format does not begin like this");
  return in.rest();
}

void exchange::on_copy_done() {
  if (copy_part_ != copy_part::over && !skipping_) fail_malformed('c', "the copy ends before its trailer");
}

}  // namespace sluice::wire
