#pragma once
/// @file
/// Reads one relation over several connections at once. A backend is a single process, and the server is the
/// bottleneck.
///
///     auto rows = co_await sluice::stream_in_parallel("postgresql://localhost/app", sluice::from("events"),
///                                                     {.connections = 4});
///     while (sluice::chunk chunk = co_await rows.next())
///       for (sluice::row row : chunk) use(row.text());
///
/// All connections read one snapshot (`pg_export_snapshot`), so every row arrives exactly once, whatever others write
/// meanwhile. Each connection runs on its own strand; on an executor with several threads they read concurrently.
/// @see PostgreSQL documentation, section "Snapshot Synchronization Functions"; docs/scaling.md

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/row_iterator.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/error.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {

namespace detail {
class parallel_reader;
}  // namespace detail
namespace wire {
class session_pool;
}
class pool;

template <class T, class Rows>
class typed_stream;

/// How a relation is divided into tasks. The connections take the tasks one after the other.
/// @par Lifetime  a view of the path, which is read until the stream has begun
class SLUICE_API split_by {
 public:
  enum class kind : std::uint8_t { ctid, key, hash };

  /// Ranges of pages: for tables, on Postgres 14 and later.
  [[nodiscard]] static split_by ctid() { return {kind::ctid, {}}; }
  /// Ranges of a field that holds whole numbers; rows without one form a task of their own. Works for views, too. An
  /// index on the field's expression makes it fast; without one, each task reads everything.
  /// @param path  as for `field`
  [[nodiscard]] static split_by key(std::string_view path) { return {kind::key, path}; }
  /// A hash of a field's text. There is one task per connection; each reads everything and discards the rows of the
  /// others. For views where producing a row costs the server more than reading it.
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
  std::uint32_t connections{2};  ///< upper bound; at least 1, which reads everything by one query
  /// Options of each task, except for three that apply once to the whole call, including connecting and dividing:
  /// `timeout`, `first_row_timeout` and `max_stream_bytes`. `stall_timeout` applies to each connection,
  /// `server_timeout` to each statement.
  query_options query{};
  connection_options connection{};
};

/// Progress: how much of the planned work is done, in pages when divided by ctid, in tasks otherwise.
struct parallel_progress {
  std::uint64_t done{};
  std::uint64_t planned{};
  std::uint64_t rows{};
  std::uint64_t bytes{};  ///< of the documents
  std::uint32_t connections{};
};

/// The rows of a relation, in the order in which its connections deliver them. With `order_by` they come in that order:
/// each connection sorts its part, and the parts are merged here. Memory is the sum of the receive buffers; a
/// connection whose rows have not been consumed yet stops reading. An error on one connection ends all of them.
///
/// Merged rows are handed out in place, so a chunk may be as short as one row. `row::columns` does not list the sort
/// keys that follow the document in each row.
///
/// Destroying the stream before its end cancels the queries in the background and closes the connections; a pending
/// call of `next` then ends with `cancelled`.
/// @par Thread safety  none: use it from one coroutine or strand
class SLUICE_API parallel_stream {
 public:
  /// A stream without work; also the moved-from state. Its calls throw bad_state.
  parallel_stream() noexcept;
  parallel_stream(parallel_stream&&) noexcept;
  parallel_stream& operator=(parallel_stream&&) noexcept;
  ~parallel_stream();

  /// The next rows, from one of the connections; an empty chunk at the end.
  /// @par Lifetime      until the next call or the end of the stream, even if another connection fails meanwhile
  /// @par Errors        throws error: as `row_stream::next`; cancelled when `cancel` ended the stream before the last
  ///                    row; bad_state for a moved-from stream. Every later call throws the error that ended the work
  ///                    again
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<chunk> next();
  /// The same for any completion token; the signature is `void(std::exception_ptr, chunk)`. Include
  /// <sluice/stream/async.hpp>, which says what holds for all such forms.
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }
  /// Ends all queries and closes the connections. A call of `next` pending in another coroutine ends with `cancelled`.
  /// @return how the queries were ended: drained when everything had been read; cancelled when each connection that was
  ///         made was proven clean before it was closed, else closed
  [[nodiscard]] asio::awaitable<leaving> cancel();
  /// With a completion token: `void(std::exception_ptr, leaving)`
  template <class Token>
  auto cancel(Token&& token) {
    return detail::with_token(get_executor(), [this] { return cancel(); }, std::forward<Token>(token));
  }
  /// What the connections have read, as sums; `first_row` and `elapsed` count from the beginning of the call, and
  /// `buffer_peak` is that of the largest buffer. A parallel stream has no pauses.
  [[nodiscard]] stream_stats stats() const;
  [[nodiscard]] parallel_progress progress() const;
  /// Names and types of the columns of a relation with `formats`. Empty until `next` has returned, and for
  /// documents.
  /// @par Lifetime  as the stream
  [[nodiscard]] std::span<const result_column> columns() const;
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  friend SLUICE_API asio::awaitable<parallel_stream> stream_in_parallel(conninfo where, relation what,
                                                                        parallel_options how);
  friend SLUICE_API asio::awaitable<parallel_stream> stream_in_parallel(const pool& from, relation what,
                                                                        parallel_options how);
  explicit parallel_stream(std::shared_ptr<detail::parallel_reader> reader) noexcept;
  static asio::awaitable<parallel_stream> over(std::shared_ptr<wire::session_pool> lender, relation what,
                                               parallel_options how);

  std::shared_ptr<detail::parallel_reader> reader_;
};

