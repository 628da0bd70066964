#pragma once
/// @file
/// Invalidates the results of a cache when the database says so: by NOTIFY, with a tag as the payload, or by its
/// changes themselves.
///
///     sluice::result_cache cache{pool, {.ttl = 60s}};
///     sluice::invalidations feed{"postgresql://localhost/app", cache};   // listens from now on
///
/// `sql/invalidate.sql` makes triggers that send those notifications when tables change. A server with
/// `wal_level = logical` needs no triggers:
///
///     sluice::change_invalidation_options how{.publications = {"app"}};
///     how.tags = {{"app.users", {"v_user"}}};   // the views that read a table
///     sluice::invalidations feed = sluice::invalidations::by_changes("postgresql://localhost/app", cache, how);
///
/// @see docs/cache.md; PostgreSQL documentation, NOTIFY

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/cache/result_cache.hpp>
#include <sluice/export.hpp>
#include <sluice/stream/notifications.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/wire/conninfo.hpp>

namespace sluice {

namespace detail {
class invalidation_feed;
}

/// Options of a feed of notifications. Every duration has to be positive, except for `probe_interval`.
struct invalidation_options {
  std::string_view channel{"sluice_invalidate"};  ///< as it is, not folded to lower case
  /// How often the feed sends a notification to itself, on a second connection. A LISTEN can be lost while its
  /// connection lives, behind a pooler for example; this is how long that may go unnoticed, with `probe_timeout`.
  /// 0: never.
  std::chrono::milliseconds probe_interval{10'000};
  std::chrono::milliseconds probe_timeout{2'000};  ///< for the answer; then the feed counts as deaf and starts over
  std::chrono::milliseconds backoff{100};          ///< before starting over; doubled each time, up to `max_backoff`
  std::chrono::milliseconds max_backoff{10'000};
  listen_options listen{};
};

/// Which results a change of a relation concerns.
struct relation_tags {
  std::string relation;           ///< schema and name, joined by a dot and without quotes: "app.users"
  std::vector<std::string> tags;  ///< such as those of the views that read it
};

/// Options of a feed from a change stream.
struct change_invalidation_options {
  /// They exist, and have every table whose results are cached. A partition counts as itself, unless its publication
  /// has `publish_via_partition_root`.
  std::vector<std::string> publications{};
  /// Tags besides the table's own name, which counts with and without its schema.
  std::vector<relation_tags> tags{};
  /// A message of pg_logical_emit_message with this prefix is a tag; an empty one drops everything. For what is no
  /// change of a table, such as `refresh materialized view`.
  std::string message_prefix{"sluice_invalidate"};
  /// How often the server and the client tell each other that they are there. A connection that has died silently is
  /// noticed after three times this long.
  std::chrono::milliseconds status_interval{4'000};
  std::chrono::milliseconds backoff{100};  ///< before starting over; doubled each time, up to `max_backoff`
  std::chrono::milliseconds max_backoff{10'000};
  connection_options connection{};
};

/// Listens on a connection of its own, on the cache's executor, until it is destroyed.
///
/// Each payload is a tag for `result_cache::invalidate`; an empty one drops everything. With `by_changes`, each change
/// invalidates the tags of its table. Everything is also dropped whenever the feed begins to listen and whenever
/// notifications may have been missed: after a lost connection, a flood that exceeds
/// `listen_options::max_pending_bytes`, and a probe without an answer. While it does not listen, the cache does what
/// `cache_options::deaf` says; also after the feed is destroyed.
///
/// Notifications are sent when a transaction commits, and arrive shortly after: for that long a result may be out of
/// date. Queries must be sent to the server that sends the notifications, not to a standby that may lag behind it.
/// @par Lifetime       of the executor: as for the pool, `io_context::run` returns only after the feed was destroyed
/// @par Thread safety  as the cache's
class SLUICE_API invalidations {
 public:
  /// @param to  a cache has one feed at a time
  /// @par Errors  throws error: bad_conninfo, bad_query for a channel whose name is empty or longer than 63 bytes,
  ///              bad_state for a second feed. Failures of the connection are retried, whatever they are: see
  ///              `last_failure`
  invalidations(std::string_view conninfo, const result_cache& to, const invalidation_options& options = {});
  invalidations(sluice::conninfo info, const result_cache& to, const invalidation_options& options = {});
  /// A feed from the changes of a database, in the order of their commits. Its slot is temporary: it ends with its
  /// connection, and whatever was changed until the next one begins counts as missed. The user needs the attribute
  /// REPLICATION, the server `wal_level = logical` and a free slot.
  /// @par Errors  throws error: bad_conninfo, bad_query without a publication, bad_state for a second feed. Failures of
  ///              the connection are retried, whatever they are
  [[nodiscard]] static invalidations by_changes(std::string_view conninfo, const result_cache& to,
                                                const change_invalidation_options& how);
  [[nodiscard]] static invalidations by_changes(sluice::conninfo info, const result_cache& to,
                                                const change_invalidation_options& how);
  invalidations(invalidations&&) noexcept;
  invalidations& operator=(invalidations&&) noexcept;
  ~invalidations();

  /// Whether notifications are being heard, as far as is known.
  [[nodiscard]] bool is_listening() const noexcept;
  /// Why it last stopped listening, or could not begin; empty if neither has happened.
  [[nodiscard]] std::string last_failure() const;

 private:
  explicit invalidations(std::shared_ptr<detail::invalidation_feed> made) noexcept;
  void leave() noexcept;

  std::shared_ptr<detail::invalidation_feed> feed_;
};

}  // namespace sluice
