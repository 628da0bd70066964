#pragma once
/// @file
/// Bounds, deadlines and modes.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <sluice/wire/observer.hpp>

namespace sluice {

/// Of a connection; fixed when it is made.
struct connection_options {
  std::size_t buffer_bytes{64U << 10U};  ///< the most that the receive buffer holds in normal running; 16 at least
  /// What it begins with; it grows while reads fill it, shrinks when they do not, and goes while a pool keeps the
  /// connection idle.
  std::size_t first_buffer_bytes{16U << 10U};
  std::size_t max_row_bytes{64U << 20U};  ///< a larger row is an error; 1 GiB at most. One at a time grows the buffer
  /// What comes to this share of its limit is told to `observer::on_limit`.
  double warn_at{0.8};
  /// How long bringing an unwanted query to its end may take, before the connection is closed instead. A statement that
  /// may write takes as long as it takes (see `sql`).
  std::chrono::milliseconds leave_timeout{5'000};
  /// So many statements stay prepared on the server, the least recently used goes first. 0: none, which is what poolers
  /// between here and the server want that share a server's connection by transaction.
  std::size_t statement_cache{0};
  observer* watch{};  ///< is told what happens, and outlives the connection; null: nobody
  bool trace{false};  ///< whether it is also given a line for each message
};

/// How rows are fetched. Never switched silently.
enum class fetch_mode : std::uint8_t {
  plain,  ///< all rows are on their way at once; the network's own backpressure bounds memory
  paged,  ///< from a portal, a page at a time, with the next page on its way: can pause, and be left without a cancel
  /// By COPY in the binary format, for large results; docs/scaling.md says what it brings. A round trip more before the
  /// first row, and another one for parameters of types that are not built in. Values still travel apart from the SQL.
  bulk,
};

/// Of one query. Zero or less is no deadline, and a time beyond the clock's end is never. When one passes, `next`
/// throws deadline_exceeded, and leaving the stream cancels the query on the server.
struct query_options {
  /// For the whole query and its rows. Time that the consumer spends between two calls of `next` does not count.
  std::chrono::milliseconds timeout{0};
  /// For the first row, or the end of a query without any.
  std::chrono::milliseconds first_row_timeout{0};
  /// For the server to send something while it is waited for.
  std::chrono::milliseconds stall_timeout{0};
  /// Whether the consumer's time counts for `timeout`, too.
  bool timeout_counts_pauses{false};
  /// For the server itself, which ends the query with SQLSTATE 57014 even if this program is gone: `statement_timeout`,
  /// set for this query alone. The server's clock goes on while the consumer is slow; in pages it is for each page.
  std::chrono::milliseconds server_timeout{0};

  fetch_mode mode{fetch_mode::plain};
  std::uint32_t page_rows{1'000};  ///< 1 at least
  /// The most that pages which are on their way may take here while the connection runs other queries.
  std::size_t page_bytes{16U << 20U};

  /// A stream that has brought more bytes of documents fails at its next chunk. 0: no limit.
  std::uint64_t max_stream_bytes{0};
};

}  // namespace sluice
