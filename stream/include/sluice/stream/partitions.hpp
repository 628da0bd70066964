#pragma once
/// @file
/// Partitions of a result, for engines that run on many machines: descriptors that any process with access to the
/// server can read.
///
///     // The planner
///     sluice::blocking_partitions parts{dsn, sluice::from("events"), {.count = 16}};
///     for (const std::string& each : parts.descriptors()) send_to_a_worker(each);
///     wait_for_the_workers();   // parts.check() says whether the snapshot is still held
///
///     // A worker, anywhere
///     sluice::client db{dsn};
///     for (sluice::row row : sluice::open_partition(db, descriptor)) use(row.text());
///
/// All partitions read one snapshot (`pg_export_snapshot`): together they contain each row exactly once, whatever
/// others write meanwhile. The snapshot exists as long as the planner keeps its transaction open.
///
/// A descriptor is one line of text without spaces. It contains the SQL, its parameters and its columns, but no address
/// and no password. A worker runs that SQL only if the planner vouches for it, by holding an advisory lock derived from
/// the descriptor in a session whose role has every right that the worker's has. Treat descriptors like the data that
/// they give access to: they contain the values of the parameters.
/// @see docs/scaling.md, docs/decisions/descriptors-that-are-vouched-for.md

#include <chrono>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/client.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/stats.hpp>
#include <sluice/stream/token.hpp>
#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/leaving.hpp>

namespace sluice {

namespace detail {
class held_snapshot;
}  // namespace detail

/// How a result is divided into partitions.
struct partition_options {
  std::uint32_t count{4};  ///< upper bound; 1 to 1,000
  /// How the result is divided. `split_by::ctid` is for tables; a query can be divided by a key or a hash of one of its
  /// columns.
  split_by split{split_by::ctid()};
  /// After this much silence `partitions::lost` asks the server whether it is still there. Zero: never.
  std::chrono::milliseconds check_interval{30'000};
  query_options query{};  ///< limits of the statements that divide it; `mode` does not apply
  connection_options connection{};
};

/// The descriptors, and the transaction that holds their snapshot. Movable. When destroyed, it closes its connection:
/// partitions that were opened before go on, and no more can be opened.
/// @par Thread safety  none: use it from one coroutine or strand
class [[nodiscard, gnu::visibility("default")]] partitions {
 public:
  /// None; also the moved-from state.
  partitions() noexcept;
  partitions(partitions&&) noexcept;
  partitions& operator=(partitions&&) noexcept;
  ~partitions();

  /// Connects, exports a snapshot and divides what is to be read. Its conditions and projections are in the
  /// descriptors.
  /// @param what  a relation, or a query of which `count` is 1, or which is divided by a key or a hash
  /// @par Errors        throws error: as `connect` and `stream_in_parallel`; bad_query for orders, for conditions that
  ///                    are left to the client, for chosen formats, and for what is not a query, such as an INSERT
  /// @par Cancellation  terminal
  [[nodiscard]] static asio::awaitable<partitions> of(conninfo where, relation what, partition_options how = {});
  [[nodiscard]] static asio::awaitable<partitions> of(conninfo where, query what, partition_options how = {});
  /// @param where  a connection string
  template <class What>
  [[nodiscard]] static asio::awaitable<partitions> of(std::string_view where, What what, partition_options how = {}) {
    return of(conninfo::parse(where), std::move(what), how);
  }
  /// With a completion token: `void(std::exception_ptr, partitions)`; @see async.hpp
  /// @param on  the connection's executor
  template <class Token, class Where, class What>
  static auto of(const asio::any_io_executor& on, const Where& where, What what, partition_options how, Token&& token) {
    return detail::with_token(on, [&] { return of(where, std::move(what), how); }, std::forward<Token>(token));
  }

  /// One for each partition, in the order of the ranges.
  /// @par Lifetime  as this object
  [[nodiscard]] const std::vector<std::string>& descriptors() const noexcept;

  /// Waits until the snapshot is lost, which is an error; it does not return otherwise.
  /// @par Errors        throws error: connection_lost; cancelled, also when this object is destroyed meanwhile
  /// @par Cancellation  terminal
  [[nodiscard]] asio::awaitable<void> lost();
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto lost(Token&& token) {
    return detail::with_token(get_executor(), [this] { return lost(); }, std::forward<Token>(token));
  }
  /// Whether the snapshot is held, as far as can be told without waiting.
  [[nodiscard]] bool is_held() const noexcept;
  /// Ends the transaction and closes the connection.
  /// @par Errors  throws error: connection_lost
  [[nodiscard]] asio::awaitable<void> end();
  /// With a completion token: `void(std::exception_ptr)`
  template <class Token>
  auto end(Token&& token) {
    return detail::with_token(get_executor(), [this] { return end(); }, std::forward<Token>(token));
  }
  /// @par Errors  throws error: bad_state for an empty object
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  explicit partitions(std::shared_ptr<detail::held_snapshot> held) noexcept;
  void leave() noexcept;

  std::shared_ptr<detail::held_snapshot> held_;
};

/// The same for plain loops.
/// @par Thread safety  none
class SLUICE_API blocking_partitions {
 public:
  /// @see partitions::of
  blocking_partitions(const conninfo& where, const relation& what, const partition_options& how = {});
  blocking_partitions(const conninfo& where, const query& what, const partition_options& how = {});
  template <class What>
  blocking_partitions(std::string_view where, const What& what, const partition_options& how = {})
      : blocking_partitions{conninfo::parse(where), what, how} {}
  blocking_partitions(blocking_partitions&&) noexcept;
  blocking_partitions& operator=(blocking_partitions&&) noexcept;
  ~blocking_partitions();