/// Connects, exports a snapshot, divides the relation, and starts reading. Conditions and projections apply to every
/// task.
/// @par Errors  throws error: as `connect`; bad_query for what cannot be divided: LIMIT and OFFSET; page ranges of
///              something that is not a table, or on a server before 14; sort keys that cannot be compared here (text
///              in a collation other than "C", and rare types); and queries that an index serves better than several
///              connections would
[[nodiscard]] SLUICE_API asio::awaitable<parallel_stream> stream_in_parallel(conninfo where, relation what,
                                                                             parallel_options how = {});
[[nodiscard]] SLUICE_API asio::awaitable<parallel_stream> stream_in_parallel(std::string_view conninfo, relation what,
                                                                             parallel_options how = {});
/// The same with connections of a pool, which gets each of them back when it has nothing left to read: no login, and
/// `parallel_options::connection` does not apply. It waits for the first connection as `pool::acquire` does, and reads
/// over fewer than were wanted if the pool has not as many left then. The rows are read where the pool is. Every
/// connection of the pool has to lead to the same server, for no other one knows the snapshot.
/// @par Lifetime  the pool need not outlive the stream
/// @par Errors    throws error: as above, and as `pool::acquire`
[[nodiscard]] SLUICE_API asio::awaitable<parallel_stream> stream_in_parallel(const pool& from, relation what,
                                                                             parallel_options how = {});
/// The rows as values of a C++ type. Include <sluice/stream/typed_stream.hpp>.
/// @param where  a connection string, a conninfo or a pool
template <class T, class Where>
[[nodiscard]] asio::awaitable<typed_stream<T, parallel_stream>> stream_in_parallel(const Where& where, relation what,
                                                                                   parallel_options how = {});
/// With a completion token: `void(std::exception_ptr, parallel_stream)`; @see async.hpp
template <class Token, class Where>
auto stream_in_parallel(const asio::any_io_executor& on, const Where& where, relation what, parallel_options how,
                        Token&& token) {
  return detail::with_token(
      on, [&] { return sluice::stream_in_parallel(where, std::move(what), how); }, std::forward<Token>(token));
}
/// With a completion token: `void(std::exception_ptr, typed_stream<T, parallel_stream>)`
template <class T, class Token, class Where>
auto stream_in_parallel(const asio::any_io_executor& on, const Where& where, relation what, parallel_options how,
                        Token&& token) {
  return detail::with_token(
      on, [&] { return sluice::stream_in_parallel<T>(where, std::move(what), how); }, std::forward<Token>(token));
}

/// Consumes the rows of one connection. It is called on that connection's strand, for one chunk after the other. When
/// the executor has several threads, calls for different connections run at the same time.
/// @par Lifetime  the rows are invalid once it returns
using chunk_consumer = std::function<asio::awaitable<void>(chunk rows, std::uint32_t connection)>;

