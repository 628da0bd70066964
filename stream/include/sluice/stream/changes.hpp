#pragma once
/// @file
/// Changes of a database as they are committed: logical replication as a bounded stream.
///
///     sluice::change_stream changes = co_await sluice::follow("postgresql://localhost/app",
///                                                             {.slot = "app", .publications = {"app"}});
///     while (const sluice::change_chunk chunk = co_await changes.next()) {
///       for (const sluice::change change : chunk)
///         apply(change.operation(), change.relation().name, change.text());
///       changes.acknowledge(chunk.last());  // once all of it is safe
///     }
///
/// The server keeps its log until the changes in it have been acknowledged. Delivery is at least once: what was not
/// acknowledged is sent again after a restart, with the same positions.
/// @see PostgreSQL documentation, chapter "Logical Decoding"; docs/changes.md

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/change.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/predicate.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

/// Whether `follow` creates the slot.
enum class slot_creation : std::uint8_t {
  never,       ///< the slot has to exist
  if_missing,  ///< permanent: the server retains its log for the slot until that is dropped
  temporary,   ///< the slot must not exist yet; the server drops it with the connection
};

/// Whether the stream delivers the existing rows first.
enum class initial_snapshot : std::uint8_t {
  none,
  /// When `follow` creates the slot. The snapshot is taken at the moment at which the changes begin, so each row is
  /// seen once and no change is missed. The slot becomes permanent only once the snapshot has been acknowledged, so an
  /// interrupted snapshot leaves nothing on the server and starts over the next time.
  when_created,
};

struct change_options {
  std::string slot;                       ///< its name: lower case letters, digits and underscores
  std::vector<std::string> publications;  ///< at least one
  slot_creation create{slot_creation::never};
  /// The slot is copied to standbys (`sync_replication_slots`), so that the consumer can continue on the one that takes
  /// over. Needs Postgres 17 and a permanent slot; an existing slot is altered.
  bool failover{false};
  initial_snapshot snapshot{initial_snapshot::none};
  /// Connections that read the snapshot: several tables at a time, and ranges of their pages from Postgres 14 on.
  std::uint32_t snapshot_connections{1};
  /// Changes up to here are skipped: the position that the consumer stores with its data. The slot must not have moved
  /// beyond it. Implies `progress`.
  std::optional<position> from{};
  /// Whether the stream delivers an idle server's progress, as chunks without changes, to be acknowledged like any
  /// other. If not, the stream acknowledges it itself once all changes have been acknowledged, so that the server can
  /// discard its log.
  bool progress{false};

  /// Only rows that match are delivered. The client evaluates it on the new row of an insert, an update and a snapshot,
  /// and on what the server sends of the old row of a delete: only its key, without REPLICA IDENTITY FULL. A column is
  /// a `field`; a column that is missing or was not sent (`change::unchanged`) is a missing field. Changes without a
  /// row always pass. A row filter in the publication saves sending the other rows: @see publication_sql
  std::optional<predicate> where{};
  /// Conditions for single tables, by schema.name or name, unquoted; they apply in addition to `where`.
  std::map<std::string, predicate, std::less<>> where_of{};

  bool transactions{false};  ///< whether their begin and commit are changes, too
  bool schema{false};        ///< whether new and changed columns of relations are changes, too
  bool messages{true};       ///< whether those of pg_logical_emit_message are changes, too; from Postgres 14 on

  /// Rows come as columns in their binary form, for `change::columns`, and not as objects: no conditions (`where`) are
  /// possible. From Postgres 14 on.
  bool columns{false};
  /// The server sends the changes of large transactions (`logical_decoding_work_mem`) while these still run, in
  /// segments that may alternate with other transactions: @see change::is_running. Nothing is collected here, so it is
  /// the consumer who keeps such changes until their `commit` or `abort` comes; after a restart or a lost connection
  /// they are sent again from their beginning, after an `abort` of what was delivered. From Postgres 14 on.
  bool streaming{false};
  /// The changes of a prepared transaction come when it is prepared, and not when it is committed: @see change::gid. A
  /// slot keeps this once it has begun. From Postgres 15 on.
  bool two_phase{false};

