#pragma once
/// @file
/// One relation read over several connections at once: a backend is one process, and the server is what takes time.
///
///     auto rows = co_await sluice::stream_in_parallel("postgresql://localhost/app", sluice::from("events"),
///                                                     {.connections = 4});
///     while (sluice::chunk chunk = co_await rows.next())
///       for (sluice::row row : chunk) use(row.text());
///
/// All connections read one snapshot (`pg_export_snapshot`): every row exactly once, whatever others write meanwhile.
/// Each runs on a strand of its own: on an executor with several threads they read at the same time.
/// @see PostgreSQL documentation, section "Snapshot Synchronization Functions"; docs/scaling.md

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_iterator.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

namespace detail {
class parallel_reader;
}  // namespace detail

/// How a relation is divided into tasks, which the connections take one after the other.
/// @par Lifetime  a view of the path, which is read until the stream has begun
class SLUICE_API split_by {
 public:
  enum class kind : std::uint8_t { ctid, key, hash };

  /// Ranges of pages: for tables, on Postgres 14 and later.
  [[nodiscard]] static split_by ctid() { return {kind::ctid, {}}; }
  /// Ranges of a field that holds whole numbers; rows without one are a task of their own. For views, too. An index on
  /// the field's expression makes it fast; without one each task reads all.
  /// @param path  as for `field`
  [[nodiscard]] static split_by key(std::string_view path) { return {kind::key, path}; }
  /// A hash of a field's text: a task for each connection, and each reads all and throws away what is not its own. For
  /// views that take the server more time per row than reading it.
  [[nodiscard]] static split_by hash(std::string_view path) { return {kind::hash, path}; }

  [[nodiscard]] kind by() const noexcept { return by_; }
  [[nodiscard]] std::string_view path() const noexcept { return path_; }

 private:
  split_by(kind by, std::string_view path) noexcept : by_{by}, path_{path} {}

  kind by_;
  std::string_view path_;
};

struct parallel_options {
  split_by split{split_by::ctid()};
  std::uint32_t connections{2};  ///< at most; 1 at least
  /// Of each task, but that three hold once for the whole call, whatever it is doing, connecting and dividing included:
  /// `timeout`, `first_row_timeout` and `max_stream_bytes`. `stall_timeout` is for each connection, `server_timeout`
  /// for each statement.
  query_options query{};
  connection_options connection{};
};

/// What has been read of what was planned: pages when divided by ctid, tasks otherwise.
struct parallel_progress {
  std::uint64_t done{};
  std::uint64_t planned{};
  std::uint64_t rows{};
  std::uint64_t bytes{};  ///< of the documents
  std::uint32_t connections{};
};

/// The rows of a relation as its connections bring them; with `order_by` in that order, merged here from a sorted part
/// of each connection. Memory is the sum of their receive buffers: a connection whose rows are not taken yet reads no
/// more. An error on one ends all.
///
/// Merged rows are handed out where they lie, so that a chunk may be as short as one row; `row::columns` says nothing
/// of the keys behind their documents.
///
/// Destroyed before its end, it cancels the queries in the background, and closes the connections; a call of `next`
/// that is pending then ends with `cancelled`.
/// @par Thread safety  none: use it from one coroutine or strand
class SLUICE_API parallel_stream {
 public:
  parallel_stream(parallel_stream&&) noexcept;
  parallel_stream& operator=(parallel_stream&&) noexcept;
  ~parallel_stream();

  /// The next rows, of one of the connections; an empty chunk at the end.
  /// @par Lifetime      until the next call or the stream's end; also when another connection fails meanwhile
  /// @par Errors        throws error: as `row_stream::next`; cancelled when `cancel` has ended it before the last row;
  ///                    bad_state for a stream that was moved from. What ended the work is thrown again by each further
  ///                    call
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<chunk> next();
  /// Ends all queries, and closes the connections. A call of `next` that is pending in another coroutine ends with
  /// `cancelled`.
  [[nodiscard]] asio::awaitable<void> cancel();
  [[nodiscard]] parallel_progress progress() const;

 private:
  friend SLUICE_API asio::awaitable<parallel_stream> stream_in_parallel(conninfo where, relation what,
                                                                        parallel_options how);
  explicit parallel_stream(std::shared_ptr<detail::parallel_reader> reader) noexcept;

