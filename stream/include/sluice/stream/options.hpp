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

/// Of one query. Zero is no deadline; when one passes, `next` throws deadline_exceeded, and leaving the stream cancels
/// the query on the server.
struct query_options {
  /// For the whole query and its rows. Time that the consumer spends between two calls of `next` does not count.
  std::chrono::milliseconds timeout{0};
  /// For the first row, or the end of a query without any.
  std::chrono::milliseconds first_row_timeout{0};
  /// For the server to send something while it is waited for.
  std::chrono::milliseconds stall_timeout{0};
  /// Whether the consumer's time counts for `timeout`, too.
  bool timeout_counts_pauses{false};
};

}  // namespace sluice
