#pragma once
/// @file
/// How one query that nobody wants is brought to its end: what to do next, and until when. It is told the time, sends
/// nothing and waits for nothing.
///
///     it may go on by itself: it is left alone until then
///     a cancel request would hit others, or the end is near: it is read for a while
///     CancelRequest, and reading; a request that arrives before the server has begun with the query is lost, so it is
///     repeated, at growing intervals, until the query ends

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <limits>

#include "transport/deadline.hpp"

namespace sluice::wire {

class ending {
 public:
  /// How long a query may continue on its own: not at all, or up to a time unless it brings bytes more often than
  /// `reads`.
  struct grace {
    clock::time_point until{clock::time_point::min()};
    std::uint64_t reads{std::numeric_limits<std::uint64_t>::max()};
  };

  struct action {
    enum class kind : std::uint8_t {
      done,
      leave_alone,  ///< read until `until`, at most `reads` times; whoever waits may end this early
      read,         ///< until `until`
      cancel,       ///< send a CancelRequest
    };
    kind is{kind::done};
    clock::time_point until{};
    std::uint64_t reads{std::numeric_limits<std::uint64_t>::max()};
    [[nodiscard]] friend bool operator==(const action&, const action&) = default;
  };
  friend std::ostream& operator<<(std::ostream& out, const action& what);

  explicit ending(const grace& given) noexcept : given_{given} {}

  /// What is seen of the query.
  struct sight {
    bool is_over{};
    bool would_hit_others{};      ///< a cancel request would
    clock::duration ends_soon{};  ///< how long it is worth waiting for its end before a request is sent
  };
  [[nodiscard]] action next(const sight& of, clock::time_point now) noexcept;
  /// How many requests were asked for.
  [[nodiscard]] int requests() const noexcept { return requests_; }

 private:
  enum class state : std::uint8_t { new_one, left_alone, spared, to_be_cancelled, cancelled };

  state is_{state::new_one};
  grace given_;
  clock::time_point spared_until_{};
  back_off interval_{std::chrono::milliseconds{50}, std::chrono::hours{1}};
  int requests_{0};
};

}  // namespace sluice::wire
