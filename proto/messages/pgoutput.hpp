#pragma once
/// @file
/// The messages of the output plug-in pgoutput, versions 1 to 4 of its protocol: what logical replication sends as the
/// data of an XLogData.
///
/// There is one `decode_...` for each. It returns nothing unless the fields fill the body exactly and hold permitted
/// values. `streamed` says whether the message stands between Stream Start and Stream Stop: then those about rows and
/// relations begin with a transaction id.
/// @par Lifetime  all texts, spans and lists are views into the decoded body
/// @see PostgreSQL documentation, section "Logical Replication Message Formats"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "messages/backend.hpp"
#include "messages/packed_list.hpp"

namespace sluice::proto::pgoutput {

/// The first byte of a message.
enum class kind : char {
  begin = 'B',
  message = 'M',
  commit = 'C',
  origin = 'O',
  relation = 'R',
  type = 'Y',
  insert = 'I',
  update = 'U',
  remove = 'D',  // delete
  truncate = 'T',
  stream_start = 'S',
  stream_stop = 'E',
  stream_commit = 'c',
  stream_abort = 'A',
  begin_prepare = 'b',
  prepare = 'P',
  commit_prepared = 'K',
  rollback_prepared = 'r',
  stream_prepare = 'p',
};
/// Nothing for an empty body.
[[nodiscard]] std::optional<kind> kind_of(std::span<const std::byte> body) noexcept;

struct begin {
  std::uint64_t commit_lsn{};  ///< where the record of the transaction's commit begins
  std::int64_t committed_at{};
  std::uint32_t xid{};
};

struct commit {
  std::uint64_t commit_lsn{};
  std::uint64_t end_lsn{};  ///< of the byte after that record
  std::int64_t committed_at{};
};

struct origin {
  std::uint64_t commit_lsn{};  ///< on the server where the transaction comes from
  std::string_view name{};
};

/// How the old row is told in an update or a delete.
enum class replica_identity : char { default_key = 'd', nothing = 'n', full = 'f', index = 'i' };

/// A column of a relation.
struct relation_column {
  bool is_key{};  ///< part of the replica identity
  std::string_view name{};
  std::uint32_t type{};     ///< OID
  std::int32_t modifier{};  ///< of the type; -1: none

  [[nodiscard]] static relation_column read(body_reader& in) noexcept;
};

/// Sent before the first row of a relation, and again when it has changed.
struct relation {
  std::uint32_t xid{};        ///< streamed only
  std::uint32_t id{};         ///< OID
  std::string_view schema{};  ///< empty: pg_catalog
  std::string_view name{};
  replica_identity identity{};
  packed_list<relation_column> columns{};
};

/// A type that is not built in, of some column.
struct type {
  std::uint32_t xid{};  ///< streamed only
  std::uint32_t id{};
  std::string_view schema{};
  std::string_view name{};
};

/// A column's value in a row.
struct value {
  enum class kind : char {
    null = 'n',
    unchanged = 'u',  ///< a TOASTed value that the statement did not touch: it was not sent
    text = 't',
    binary = 'b',
  };
  kind is{kind::null};
  std::span<const std::byte> bytes{};

  [[nodiscard]] static value read(body_reader& in) noexcept;
};
using tuple = packed_list<value>;

/// What is told of a row before its change.
enum class old_row : char {
  none = 0,
  key = 'K',   ///< the columns of the replica identity; the others are null
  full = 'O',  ///< all columns
};

/// Insert, update or delete.
struct row_change {
  std::uint32_t xid{};  ///< streamed only
  std::uint32_t relation{};
  old_row told{old_row::none};
  tuple before{};  ///< empty: not told
  tuple after{};   ///< empty: deleted
};

struct truncate {
  std::uint32_t xid{};  ///< streamed only
  bool cascade{};
  bool restart_identity{};
  packed_list<oid_field> relations{};
};

/// Of pg_logical_emit_message.
struct message {
  std::uint32_t xid{};  ///< streamed only
  bool is_transactional{};
  std::uint64_t lsn{};
  std::string_view prefix{};
  std::span<const std::byte> content{};
};

/// Changes of a transaction that is still running follow, up to Stream Stop.
struct stream_start {
  std::uint32_t xid{};
  bool is_first{};
};
struct stream_commit {
  std::uint32_t xid{};
  commit end{};
};
struct stream_abort {
  std::uint32_t xid{};
  std::uint32_t subxid{};  ///< the same as `xid` for the whole transaction
};

/// Begin Prepare, Prepare and Stream Prepare: the same fields for what begins and what ends. In a Begin Prepare,
/// `end_lsn` and `prepared_at` are those of the Prepare that follows.
struct prepare {
  std::uint64_t prepare_lsn{};  ///< where the record of the PREPARE TRANSACTION begins
  std::uint64_t end_lsn{};      ///< of the byte after that record
  std::int64_t prepared_at{};
  std::uint32_t xid{};
  std::string_view gid{};  ///< the name that the transaction was given
};
struct commit_prepared {
  std::uint32_t xid{};
  commit end{};
  std::string_view gid{};
};
struct rollback_prepared {
  std::uint64_t prepare_end_lsn{};
  std::uint64_t end_lsn{};  ///< of the byte after the record of the ROLLBACK PREPARED
  std::int64_t prepared_at{};
  std::int64_t rolled_back_at{};
  std::uint32_t xid{};
  std::string_view gid{};
};

[[nodiscard]] std::optional<begin> decode_begin(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<commit> decode_commit(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<origin> decode_origin(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<relation> decode_relation(std::span<const std::byte> body, bool streamed) noexcept;
[[nodiscard]] std::optional<type> decode_type(std::span<const std::byte> body, bool streamed) noexcept;
/// For insert, update and delete.
[[nodiscard]] std::optional<row_change> decode_row_change(std::span<const std::byte> body, bool streamed) noexcept;
[[nodiscard]] std::optional<truncate> decode_truncate(std::span<const std::byte> body, bool streamed) noexcept;
[[nodiscard]] std::optional<message> decode_message(std::span<const std::byte> body, bool streamed) noexcept;
[[nodiscard]] std::optional<stream_start> decode_stream_start(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<stream_commit> decode_stream_commit(std::span<const std::byte> body) noexcept;
/// @param has_details  `streaming` is `parallel`: the LSN and the time of the abort are there, too
[[nodiscard]] std::optional<stream_abort> decode_stream_abort(std::span<const std::byte> body,
                                                              bool has_details) noexcept;
[[nodiscard]] std::optional<prepare> decode_begin_prepare(std::span<const std::byte> body) noexcept;
/// For Prepare and Stream Prepare.
[[nodiscard]] std::optional<prepare> decode_prepare(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<commit_prepared> decode_commit_prepared(std::span<const std::byte> body) noexcept;
[[nodiscard]] std::optional<rollback_prepared> decode_rollback_prepared(std::span<const std::byte> body) noexcept;

}  // namespace sluice::proto::pgoutput
