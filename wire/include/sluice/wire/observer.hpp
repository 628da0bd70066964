#pragma once
/// @file
/// Connection events for metrics and logs. Without an observer each event costs one pointer check.
///
/// Derive from `observer`, override the functions of interest, and pass it as `connection_options::watch`. Every call
/// comes from the thread that runs the connection, between two of its steps: keep it short, and do not use the
/// connection. Durations and counts follow OpenTelemetry's conventions for database clients; see docs/telemetry.md.
/// @par Lifetime          texts and pointers in an event are valid during the call
/// @par Exception safety  the functions must not throw
/// @par Thread safety     one observer may serve connections of several threads if its functions allow it

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sluice/export.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/leaving.hpp>
#include <sluice/wire/pool_options.hpp>
#include <sluice/wire/trace_context.hpp>

namespace sluice {

using event_clock = std::chrono::steady_clock;

/// One step of connecting to one address, or the whole of it.
struct connect_event {
  std::string_view host;  ///< "db.example:5432" or the socket's path
  std::string_view database;
  event_clock::duration took{};
  std::string_view tls_version;  ///< empty: no TLS
  const error* failure{};        ///< null: success
};

/// A query whose messages have been written to the server.
struct query_event {
  std::string_view database;
  std::string_view text;  ///< of the statement, with $1 for parameters; their values are not included
  bool is_paged{};
  bool was_prepared{};  ///< found in the statement cache
};

/// Rows handed to the consumer at once.
struct chunk_event {
  std::size_t bytes{};                    ///< that had arrived, protocol overhead included
  event_clock::duration server_wait{};    ///< for this chunk: spent waiting for the server
  event_clock::duration consumer_wait{};  ///< before this chunk: the consumer's own time
};

/// The end of a query, or of the interest in it. A statement that continues after its stream was dropped is reported at
/// its own end.
struct query_end_event {
  query_event query;
  std::uint64_t rows{};
  std::uint64_t bytes{};  ///< of the documents
  std::uint64_t chunks{};
  event_clock::duration took{};
  event_clock::duration first_row{};  ///< from the start; zero if there was none
  event_clock::duration server_wait{};
  event_clock::duration consumer_wait{};
  const error* failure{};  ///< null: success, or it was cancelled when its stream was abandoned
  bool was_left{};         ///< its stream was abandoned before the end; a `leave_event` reports the outcome
};

/// A query was abandoned before its end.
struct leave_event {
  leaving outcome{};
  int requests{};  ///< cancel requests that were sent
  event_clock::duration took{};
};

/// A connection of a pool changed hands.
struct pool_event {
  enum class kind : std::uint8_t { acquired, timed_out, released, opened, closed };
  kind is{};
  event_clock::duration took{};  ///< waiting, for `acquired` and `timed_out`; in use, for `released`
  pool_stats now;
};

/// A result cache answered a call, or one of its results came or went.
struct cache_event {
  enum class kind : std::uint8_t {
    hit,
    stale_hit,  ///< a result older than asked for, within `cache_options::serve_stale`, while another call refreshes it
    wait_hit,   ///< after another call's query, which brought the result
    miss,       ///< the query is sent, and its result recorded
    bypass,     ///< the query is sent; its result is not recorded
    stored,
    discarded,    ///< a recorded result was not stored: its query failed or was left, or a tag of it was invalidated
    outgrown,     ///< the same, because it exceeds the bounds
    evicted,      ///< `count` results, to make room
    invalidated,  ///< a tag, or everything; the results are freed later
    listening,    ///< invalidations are heard from now on
    deaf,         ///< they no longer are; everything was dropped
  };
  kind is{};
  event_clock::duration age{};     ///< of the result, for the hits
  event_clock::duration waited{};  ///< for another call's query
  std::uint64_t count{1};
  std::uint64_t entries{};  ///< now
  std::uint64_t bytes{};    ///< now
};

/// A change stream has got on, or its slot was asked about.
struct change_stream_event {
  enum class kind : std::uint8_t {
    received,      ///< changes, or a position, are handed to the consumer
    acknowledged,  ///< the server is told what it need not keep; also regularly, when that has not changed
    reconnected,   ///< after the loss of the connection
    lag,           ///< the server has told the slot's health; only this kind has it
  };
  kind is{};
  std::string_view slot;
  std::uint64_t changes{};  ///< handed out since the event before
  // Positions in the server's log, in bytes.
  std::uint64_t received{};      ///< the end of what has arrived
  std::uint64_t acknowledged{};  ///< the server need not keep what lies before it
  std::uint64_t server{};        ///< the log's end, as far as is known
  /// Since something was last acknowledged; 0 while nothing waits for it.
  event_clock::duration unacknowledged_for{};
  // The slot's health.
  bool is_active{};
  std::string_view wal_status;     ///< "reserved", "extended", "unreserved" or "lost"
  std::uint64_t retained_bytes{};  ///< of the log
  bool is_bounded{};               ///< whether `safe_bytes` says anything
  std::uint64_t safe_bytes{};      ///< that may be written before the slot may be lost
};

/// Something has come near its limit. Reported once for each, before the limit makes it an error.
struct limit_event {
  enum class kind : std::uint8_t {
    row,     ///< of a connection: `max_row_bytes`
    stream,  ///< of a query: `max_stream_bytes`
    aside,   ///< of a paged query, pages buffered for it: `page_bytes`
  };
  kind of{};
  std::uint64_t bytes{};
  std::uint64_t limit{};
};

/// Something that took its time, as a part of a trace of the program's: a span. Reported when it is over, if its caller
/// gave a context (`query_options::parent`, `connection_options::parent`) that is sampled.
struct span_event {
  enum class kind : std::uint8_t {
    connect,       ///< all hosts and addresses together
    acquire,       ///< the wait for a connection of a pool
    query,         ///< from the call to the end of the rows, the consumer's time included
    first_row,     ///< part of a query: up to its first row
    page,          ///< part of a query: from the request for a page to its last row
    copy,          ///< a query in bulk mode, or a COPY into a table
    change_batch,  ///< changes in the hands of their consumer, until it asks for the next ones
  };
  kind is{};
  trace_context context{};               ///< its own
  std::array<std::byte, 8> parent_id{};  ///< the span that it is part of
  std::chrono::system_clock::time_point began{};
  event_clock::duration took{};
  std::string_view host{};      ///< of `connect`, as in `connect_event`
  std::string_view database{};  ///< except for `change_batch`
  std::string_view text{};      ///< of the statement, as in `query_event`
  std::uint64_t rows{};         ///< or changes
  std::uint64_t bytes{};        ///< of the documents
  const error* failure{};       ///< null: success, or abandoned
  bool was_left{};              ///< its stream was abandoned before the end
};
/// "connect", "acquire", ...
[[nodiscard]] SLUICE_API std::string_view to_string(span_event::kind what) noexcept;

/// Receives the events of connections and pools. Every function does nothing unless it is overridden.
class SLUICE_API observer {
 public:
  observer() = default;
  virtual ~observer();
  observer(const observer&) = delete;
  observer& operator=(const observer&) = delete;

