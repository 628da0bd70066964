#pragma once
/// @file
/// Limits for the length of backend messages. They are checked on the header, before anything is read or allocated for
/// the body.

#include <cstddef>

namespace sluice::proto {

/// The largest accepted bodies, in bytes (the length field without its own four bytes).
struct limits {
  std::size_t row{64U << 20U};  ///< DataRow and CopyData; at most `max_row`
  /// RowDescription, NotificationResponse, and so on. An ErrorResponse or NoticeResponse may exceed it; the wire layer
  /// then keeps its beginning.
  std::size_t message{1U << 20U};

  static constexpr std::size_t max_row{(1U << 30U) - 1};  ///< no server sends a longer message
  static constexpr std::size_t short_message{30'000};     ///< every type that is never long
  static constexpr std::size_t authentication{2'000};     ///< Authentication and NegotiateProtocolVersion

  /// The limit for one type of message.
  [[nodiscard]] constexpr std::size_t of(char type) const noexcept {
    switch (type) {
      case 'D':
      case 'd': return row;
      case 'E':
      case 'N': return max_row;
      case 'T':
      case 't':
      case 'A':
      case 'V': return message;
      case 'R':
      case 'v': return authentication;
      default: return short_message;
    }
  }
  /// Whether a message of this type may be long at all. If not, a long one means a broken server, not a limit to raise.
  [[nodiscard]] static constexpr bool may_be_long(char type) noexcept {
    switch (type) {
      case 'D':
      case 'd':
      case 'T':
      case 't':
      case 'E':
      case 'N':
      case 'A':
      case 'V': return true;
      default: return false;
    }
  }
};

}  // namespace sluice::proto