/// Reads the relation with one consumer per connection instead of one for all.
///
///     asio::thread_pool threads{4};
///     auto work = sluice::for_each_in_parallel(dsn, sluice::from("events"), use, {.connections = 4});
///     sluice::parallel_progress done = asio::co_spawn(threads, std::move(work), asio::use_future).get();
///
/// @return what was read
/// @par Errors        throws error: as `stream_in_parallel` and `row_stream::next`, bad_query for an ORDER BY; and
///                    whatever `use` throws. By then no call of `use` is running any more; one that waits is cancelled
///                    first. The time spent in `use` counts towards timeouts
/// @par Cancellation  terminal: throws cancelled
[[nodiscard]] SLUICE_API asio::awaitable<parallel_progress> for_each_in_parallel(conninfo where, relation what,
                                                                                 chunk_consumer use,
                                                                                 parallel_options how = {});
[[nodiscard]] SLUICE_API asio::awaitable<parallel_progress> for_each_in_parallel(std::string_view conninfo,
                                                                                 relation what, chunk_consumer use,
                                                                                 parallel_options how = {});
/// The same with connections of a pool; @see stream_in_parallel
[[nodiscard]] SLUICE_API asio::awaitable<parallel_progress> for_each_in_parallel(const pool& from, relation what,
                                                                                 chunk_consumer use,
                                                                                 parallel_options how = {});
/// With a completion token: `void(std::exception_ptr, parallel_progress)`; @see async.hpp
template <class Token, class Where>
auto for_each_in_parallel(const asio::any_io_executor& on, const Where& where, relation what, chunk_consumer use,
                          parallel_options how, Token&& token) {
  return detail::with_token(
      on, [&] { return sluice::for_each_in_parallel(where, std::move(what), std::move(use), how); },
      std::forward<Token>(token));
}

/// Connects and describes how the relation would be divided, with the SQL of the first task; or why it cannot be
/// divided that way, and which division would work. The text is meant for people.
/// @par Errors  throws error: as `stream_in_parallel`, except for a bad_query that the text itself explains
[[nodiscard]] SLUICE_API asio::awaitable<std::string> explain_in_parallel(conninfo where, relation what,
                                                                          parallel_options how = {});
[[nodiscard]] SLUICE_API asio::awaitable<std::string> explain_in_parallel(std::string_view conninfo, relation what,
                                                                          parallel_options how = {});
/// With a completion token: `void(std::exception_ptr, std::string)`; @see async.hpp
template <class Token, class Where>
auto explain_in_parallel(const asio::any_io_executor& on, const Where& where, relation what, parallel_options how,
                         Token&& token) {
  return detail::with_token(
      on, [&] { return sluice::explain_in_parallel(where, std::move(what), how); }, std::forward<Token>(token));
}

/// The blocking counterpart of `parallel_stream`: a std::ranges input range for plain loops.
///
///     for (sluice::row row : sluice::parallel_range{dsn, sluice::from("events")}) use(row.text());
///
/// @par Thread safety  none, except for `interrupt`
class SLUICE_API parallel_range {
 public:
  using iterator = row_iterator<detail::blocking_parallel>;

  /// Sends nothing yet: the first call of `begin` or `next` connects and divides the relation, so that `interrupt`
  /// reaches that, too.
  /// @par Errors  throws error: bad_conninfo
  parallel_range(const conninfo& where, const relation& what, const parallel_options& how = {});
  parallel_range(std::string_view conninfo, const relation& what, const parallel_options& how = {});
  parallel_range(parallel_range&&) noexcept;
  parallel_range& operator=(parallel_range&&) noexcept;
  /// Ends any query in progress, within `connection_options::leave_timeout`.
  ~parallel_range();

  /// Reads up to the first row. Call it only once: the range is single-pass.
  /// @par Errors  as `next`
  [[nodiscard]] iterator begin();
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// The next rows, for loops over chunks. Do not mix it with iterators.
  /// @par Errors  throws error: the first call as `stream_in_parallel` and `parallel_stream::next`, later ones as the
  ///              latter
  /// @see parallel_stream::next
  [[nodiscard]] chunk next();
  /// @see parallel_stream::cancel
  leaving cancel();
  /// @see parallel_stream::stats
  [[nodiscard]] stream_stats stats() const;
  [[nodiscard]] parallel_progress progress() const;
  /// @see parallel_stream::columns
  [[nodiscard]] std::span<const result_column> columns() const;
  /// @see client::interrupt
  void interrupt() noexcept;

 private:
  std::unique_ptr<detail::blocking_parallel> work_;
};

}  // namespace sluice
