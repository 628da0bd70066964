#pragma once
/// @file
/// Options and statistics of a pool: how many connections it keeps, and for how long.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

/// Options of a pool. They own nothing, because GCC 12 destroys owning members twice when braces or a default argument
/// create them in an expression with `co_await`. Negative durations count as zero, and durations too long for the clock
/// as unlimited.
struct pool_options {
  std::size_t min_size{0};  ///< kept open even when unused, from `warm_up` on
  std::size_t max_size{8};  ///< at least 1
  /// How long an `acquire` may wait. Zero: without limit.
  std::chrono::milliseconds acquire_timeout{30'000};
  /// A connection that has been idle this long is closed, down to `min_size`. Zero: never.
  std::chrono::milliseconds idle_timeout{std::chrono::minutes{10}};
  /// A connection that is this old is not lent any more. Zero: never.
  std::chrono::milliseconds max_lifetime{std::chrono::minutes{30}};
  /// Up to this share of `max_lifetime` and of each backoff is subtracted at random, so that connections do not all
  /// expire at once.
  double jitter{0.1};
  /// How many attempts to connect are made, with a growing delay between them, before the pool considers the server
  /// down. Only failures that another attempt may fix are retried.
  int connect_attempts{3};
  /// The first of those delays, and how long `acquire` fails immediately while the server is down; doubled each time,
  /// up to `max_backoff`.
  std::chrono::milliseconds backoff{100};
  std::chrono::milliseconds max_backoff{10'000};
  /// SQL to run before a returned connection is lent again, such as "discard all"; costs a round trip each time. A
  /// transaction left open is rolled back in any case.
  /// @par Lifetime  read while the pool is made
  std::string_view reset_statements{};
};

/// The current state of a pool, and counts since it was made.
struct pool_stats {
  std::size_t idle{};
  std::size_t lent{};  ///< including those being cleaned up after use
  std::size_t connecting{};
  std::size_t waiting{};  ///< calls of `acquire`
  std::size_t max{};      ///< as `pool_options::max_size` says

  std::uint64_t acquired{};
  std::uint64_t reused{};  ///< of these, with a connection that had been lent before
  std::uint64_t opened{};
  std::uint64_t closed{};              ///< for any reason
  std::uint64_t found_dead{};          ///< of these, because the server or the network had ended them
  std::uint64_t timed_out{};           ///< calls of `acquire`
  std::uint64_t failed_attempts{};     ///< to connect
  std::chrono::microseconds waited{};  ///< by all calls of `acquire` together
};

}  // namespace sluice
