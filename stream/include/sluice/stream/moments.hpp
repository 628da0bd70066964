#pragma once
/// @file
/// Conversion between the server's points in time, counted in microseconds, and any std::chrono duration, without
/// overflow. `max()` of a duration stands for infinity, and `min()` of a signed one for -infinity, in both directions.

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <ratio>
#include <type_traits>
#include <utility>

namespace sluice::detail {

/// `count * numerator / denominator`, rounded down.
/// @return nothing if the result does not fit into 64 bits
template <std::intmax_t Numerator, std::intmax_t Denominator>
[[nodiscard]] constexpr std::optional<std::int64_t> scaled(std::int64_t count) noexcept {
  using limits = std::numeric_limits<std::int64_t>;
  static_assert(Denominator <= limits::max() / Numerator, "a period that has no exact relation to a microsecond");
  const std::int64_t rest = (count % Denominator + Denominator) % Denominator;
  const std::int64_t whole = count / Denominator - (count % Denominator < 0 ? 1 : 0);
  if (whole > limits::max() / Numerator - 1 || whole < limits::min() / Numerator + 1) return std::nullopt;
  return whole * Numerator + rest * Numerator / Denominator;
}

/// A duration since an epoch, in microseconds, rounded down; `max()` and `min()` for the infinities.
/// @return nothing if it does not fit into 64 bits or is not a number
template <class Rep, class Period>
  requires std::is_arithmetic_v<Rep>
[[nodiscard]] constexpr std::optional<std::chrono::microseconds> to_microseconds(
    std::chrono::duration<Rep, Period> since_epoch) noexcept {
  using std::chrono::microseconds;
  using duration = std::chrono::duration<Rep, Period>;
  using factor = std::ratio_divide<Period, std::micro>;
  if (since_epoch >= duration::max()) return microseconds::max();
  if (std::is_signed_v<Rep> && since_epoch <= duration::min()) return microseconds::min();
  if constexpr (std::is_floating_point_v<Rep>) {
    constexpr long double limit = 9e18L;
    const long double count = std::floor(static_cast<long double>(since_epoch.count()) *
                                         static_cast<long double>(factor::num) / static_cast<long double>(factor::den));
    if (!(count > -limit && count < limit)) return std::nullopt;
    return microseconds{static_cast<std::int64_t>(count)};
  } else {
    if (!std::in_range<std::int64_t>(since_epoch.count())) return std::nullopt;
    const auto count = scaled<factor::num, factor::den>(static_cast<std::int64_t>(since_epoch.count()));
    return count ? std::optional{microseconds{*count}} : std::nullopt;
  }
}

/// The reverse conversion, rounded down.
/// @return nothing if the duration cannot hold it, or could only hold it as a value that means infinity
template <class Duration>
[[nodiscard]] constexpr std::optional<Duration> from_microseconds(std::chrono::microseconds since_epoch) noexcept {
  using std::chrono::microseconds;
  using rep = typename Duration::rep;
  using factor = std::ratio_divide<std::micro, typename Duration::period>;
  if (since_epoch == microseconds::max()) return Duration::max();
  if (since_epoch == microseconds::min()) return std::is_signed_v<rep> ? std::optional{Duration::min()} : std::nullopt;
  if constexpr (std::is_floating_point_v<rep>) {
    return std::chrono::floor<Duration>(since_epoch);
  } else {
    const auto count = scaled<factor::num, factor::den>(since_epoch.count());
    if (!count || !std::in_range<rep>(*count)) return std::nullopt;
    const Duration value{static_cast<rep>(*count)};
    if (value == Duration::max() || (std::is_signed_v<rep> && value == Duration::min())) return std::nullopt;
    return value;
  }
}

}  // namespace sluice::detail
