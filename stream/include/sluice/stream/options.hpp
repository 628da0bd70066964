#pragma once
/// @file
/// Bounds and deadlines.

#include <chrono>
#include <cstddef>

namespace sluice {

/// Of a connection; fixed when it is made.
struct connection_options {
  std::size_t buffer_bytes{64U << 10U};   ///< what the receive buffer holds; 16 at least
  std::size_t max_row_bytes{64U << 20U};  ///< a larger row is an error; 1 GiB at most
  /// How long bringing an unwanted query to its end may take, before the connection is closed instead.
  std::chrono::milliseconds leave_timeout{5'000};
};

/// Of one query.
struct query_options {
  /// For the whole query, its rows and the consumer's pauses included; on expiry it is cancelled on the server.
  /// Zero: no deadline.
  std::chrono::milliseconds timeout{0};
};

}  // namespace sluice
