#pragma once
/// @file
/// Framing: where one backend message ends and the next begins.
///
/// Call `next_frame` on the bytes that have arrived. For a complete frame, consume `framing::size` bytes; for an
/// incomplete one, read until `framing::size` bytes are there. Nothing here copies or allocates.
/// @see PostgreSQL documentation, section "Message Formats"

#include <cstddef>
#include <cstdint>
#include <span>

#include <sluice/proto/byte_order.hpp>
#include <sluice/proto/fault.hpp>
#include <sluice/proto/limits.hpp>

namespace sluice::proto {

inline constexpr std::size_t header_size{5};    ///< type byte and length
inline constexpr std::uint32_t length_size{4};  ///< the length field counts itself, not the type byte

/// One backend message, in place in the receive buffer.
struct frame {
  char type{};                        ///< type byte: 'D' is DataRow, 'Z' ReadyForQuery, ...
  std::span<const std::byte> body{};  ///< everything after the length field
};

/// The result of `next_frame`.
struct framing {
  enum class kind : std::uint8_t { complete, incomplete, faulty };
  kind found{kind::incomplete};
  frame message{};     ///< complete: the frame
  std::size_t size{};  ///< complete: bytes to consume; incomplete: bytes needed in total
  fault why{};         ///< faulty: the reason
};

/// Finds the first message in `bytes`.
///
/// @param bytes   what has arrived, starting at a message boundary; may be empty
/// @param limits  largest bodies accepted; checked on the header, before the body has arrived
/// @return complete, incomplete or faulty. A faulty stream has no next message: close the connection
/// @par Lifetime  `message.body` points into `bytes` and is valid as long as they are
/// @par Errors    `bad_length` for a length below 4, negative, or long for a type that is never long; `too_large` above
///                the limit
[[nodiscard]] inline framing next_frame(std::span<const std::byte> bytes, const limits& limits) noexcept {
  if (bytes.size() < header_size) return {.size = header_size};

  const char type = std::to_integer<char>(bytes[0]);
  const auto length = load_big<std::uint32_t>(bytes.data() + 1);
  if (length < length_size || length > 0x7fffffffU)
    return {.found = framing::kind::faulty,
            .why = {fault::kind::bad_length, type, "the length is below four or negative"}};
  const std::size_t body = length - length_size;
  if (body > limits.of(type)) {
    if (limits::may_be_long(type))
      return {.found = framing::kind::faulty, .why = {fault::kind::too_large, type, "longer than the limit allows"}};
    return {.found = framing::kind::faulty, .why = {fault::kind::bad_length, type, "longer than a server makes it"}};
  }

  const std::size_t size = header_size + body;
  if (bytes.size() < size) return {.size = size};
  return {.found = framing::kind::complete, .message = {type, bytes.subspan(header_size, body)}, .size = size};
}

}  // namespace sluice::proto