  /// Re-establishes a lost connection and continues after the last change that was delivered. A stream that began on a
  /// primary waits for a primary. If the promoted standby does not have what was delivered, the stream ends with
  /// position_lost. Not possible with a temporary slot.
  bool reconnect{false};
  /// Delay before that; doubled each time, up to `max_backoff`.
  std::chrono::milliseconds backoff{100};
  std::chrono::milliseconds max_backoff{10'000};
  /// How long to wait for a slot that another connection still uses, such as that of a client that has just died.
  std::chrono::milliseconds slot_patience{75'000};

  /// How often the stream sends its status to the server, whatever the consumer does meanwhile; keep it below half of
  /// the server's `wal_sender_timeout`. While the stream waits, the connection ends if the server is silent for three
  /// times as long.
  std::chrono::milliseconds status_interval{10'000};
  /// How long acknowledgements are collected before they are sent.
  std::chrono::milliseconds acknowledge_interval{500};

  /// How often the stream commits a transaction that contains only a message, over a second connection; 0: never. This
  /// lets the position move in a quiet database of a busy server, for consumers that store it. The message is not
  /// delivered. Not possible on a standby.
  std::chrono::milliseconds heartbeat{0};
  std::string heartbeat_prefix{"sluice.heartbeat"};  ///< of that message
  /// How often `connection.watch` receives the slot's health, queried over that second connection; 0: only after `lag`.
  std::chrono::milliseconds health_interval{0};

  connection_options connection{};
};

/// The health of a slot, as the server reports it.
/// @see PostgreSQL documentation, section "pg_replication_slots"
struct slot_lag {
  bool is_active{};                           ///< a connection reads it
  std::string wal_status{};                   ///< "reserved", "extended", "unreserved" or "lost"
  std::uint64_t retained_bytes{};             ///< of the log, that the server keeps for it
  std::uint64_t behind_bytes{};               ///< of the log, from `confirmed` to its end
  std::optional<std::uint64_t> safe_bytes{};  ///< that may be written before the slot may be lost; nothing: any number
  lsn confirmed{};                            ///< the server need not keep what lies before it
  lsn server{};                               ///< the end of the log
  /// Of a stream: since it last acknowledged something, or began; 0 while nothing waits to be acknowledged.
  std::chrono::milliseconds unacknowledged_for{};
};

/// Asks for the health of a slot, whether or not anybody reads it, over a connection that is made for it.
/// @par Errors        throws error: as `connect`; position_lost when there is no such slot
/// @par Cancellation  terminal
[[nodiscard]] SLUICE_API asio::awaitable<slot_lag> lag_of(conninfo where, std::string slot,
                                                          connection_options how = {});
/// With a completion token: `void(std::exception_ptr, slot_lag)`; @see async.hpp
/// @param on  the connection's executor
template <class Token>
auto lag_of(const asio::any_io_executor& on, const conninfo& where, std::string slot, connection_options how,
            Token&& token) {
  return detail::with_token(on, [&] { return lag_of(where, std::move(slot), how); }, std::forward<Token>(token));
}

/// How far a change stream has got.
struct change_progress {
  lsn received{};           ///< of what the server has sent
  lsn acknowledged{};       ///< of what the server need not keep any longer, as it was last told
  lsn server{};             ///< the end of the server's log, as it last said
  std::uint64_t changes{};  ///< that were handed out
  bool in_snapshot{};       ///< whether the snapshot has not been handed out, or not been acknowledged
};

namespace detail {
class change_source;
}  // namespace detail

/// The changes of a database. Movable.
///
/// A background coroutine on the stream's executor reports the client's progress to the server, even while no call of
/// `next` is pending; the executor has to keep running for that.
/// @par Thread safety  none: use it from one coroutine or strand
class SLUICE_API change_stream {
 public:
  /// A stream without changes; also the moved-from state. Its calls throw bad_state.
  change_stream() noexcept;
  change_stream(change_stream&&) noexcept;
  change_stream& operator=(change_stream&&) noexcept;
  /// Sends the last acknowledgement if that is possible without waiting, and closes the connection.
  ~change_stream();

  /// The changes that have arrived; waits only if there are none yet.
  /// @return false at the end, which comes after `close` only
  /// @par Lifetime      until the next call
  /// @par Errors        throws error: server_error with what to do, connection_lost, position_lost when the slot does
  ///                    not have the changes any more, protocol_violation, row_too_large; bad_state when a snapshot
  ///                    that has ended was not acknowledged. Throws what a local condition throws; its row is
  ///                    not skipped, so the next call throws again
  /// @par Cancellation  terminal; the stream may be read on
  [[nodiscard]] asio::awaitable<change_chunk> next();
  /// With a completion token: `void(std::exception_ptr, change_chunk)`; see <sluice/stream/async.hpp>.
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }

  /// The consumer has stored all changes up to this position, so the server need not retain them. Sent in the
  /// background; a position before the last one acknowledged has no effect. The server retains whole transactions: one
  /// that was acknowledged only in part is sent again after a restart.
  /// @par Errors  throws error: bad_state for a position that was not handed out yet
  void acknowledge(position safe);

  /// Tells the server what was acknowledged, and ends the connection. In the midst of a large transaction that takes
  /// `connection_options::leave_timeout`, because the server first sends the rest.
  /// @par Errors        throws error: connection_lost, deadline_exceeded when the server does not answer
  /// @par Cancellation  terminal: closes the connection at once
  [[nodiscard]] asio::awaitable<void> close();
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto close(Token&& token) {
    return detail::with_token(get_executor(), [this] { return close(); }, std::forward<Token>(token));
  }

  [[nodiscard]] change_progress progress() const noexcept;
  /// Asks for the health of its slot, over a connection that is made for it; also while `next` waits.
  /// @par Errors        throws error: as `lag_of`; the stream is not affected
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<slot_lag> lag();
  /// With a completion token: `void(std::exception_ptr, slot_lag)`
  template <class Token>
  auto lag(Token&& token) {
    return detail::with_token(get_executor(), [this] { return lag(); }, std::forward<Token>(token));
  }
  /// @par Errors  throws error: bad_state for an empty stream
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend SLUICE_API asio::awaitable<change_stream> follow(conninfo where, change_options how);
  explicit change_stream(std::shared_ptr<detail::change_source> source) noexcept;

  std::shared_ptr<detail::change_source> source_;  // kept alive by a waiting call
};

/// Begins to follow the changes of a database: connects for replication, creates the slot if that is asked for, and
/// starts. The user needs the attribute REPLICATION, and the server `wal_level = logical`. Each answer of the server
/// has to come within the `connect_timeout`, but that to the creation of a slot, which waits for running transactions.
/// @par Errors        throws error: as `connect`; deadline_exceeded; bad_query for options that cannot be; server_error
///                    with what to do about it; position_lost when the slot has moved beyond `from`, or has been
///                    invalidated
/// @par Cancellation  terminal
[[nodiscard]] SLUICE_API asio::awaitable<change_stream> follow(conninfo where, change_options how);
[[nodiscard]] SLUICE_API asio::awaitable<change_stream> follow(std::string_view where, change_options how);
/// With a completion token: `void(std::exception_ptr, change_stream)`; @see async.hpp
/// @param on     the stream's executor
/// @param where  a connection string, or a conninfo
template <class Where, class Token>
auto follow(const asio::any_io_executor& on, const Where& where, change_options how, Token&& token) {
  return detail::with_token(on, [&] { return follow(where, std::move(how)); }, std::forward<Token>(token));
}

/// The same in a thread: a range of chunks.
///
///     sluice::blocking_change_stream changes{"postgresql://localhost/app", {.slot = "app", .publications = {"app"}}};
///     while (const sluice::change_chunk chunk = changes.next()) ...
///
/// It has a thread of its own, which tells the server how far the client has got while the consumer is busy.
/// @par Thread safety  none; `interrupt` may be called from any thread and from a signal handler
class SLUICE_API blocking_change_stream {
 public:
  /// @par Errors  throws error: as `follow`
  blocking_change_stream(conninfo where, change_options how);
  blocking_change_stream(std::string_view where, change_options how);
  blocking_change_stream(blocking_change_stream&&) noexcept;
  blocking_change_stream& operator=(blocking_change_stream&&) noexcept;
  ~blocking_change_stream();

  /// @see change_stream::next
  [[nodiscard]] change_chunk next();
  /// @see change_stream::acknowledge
  void acknowledge(position safe);
  /// @see change_stream::close
  void close();
  [[nodiscard]] change_progress progress() const noexcept;
  /// @see change_stream::lag
  [[nodiscard]] slot_lag lag();
  /// Ends a waiting `next`, or the next one, with `cancelled`; the stream may be read on.
  void interrupt() noexcept;

 private:
  class thread;
  std::unique_ptr<thread> thread_;
};

}  // namespace sluice
