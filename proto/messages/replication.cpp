#include "messages/replication.hpp"

#include <array>

#include <sluice/proto/byte_order.hpp>

#include "messages/body_reader.hpp"

namespace sluice::proto {

std::optional<xlog_data> decode_xlog_data(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  if (in.u8() != 'w') return std::nullopt;
  xlog_data piece;
  piece.start = in.u64();
  piece.end = in.u64();
  piece.sent_at = in.i64();
  piece.data = in.rest();
  return in.ok() ? std::optional{piece} : std::nullopt;
}

std::optional<primary_keepalive> decode_primary_keepalive(std::span<const std::byte> body) noexcept {
  body_reader in{body};
  if (in.u8() != 'k') return std::nullopt;
  primary_keepalive alive;
  alive.end = in.u64();
  alive.sent_at = in.i64();
  const std::uint8_t wants_reply = in.u8();
  alive.wants_reply = wants_reply == 1;
  return in.exhausted() && wants_reply <= 1 ? std::optional{alive} : std::nullopt;
}

fault encode(const standby_status_update& message, output& out) {
  constexpr std::size_t number = sizeof(std::uint64_t);
  std::array<std::byte, 2 + 4 * number> body{};
  body.front() = std::byte{'r'};
  store_big(body.data() + 1, message.written);
  store_big(body.data() + 1 + number, message.flushed);
  store_big(body.data() + 1 + 2 * number, message.applied);
  store_big(body.data() + 1 + 3 * number, static_cast<std::uint64_t>(message.sent_at));
  body.back() = std::byte{message.wants_reply};
  return encode(copy_data{body}, out);
}

}  // namespace sluice::proto
