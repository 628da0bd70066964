#pragma once
/// @file
/// A cache of results, for services that ask the same few queries again and again. Link libsluice_cache.
///
///     sluice::result_cache cache{pool, {.max_bytes = 64 << 20, .ttl = 60s}};
///     auto rows = cache.stream(sluice::from("v_user").where(field("id") == id), {.ttl = 10s});
///     while (sluice::chunk chunk = co_await rows.next()) ...   // a stream like any other
///     cache.invalidate("v_user");
///
/// A result is found only by a call with the same SQL, parameters, types, shape, mode, tags and session state; all of
/// that is compared, not a hash of it. Database and user are the pool's: a cache belongs to one pool.
///
/// Whoever changes session state on the pool's connections (role, search_path, time zone, a tenant's setting) names
/// that state in `cache_use::session`, or one user's rows are served to another.
/// @see docs/cache.md

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <asio/any_io_executor.hpp>

#include <sluice/export.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pool.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/wire/observer.hpp>

namespace sluice {

namespace detail {
class cache_core;
class cached_rows;
}  // namespace detail

/// What a cache does while its feed of invalidations is not listening.
enum class while_deaf : std::uint8_t {
  bypass,       ///< every call sends its query
  keep_to_ttl,  ///< results are served as long as their time to live allows
};

struct cache_options {
  /// Upper bound for all memory of the cache: rows, keys, tags, recordings, and an estimate of what the allocator adds.
  /// 0: every call sends its query.
  std::size_t max_bytes{64U << 20U};
  /// Upper bound for one result with its key. The stream of a larger one flows on; it is no longer recorded.
  std::size_t max_entry_bytes{1U << 20U};
  /// How old a result may be. Its age counts from before its query was sent. Zero or less: every call sends its query.
  std::chrono::milliseconds ttl{60'000};
  /// How much older it may be while another call refreshes it. Results that were invalidated are never served.
  std::chrono::milliseconds serve_stale{0};
  /// How long a call waits for the same query of another call before it sends its own. 0: it does not wait.
  std::chrono::milliseconds max_wait{5'000};
  while_deaf deaf{while_deaf::bypass};  ///< matters only for a cache with `invalidations`
  observer* watch{};                    ///< receives `on_cache`; must outlive the cache and its streams; may be null
};

/// How one call uses the cache.
/// @par Lifetime  texts and tags are read until `result_cache::stream` returns
struct cache_use {
  enum class mode : std::uint8_t {
    normal,
    refresh,  ///< sends the query whatever is stored, and stores its result: to read one's own writes
    bypass,   ///< sends the query and stores nothing
  };
  std::optional<std::chrono::milliseconds> ttl{};  ///< for this call, instead of the cache's
  mode how{mode::normal};
  /// By which the result can be invalidated, besides the name of the relation that `from` reads (see
  /// `query::relation_name`). Any bytes; empty: none.
  std::string_view tag{};
  /// More of them; the order counts as part of the key.
  std::span<const std::string> tags{};
  /// Session state on which the rows depend, in words of the program's own: "tenant=7".
  std::string_view session{};
  /// The program's word that the functions which the SQL calls do nothing but read; see `result_cache::stream`.
  bool only_reads{false};
};

/// Counts since the cache was made, and what it holds now.
struct cache_stats {
  std::uint64_t hits{};
  std::uint64_t stale_hits{};
  std::uint64_t wait_hits{};  ///< hits after a wait for another call's query
  std::uint64_t misses{};
  std::uint64_t bypasses{};
  std::uint64_t stored{};
  std::uint64_t discarded{};  ///< recorded, but invalidated, failed or left before the end
  std::uint64_t outgrown{};   ///< recorded until the bounds were reached
  std::uint64_t evicted{};
  std::uint64_t entries{};
  std::uint64_t bytes{};
};

/// Keeps results of a pool's queries in memory. Movable; calls on a moved-from cache throw bad_state.
/// @par Lifetime       streams may outlive the cache, and the cache its pool; it does not keep the pool open
/// @par Thread safety  none: it belongs to the pool's executor, as its streams do
class SLUICE_API result_cache {
 public:
  explicit result_cache(const pool& from, cache_options options = {});
  result_cache(result_cache&&) noexcept;
  result_cache& operator=(result_cache&&) noexcept;
  ~result_cache();

  /// The rows of a query: stored ones, those of the same query of another call that is in progress, or the server's.
  /// The first `next` decides. No connection is used for a hit.
  ///
  /// Sent to the server and not stored, as `pool::stream` does, are:
  /// - statements that may write, and in doubt everything else that is not known to do nothing but read: SQL that calls
  ///   functions other than well-known ones, that locks rows, or that has comments. `cache_use::only_reads` vouches for
  ///   the functions
  /// - queries of which a part is evaluated on the client
  /// - keys larger than `cache_options::max_entry_bytes`
  ///
  /// `query_options::timeout` and `first_row_timeout` include the wait for another call.
  /// @return a stream. For a hit its chunk lies in the stored result: nothing is copied, and the chunk stays valid
  ///         until the next call on the stream even if the result is evicted or invalidated meanwhile
  /// @par Errors  those of `pool::stream`, at `next`
  [[nodiscard]] pooled_stream stream(query what, const cache_use& how = {}, query_options options = {},
                                     retry_options retry = {}) const;
  /// The rows as values of a C++ type. Include <sluice/stream/typed_stream.hpp>.
  template <class T>
  [[nodiscard]] auto stream(query what, const cache_use& how = {}, query_options options = {},
                            retry_options retry = {}) const {
    return typed_stream<T, pooled_stream>{stream(std::move(what), how, options, retry)};
  }

  /// Drops the results that carry this tag, and those on their way whose query was begun before. Takes the same short
  /// time for any number of results; their memory is freed later, a little at a time, on the executor.
  /// @param tag  compared byte by byte; one that no result carries does nothing
  void invalidate(std::string_view tag);
  /// The same for everything.
  void invalidate_all();

  [[nodiscard]] cache_stats stats() const;
  [[nodiscard]] asio::any_io_executor get_executor() const;  ///< the pool's

 private:
  [[nodiscard]] const std::shared_ptr<detail::cache_core>& held() const;
  friend class invalidations;
  friend class detail::cached_rows;
  static pooled_stream send(const detail::cache_core& from, query what, const query_options& options,
                            const retry_options& retry);

  std::shared_ptr<detail::cache_core> core_;
};

}  // namespace sluice