  /// @see partitions::descriptors
  [[nodiscard]] const std::vector<std::string>& descriptors() const;
  /// Does not wait. A connection that vanished silently is noticed by the `keepalives` of the connection string only.
  /// @par Errors  throws error: connection_lost when the snapshot is not held any more
  void check() const;
  /// @see partitions::end
  void end();

 private:
  class work;
  [[nodiscard]] work& held() const;

  std::unique_ptr<work> work_;
};

/// How a partition is read.
struct partition_read {
  /// What its rows are.
  enum class rows : std::uint8_t {
    documents,     ///< as the relation or query has them, or objects of its columns
    columns,       ///< for `row::get`
    text_columns,  ///< as texts, as in psql
  };
  rows as{rows::documents};
  format_choice formats{};  ///< for `columns`: which of them come as text; null: none. @see query::as_columns
  query_options query{};
};

/// The rows of a partition. Movable. While it is read, its connection is in a transaction of its own, which ends with
/// the last row, or when this is destroyed.
/// @par Thread safety  none: as its connection
class [[nodiscard, gnu::visibility("default")]] partition_stream {
 public:
  /// An empty stream; also the moved-from state. Its calls throw bad_state.
  partition_stream() noexcept;
  partition_stream(partition_stream&&) noexcept;
  partition_stream& operator=(partition_stream&&) noexcept;
  ~partition_stream();

  /// @see row_stream::next
  [[nodiscard]] asio::awaitable<chunk> next();
  /// With a completion token: `void(std::exception_ptr, chunk)`
  template <class Token>
  auto next(Token&& token) {
    return detail::with_token(get_executor(), [this] { return next(); }, std::forward<Token>(token));
  }
  /// @see row_stream::cancel
  [[nodiscard]] asio::awaitable<leaving> cancel();
  /// With a completion token: `void(std::exception_ptr, leaving)`
  template <class Token>
  auto cancel(Token&& token) {
    return detail::with_token(get_executor(), [this] { return cancel(); }, std::forward<Token>(token));
  }
  [[nodiscard]] stream_stats stats() const;
  /// @see row_stream::columns
  [[nodiscard]] std::span<const result_column> columns() const;
  [[nodiscard]] asio::any_io_executor get_executor() const;

 private:
  struct state;
  friend SLUICE_API asio::awaitable<partition_stream> open_partition(connection& on, std::string_view descriptor,
                                                                     partition_read how);
  explicit partition_stream(std::shared_ptr<state> of) noexcept;
  static asio::awaitable<partition_stream> open(asio::any_io_executor on, asio::awaitable<transaction> begun,
                                                std::string descriptor, partition_read how);
  static asio::awaitable<chunk> next_of(std::shared_ptr<state> of);
  static asio::awaitable<leaving> cancel_of(std::shared_ptr<state> of);
  [[nodiscard]] state& held() const;
  void leave() noexcept;

  std::shared_ptr<state> state_;  // kept alive by a waiting call
};

/// Opens a partition. Four round trips come before the first row: the snapshot, whether the descriptor is vouched for,
/// its columns, and the query.
/// @param on  must be idle; to the same database of the same server. Its role may be another one than that of the
///            exporting session, if that has all its rights
/// @par Errors  throws error: bad_partition for a descriptor that is damaged, of another version, or not vouched for;
///              partition_lost when its snapshot is gone, or is another database's; result_changed when its columns are
///              others now, or in the worker's eyes; as `connection::stream`. There are no rows then, and the
///              connection stays usable
[[nodiscard]] SLUICE_API asio::awaitable<partition_stream> open_partition(connection& on, std::string_view descriptor,
                                                                          partition_read how = {});
/// With a completion token: `void(std::exception_ptr, partition_stream)`; @see async.hpp
template <class Token>
auto open_partition(connection& on, std::string_view descriptor, partition_read how, Token&& token) {
  return detail::with_token(
      on.get_executor(), [&] { return open_partition(on, descriptor, std::move(how)); }, std::forward<Token>(token));
}

/// The rows of a partition: a std::ranges input range. @see partition_stream, row_range
class [[nodiscard, gnu::visibility("default")]] partition_range {
 public:
  using iterator = row_range::iterator;

  partition_range(partition_range&&) noexcept;
  partition_range& operator=(partition_range&&) noexcept;
  ~partition_range();

  /// Reads up to the first row. Call it only once: the range is single-pass.
  [[nodiscard]] iterator begin();
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }
  /// The next rows, for loops over chunks; empty at the end. Do not mix it with iterators.
  [[nodiscard]] chunk next();
  /// @see row_range::cancel
  leaving cancel();
  [[nodiscard]] stream_stats stats() const;
  /// @see row_range::columns
  [[nodiscard]] std::span<const result_column> columns() const;

 private:
  struct state;
  friend SLUICE_API partition_range open_partition(client& on, std::string_view descriptor, const partition_read& how);
  explicit partition_range(std::unique_ptr<state> of) noexcept;
  [[nodiscard]] state& held() const;

  std::unique_ptr<state> state_;
};

/// The same for a client.
[[nodiscard]] SLUICE_API partition_range open_partition(client& on, std::string_view descriptor,
                                                        const partition_read& how = {});

/// What a descriptor is for, for people: its number, its SQL and the types of its parameters, never their values.
/// @par Errors  throws error: bad_partition for a descriptor that is damaged or of another version
[[nodiscard]] SLUICE_API std::string explain_partition(std::string_view descriptor);

}  // namespace sluice
