#pragma once
/// @file
/// The messages inside the CopyData of a replication connection: the server's, which carry its write-ahead log or say
/// that it is alive, and the client's, which say how far it has got.
///
/// Positions in the log (LSNs) are byte offsets; times are microseconds since 2000-01-01 00:00 UTC.
/// @par Lifetime  all spans are views into the decoded body
/// @see PostgreSQL documentation, section "Streaming Replication Protocol"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <sluice/proto/fault.hpp>
#include "messages/frontend.hpp"

namespace sluice::proto {

/// 'w': a piece of the log; in logical replication one message of the output plug-in.
struct xlog_data {
  std::uint64_t start{};  ///< LSN of the piece
  std::uint64_t end{};    ///< LSN of the server's end of the log
  std::int64_t sent_at{};
  std::span<const std::byte> data{};
};

/// 'k': the server is alive.
struct primary_keepalive {
  std::uint64_t end{};  ///< LSN up to which all that the client is meant to see has been sent
  std::int64_t sent_at{};
  bool wants_reply{};  ///< at once, or the server ends the connection
};

/// 'r': how far the client has got. Sent as CopyData.
struct standby_status_update {
  std::uint64_t written{};  ///< LSN of the byte after the last one that was received
  std::uint64_t flushed{};  ///< the same for what is safe: the server need not keep it any longer
  std::uint64_t applied{};
  std::int64_t sent_at{};
  bool wants_reply{};
};

/// @param body  of a CopyData
[[nodiscard]] std::optional<xlog_data> decode_xlog_data(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<primary_keepalive> decode_primary_keepalive(std::span<const std::byte> body) noexcept;

/// Appends the message, as CopyData; see `frontend.hpp`.
/// @par Exception safety  strong: only growing `out` can throw
fault encode(const standby_status_update& message, output& out);

}  // namespace sluice::proto
