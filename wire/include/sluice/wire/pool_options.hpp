#pragma once
/// @file
/// How many connections a pool keeps, for how long, and what it says about itself.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

/// How a pool is run. Options do not own anything: GCC 12 destroys twice what they would own when braces or a default
/// argument make them in an expression with `co_await`.
/// Of the durations, less than zero is taken as zero, and what is too long for the clock as for ever.
struct pool_options {
  std::size_t min_size{0};  ///< kept open although nobody uses them, from `warm_up` on
  std::size_t max_size{8};  ///< at least 1
  /// How long an `acquire` may wait. Zero: for ever.
  std::chrono::milliseconds acquire_timeout{30'000};
  /// A connection that nobody has used for so long is closed, down to `min_size`. Zero: never.
  std::chrono::milliseconds idle_timeout{std::chrono::minutes{10}};
  /// A connection is not lent any more when it is so old. Zero: never.
  std::chrono::milliseconds max_lifetime{std::chrono::minutes{30}};
  /// Up to this share of `max_lifetime` and of each backoff is taken off at random, so that not all end at once.
  double jitter{0.1};
  /// How often a connection is tried, with a growing pause between, until the pool counts the server as down. Only what
  /// another try may mend is tried again.
  int connect_attempts{3};
  /// The first of those pauses, and how long `acquire` fails at once while the server is down; doubled each time, up to
  /// `max_backoff`.
  std::chrono::milliseconds backoff{100};
  std::chrono::milliseconds max_backoff{10'000};
  /// Run before a returned connection is lent again, such as "discard all"; a round trip each time. A transaction that
  /// was left open is rolled back in any case.
  /// @par Lifetime  read while the pool is made
  std::string_view reset_statements{};
};

/// Counts since the pool was made, and how it is now.
struct pool_stats {
  std::size_t idle{};
  std::size_t lent{};  ///< being cleaned up after use included
  std::size_t connecting{};
  std::size_t waiting{};  ///< calls of `acquire`

  std::uint64_t acquired{};
  std::uint64_t reused{};  ///< of these, by a connection that had been lent before
  std::uint64_t opened{};
  std::uint64_t closed{};              ///< for any reason
  std::uint64_t found_dead{};          ///< of these, because the server or the network had ended them
  std::uint64_t timed_out{};           ///< calls of `acquire`
  std::uint64_t failed_attempts{};     ///< to connect
  std::chrono::microseconds waited{};  ///< by all calls of `acquire` together
};

}  // namespace sluice