  virtual void on_dial(const connect_event& event) noexcept;            ///< the socket is connected, or not
  virtual void on_tls(const connect_event& event) noexcept;             ///< the handshake is done, or not
  virtual void on_authentication(const connect_event& event) noexcept;  ///< logged in, or not
  virtual void on_connect(const connect_event& event) noexcept;         ///< the whole attempt, all hosts and addresses

  virtual void on_query(const query_event& event) noexcept;  ///< its messages have been written
  virtual void on_first_row(const query_event& event, event_clock::duration after) noexcept;
  virtual void on_chunk(const chunk_event& event) noexcept;  ///< before the consumer gets the rows
  virtual void on_query_end(const query_end_event& event) noexcept;
  virtual void on_leave(const leave_event& event) noexcept;

  virtual void on_limit(const limit_event& event) noexcept;
  virtual void on_pool(const pool_event& event) noexcept;
  virtual void on_cache(const cache_event& event) noexcept;
  virtual void on_change_stream(const change_stream_event& event) noexcept;

  virtual void on_span(const span_event& event) noexcept;  ///< it is over

  /// Called for each message if `connection_options::trace` is set: "F 23 Parse ..." from the frontend, "B ..." from
  /// the backend, with its length. Passwords, SASL data, cancel keys and values are left out.
  virtual void on_trace(std::string_view line) noexcept;

  /// Called for a NOTICE, WARNING or other server message that is not an error, from login on.
  virtual void on_notice(const server_message& notice) noexcept;
};

}  // namespace sluice
