#pragma once
/// @file
/// What happens on connections, for metrics and logs. Costs a look at a pointer while nobody watches.
///
/// Derive from `observer`, override what is of interest, and give it as `connection_options::watch`. Every call comes
/// from the thread that runs the connection, between two of its steps: keep it short, and do not use the connection.
/// Durations and counts are those that OpenTelemetry's conventions for database clients name; see docs/telemetry.md.
/// @par Lifetime          texts and pointers in an event are valid during the call
/// @par Exception safety  the functions must not throw
/// @par Thread safety     one observer may serve connections of several threads if its functions allow it

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sluice/export.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/leaving.hpp>
#include <sluice/wire/pool_options.hpp>

namespace sluice {

using event_clock = std::chrono::steady_clock;

/// One step of connecting to one address, or all of it.
struct connect_event {
  std::string_view host;  ///< "db.example:5432" or the socket's path
  std::string_view database;
  event_clock::duration took{};
  std::string_view tls_version;  ///< empty: not in TLS
  const error* failure{};        ///< null: it went well
};

/// A query, from its flight on.
struct query_event {
  std::string_view database;
  std::string_view text;  ///< of the statement: parameters stand as $1, their values are not told
  bool is_paged{};
  bool was_prepared{};  ///< found in the statement cache
};

/// Rows handed to the consumer at once.
struct chunk_event {
  std::size_t bytes{};                    ///< that had arrived, the protocol's included
  event_clock::duration server_wait{};    ///< of this chunk: spent waiting for the server
  event_clock::duration consumer_wait{};  ///< before it: the consumer's own time
};

/// The end of a query, or the end of the wish for it. A statement that goes on after its stream was dropped is told at
/// its own end.
struct query_end_event {
  query_event query;
  std::uint64_t rows{};
  std::uint64_t bytes{};  ///< of the documents
  std::uint64_t chunks{};
  event_clock::duration took{};
  event_clock::duration first_row{};  ///< from the start; zero when there was none
  event_clock::duration server_wait{};
  event_clock::duration consumer_wait{};
  const error* failure{};  ///< null: it went well, or was cancelled when it was left
  bool was_left{};         ///< its stream was, before the end: a `leave_event` tells how that went
};

/// A query was left before its end.
struct leave_event {
  leaving outcome{};
  int requests{};  ///< to cancel, that were sent
  event_clock::duration took{};
};

/// One connection of a pool changed hands.
struct pool_event {
  enum class kind : std::uint8_t { acquired, timed_out, released, opened, closed };
  kind is{};
  event_clock::duration took{};  ///< waiting, for `acquired` and `timed_out`; in use, for `released`
  pool_stats now;
};

/// Something has come near its limit; told once for each, before the limit makes it an error.
struct limit_event {
  enum class kind : std::uint8_t {
    row,     ///< of a connection: `max_row_bytes`
    stream,  ///< of a query: `max_stream_bytes`
    aside,   ///< of a query in pages: `page_bytes`
  };
  kind of{};
  std::uint64_t bytes{};
  std::uint64_t limit{};
};

class SLUICE_API observer {
 public:
  observer() = default;
  virtual ~observer();
  observer(const observer&) = delete;
  observer& operator=(const observer&) = delete;

  virtual void on_dial(const connect_event& event) noexcept;            ///< the socket is connected, or not
  virtual void on_tls(const connect_event& event) noexcept;             ///< the handshake is done, or not
  virtual void on_authentication(const connect_event& event) noexcept;  ///< logged in, or not
  virtual void on_connect(const connect_event& event) noexcept;         ///< all hosts and addresses together

  virtual void on_query(const query_event& event) noexcept;
  virtual void on_first_row(const query_event& event, event_clock::duration after) noexcept;
  virtual void on_chunk(const chunk_event& event) noexcept;
  virtual void on_query_end(const query_end_event& event) noexcept;
  virtual void on_leave(const leave_event& event) noexcept;

  virtual void on_limit(const limit_event& event) noexcept;
  virtual void on_pool(const pool_event& event) noexcept;

  /// One message, if `connection_options::trace` asks for it: "F 23 Parse ..." from the frontend, "B ..." from the
  /// backend, with its length. Passwords, the data of SASL, keys to cancel by and values are left out.
  virtual void on_trace(std::string_view line) noexcept;

  /// A NOTICE, WARNING or other message of the server that is no error, from logging in on.
  virtual void on_notice(const server_message& notice) noexcept;
};

}  // namespace sluice
