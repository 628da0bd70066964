#pragma once
/// @file
/// What a change stream hands out: changes of a database, one after the other, with their positions in its log.

#include <chrono>
#include <compare>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/stream/row.hpp>

namespace sluice {

namespace detail {
class change_feed;
struct change_view;
}  // namespace detail

/// A position in the server's write-ahead log: an offset in bytes.
/// @see PostgreSQL documentation, section "pg_lsn Type"
struct SLUICE_API lsn {
  std::uint64_t value{};

  /// From text such as "16/B374D848".
  /// @return nothing if it is no position
  [[nodiscard]] static std::optional<lsn> parse(std::string_view text) noexcept;
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const lsn&, const lsn&) = default;
};

/// Where a change stands among all changes of the database. Positions are unique and ordered as the changes are, and
/// stay the same when the changes are sent again, so a consumer that keeps the position of the last change that it has
/// applied can tell those that it has seen.
///
/// Within a transaction all changes have the position of its commit and are counted from 1. What has no commit, a
/// message outside of transactions and a `rollback_prepared`, has the position of its record's last byte. Index 0
/// stands between two transactions: all that was committed before `commit` has been seen, and nothing after it.
struct SLUICE_API position {
  lsn commit{};           ///< where the record of the transaction's commit or PREPARE TRANSACTION begins
  std::uint64_t index{};  ///< of the change in its transaction

  /// From text such as "16/B374D848+12", or without the index, which is then 0.
  /// @return nothing if it is no position
  [[nodiscard]] static std::optional<position> parse(std::string_view text) noexcept;
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const position&, const position&) = default;
};

/// What a change is.
enum class operation : std::uint8_t {
  insert,
  update,
  remove,    ///< DELETE
  truncate,  ///< of one relation; a TRUNCATE of several is several changes
  message,   ///< of pg_logical_emit_message
  begin,     ///< a transaction's changes follow; if `change_options::transactions`
  commit,    ///< they have ended; if `change_options::transactions`
  /// The relation's columns are new, or have changed. Comes before its first row, with the position of the change
  /// before that row; each stream delivers it again; if `change_options::schema`.
  schema,
  snapshot,           ///< a row that was there when the slot was created
  prepare,            ///< a transaction's changes have ended with PREPARE TRANSACTION; if `change_options::two_phase`
  commit_prepared,    ///< COMMIT PREPARED: the changes of the transaction of that `gid` count
  rollback_prepared,  ///< ROLLBACK PREPARED: they do not
  /// What was delivered of a running transaction is void: of all of it, or of a part if `subxid` is not `xid`; if
  /// `change_options::streaming`.
  abort,
};
/// "insert", "update", "delete", "truncate", ...
[[nodiscard]] SLUICE_API std::string_view to_string(operation what) noexcept;

/// How the server tells which row an update or a delete is about.
/// @see PostgreSQL documentation, ALTER TABLE, "REPLICA IDENTITY"
enum class replica_identity : std::uint8_t { primary_key, nothing, full, index };

/// A table, as it was when the change was made.
struct changed_relation {
  struct column {
    std::string name;
    std::uint32_t type{};     ///< OID
    std::int32_t modifier{};  ///< of the type, such as the length of a varchar; -1: none
    bool is_key{};            ///< part of the replica identity

    friend bool operator==(const column&, const column&) = default;
  };

  std::uint32_t id{};  ///< OID
  std::string schema;
  std::string name;
  replica_identity identity{};
  std::vector<column> columns;

  /// schema.name, unquoted.
  [[nodiscard]] std::string qualified_name() const { return schema + '.' + name; }

  friend bool operator==(const changed_relation&, const changed_relation&) = default;
};

/// One change.
/// @par Lifetime  a view: valid until its chunk's iterator moves on, as are all texts of it
class SLUICE_API change {
 public:
  explicit change(detail::change_feed& of) noexcept : feed_{&of} {}