  std::shared_ptr<detail::parallel_reader> reader_;
};

/// Connects, exports a snapshot, divides the relation, and begins. Conditions and projections are those of each task.
/// @par Errors  throws error: as `connect`; bad_query for what cannot be divided: LIMIT and OFFSET, pages of what is no
///              table or of a server before 14, keys of an order that cannot be compared here (text in another
///              collation than "C", and rare types), and what an index serves better than several connections would
[[nodiscard]] SLUICE_API asio::awaitable<parallel_stream> stream_in_parallel(conninfo where, relation what,
                                                                             parallel_options how = {});
[[nodiscard]] SLUICE_API asio::awaitable<parallel_stream> stream_in_parallel(std::string_view conninfo, relation what,
                                                                             parallel_options how = {});

/// What is done with the rows of one connection. Called on that connection's strand, for its rows one after the other;
/// for those of different connections at the same time, when the executor has several threads.
/// @par Lifetime  the rows are gone when it returns
using chunk_consumer = std::function<asio::awaitable<void>(chunk rows, std::uint32_t connection)>;

/// Reads the relation with a consumer for each connection instead of one for all.
///
///     asio::thread_pool threads{4};
///     auto work = sluice::for_each_in_parallel(dsn, sluice::from("events"), use, {.connections = 4});
///     sluice::parallel_progress done = asio::co_spawn(threads, std::move(work), asio::use_future).get();
///
/// @return what was read
/// @par Errors        throws error: as `stream_in_parallel` and `row_stream::next`, bad_query for an ORDER BY; and what
///                    `use` throws. Then no call of `use` is under way any more; one that waits is cancelled first.
///                    The time that `use` takes counts for a timeout
/// @par Cancellation  terminal: throws cancelled
[[nodiscard]] SLUICE_API asio::awaitable<parallel_progress> for_each_in_parallel(conninfo where, relation what,
                                                                                 chunk_consumer use,
                                                                                 parallel_options how = {});
[[nodiscard]] SLUICE_API asio::awaitable<parallel_progress> for_each_in_parallel(std::string_view conninfo,
                                                                                 relation what, chunk_consumer use,
                                                                                 parallel_options how = {});

/// Connects, and tells how the relation would be divided, with the SQL of the first task; or why it would not, and by
/// what it may be instead. For people.
/// @par Errors  throws error: as `stream_in_parallel`, but for bad_query where that is what is told
[[nodiscard]] SLUICE_API asio::awaitable<std::string> explain_in_parallel(conninfo where, relation what,
                                                                          parallel_options how = {});
[[nodiscard]] SLUICE_API asio::awaitable<std::string> explain_in_parallel(std::string_view conninfo, relation what,
                                                                          parallel_options how = {});

/// The same as `parallel_stream` for a plain loop: a std::ranges input range.
///
///     for (sluice::row row : sluice::parallel_range{dsn, sluice::from("events")}) use(row.text());
///
/// @par Thread safety  none, but for `interrupt`
class SLUICE_API parallel_range {
 public:
  using iterator = row_iterator<detail::blocking_parallel>;

  /// Nothing is sent yet: the first call of `begin` or `next` connects and divides, so that `interrupt` reaches that,
  /// too.
  /// @par Errors  throws error: bad_conninfo
  parallel_range(const conninfo& where, const relation& what, const parallel_options& how = {});
  parallel_range(std::string_view conninfo, const relation& what, const parallel_options& how = {});
  parallel_range(parallel_range&&) noexcept;
  parallel_range& operator=(parallel_range&&) noexcept;
  /// Ends what is under way, within `connection_options::leave_timeout`.
  ~parallel_range();

  /// Reads up to the first row. To be called once: there is one pass.
  /// @par Errors  as `next`
  [[nodiscard]] iterator begin();
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// @par Errors  throws error: the first call as `stream_in_parallel` and `parallel_stream::next`, further ones as the
  ///              latter
  /// @see parallel_stream::next; do not mix with iterators
  [[nodiscard]] chunk next();
  void cancel();
  [[nodiscard]] parallel_progress progress() const;
  /// @see client::interrupt
  void interrupt() noexcept;

 private:
  std::unique_ptr<detail::blocking_parallel> work_;
};

}  // namespace sluice
