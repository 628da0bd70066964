#pragma once
/// @file
/// Options of connections and queries: bounds, deadlines and modes.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <sluice/wire/observer.hpp>
#include <sluice/wire/trace_context.hpp>

namespace sluice {

/// Options of a connection, fixed when it is made.
struct connection_options {
  std::size_t buffer_bytes{64U << 10U};  ///< the receive buffer's size limit in normal operation; at least 16
  /// Initial size of the receive buffer. It grows while reads fill it, shrinks when they do not, and is freed while a
  /// pool keeps the connection idle.
  std::size_t first_buffer_bytes{16U << 10U};
  std::size_t max_row_bytes{64U << 20U};  ///< a larger row is an error; at most 1 GiB. The buffer grows for one row
  /// `observer::on_limit` is called when something reaches this share of its limit.
  double warn_at{0.8};
  /// How long ending an abandoned query may take before the connection is closed instead. For a statement that may
  /// write there is no such limit (see `sql`).
  std::chrono::milliseconds leave_timeout{5'000};
  /// How many statements stay prepared on the server; the least recently used goes first. 0: none, as required by
  /// transaction-level poolers between the client and the server.
  std::size_t statement_cache{0};
  observer* watch{};  ///< receives events; must outlive the connection; null: no observer
  bool trace{false};  ///< whether the observer also receives a line for each message
  /// The span in which the connection is made, or in whose trace a pool or a change stream works: `observer::on_span`.
  trace_context parent{};
};

/// How rows are fetched. Never switched silently.
enum class fetch_mode : std::uint8_t {
  plain,  ///< the server sends all rows at once; the network's own backpressure bounds memory
  paged,  ///< from a portal, page by page, with the next page in flight: can pause, and be abandoned without a cancel
  /// By COPY in the binary format, for large results; docs/scaling.md says what that gains. Takes one more round trip
  /// before the first row, and another one for parameters of types that are not built in. Values still travel
  /// separately from the SQL.
  bulk,
};

/// Options of one query. A duration of zero or less means no deadline, and a time beyond the clock's range means never.
/// When a deadline passes, `next` throws deadline_exceeded, and abandoning the stream cancels the query on the server.
struct query_options {
  /// Deadline for the whole query and its rows. Time that the consumer spends between two calls of `next` does not
  /// count.
  std::chrono::milliseconds timeout{0};
  /// Deadline for the first row, or for the end of a query without rows.
  std::chrono::milliseconds first_row_timeout{0};
  /// Longest silence of the server while the client waits for it.
  std::chrono::milliseconds stall_timeout{0};
  /// Whether the consumer's time counts towards `timeout`, too.
  bool timeout_counts_pauses{false};
  /// Limit enforced by the server itself, which ends the query with SQLSTATE 57014 even if this program is gone:
  /// `statement_timeout`, set for this query alone. The server's clock keeps running while the consumer is slow; in
  /// paged mode the limit applies to each page. A list of statements, a COPY, a savepoint and the end of a transaction
  /// are refused with it: bad_query.
  std::chrono::milliseconds server_timeout{0};

  fetch_mode mode{fetch_mode::plain};
  std::uint32_t page_rows{1'000};  ///< at least 1
  /// Upper bound for the pages in flight that are buffered here while the connection runs other queries. A server at a
  /// distance is asked for as many pages ahead as are likely to fit into three quarters of it.
  std::size_t page_bytes{16U << 20U};

  /// Upper bound for the bytes of a stream's documents; a stream beyond it fails at its next chunk. 0: no limit.
  std::uint64_t max_stream_bytes{0};

  /// The caller's span. If it is sampled, the observer receives those of the query, and of the wait for a connection of
  /// a pool (`observer::on_span`).
  trace_context parent{};
  /// Whether the server sees the query's span: a comment with its `traceparent` is appended to the SQL, for
  /// pg_stat_activity, the server's log and what reads these. As that makes a new text of every statement, it is
  /// refused (bad_query) on connections with a `statement_cache`, which would prepare each again. Not in bulk mode,
  /// nor for COPY and batches.
  bool comment_traceparent{false};
};

}  // namespace sluice