  [[nodiscard]] sluice::operation operation() const noexcept;
  [[nodiscard]] sluice::position position() const noexcept;
  /// Of the transaction; 0 for a row of the snapshot, and for a message that is not transactional.
  [[nodiscard]] std::uint32_t xid() const noexcept;
  /// Whether the transaction was still running when the server sent the change (`change_options::streaming`): it counts
  /// once a `commit` of that `xid` has come, and not if `abort` comes. Its position is that of the last change that
  /// counts. The same for a transaction that was prepared before the slot had `change_options::two_phase`: it comes
  /// right before its `commit_prepared`.
  [[nodiscard]] bool is_running() const noexcept;
  /// Of a running transaction's change: the subtransaction (SAVEPOINT) that it is part of. Otherwise `xid`.
  [[nodiscard]] std::uint32_t subxid() const noexcept;
  /// Of a prepared transaction and its changes: the name given to PREPARE TRANSACTION. Otherwise empty.
  [[nodiscard]] std::string_view gid() const noexcept;
  /// When the transaction was committed or prepared, in UTC; the epoch where `xid` is 0 or the transaction is running.
  [[nodiscard]] std::chrono::sys_time<std::chrono::microseconds> committed_at() const noexcept;

  /// The table of a row, a truncate or a schema.
  /// @par Lifetime  also until the chunk's iterator moves on
  /// @par Errors    throws error: bad_state for other changes
  [[nodiscard]] const changed_relation& relation() const;

  /// The new row, an object of JSON as the server's `to_jsonb` makes it, with the columns in the table's order. Of a
  /// message: its content. Empty for a delete and what has no row. Values of types with a cast to json of their own,
  /// and of those that a running transaction has made, are strings of their text.
  ///
  /// A TOASTed value that the statement did not touch is not sent. If the table has REPLICA IDENTITY FULL it is taken
  /// from the old row; otherwise the member is left out, and `unchanged` names it.
  /// @par Errors  throws error: result_changed for a value that is not of its type; row_too_large; bad_state for rows
  ///              that come as columns
  [[nodiscard]] std::string_view text() const;
  /// What the server sends of the old row: all of it for REPLICA IDENTITY FULL; the columns of the replica identity for
  /// a delete, and for an update that changes them; empty otherwise.
  /// @par Errors  as `text`
  [[nodiscard]] std::string_view old_text() const;
  /// Whether `old_text` has only the columns of the replica identity.
  [[nodiscard]] bool old_is_key() const noexcept;
  /// The new row of an insert, an update or a snapshot as columns, if `change_options::columns` is set: `get` and
  /// `fields` of <sluice/stream/columns.hpp>. A value that `unchanged` names is NULL there.
  /// @par Errors  throws error: bad_state without that option, and for a change without a new row; row_too_large
  [[nodiscard]] row columns() const;
  /// The same of `old_text`. Columns that are not part of the replica identity are NULL if `old_is_key`.
  [[nodiscard]] row old_columns() const;
  /// The columns that `text` leaves out.
  /// @par Errors  as `text`
  [[nodiscard]] std::span<const std::string_view> unchanged() const;

  /// Of a message: what kind it is.
  [[nodiscard]] std::string_view prefix() const noexcept;
  /// Of a truncate.
  [[nodiscard]] bool is_cascade() const noexcept;
  [[nodiscard]] bool restarts_identity() const noexcept;

 private:
  detail::change_feed* feed_;
};

/// The changes that one read delivered: an input range, to be iterated once. Changes that were not reached are in the
/// next chunk.
/// @par Lifetime  a view: valid until the next read of its stream
class SLUICE_API change_chunk {
 public:
  class iterator;

  /// The end of the stream.
  change_chunk() = default;
  explicit change_chunk(detail::change_feed& of) noexcept : feed_{&of} {}

  [[nodiscard]] iterator begin() const;
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }
  /// False at the end of the stream. A chunk may be true and have no change: then only the position has moved.
  explicit operator bool() const noexcept { return feed_ != nullptr; }

  /// The position after the changes that were iterated so far: what to acknowledge once they are stored.
  [[nodiscard]] position last() const noexcept;

 private:
  detail::change_feed* feed_{};
};

/// Steps from change to change.
class SLUICE_API change_chunk::iterator {
 public:
  using value_type = change;
  using difference_type = std::ptrdiff_t;
  using iterator_concept = std::input_iterator_tag;

  iterator() = default;
  /// @par Errors  throws error: as `operator++`
  explicit iterator(detail::change_feed& of) : feed_{&of} { ++*this; }

  [[nodiscard]] change operator*() const noexcept { return change{*feed_}; }
  /// @par Errors  throws what a local condition throws. An error of the server or of the connection ends the chunk; the
  ///              stream's `next` throws it, or connects again
  iterator& operator++();
  void operator++(int) { ++*this; }
  friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept { return it.feed_ == nullptr; }

 private:
  detail::change_feed* feed_{};
};

inline change_chunk::iterator change_chunk::begin() const { return feed_ == nullptr ? iterator{} : iterator{*feed_}; }

}  // namespace sluice
