#pragma once
/// @file
/// Sessions that are lent out and returned. A lent session has been proven idle, and was alive a moment ago: one that
/// came back longer ago than that is looked at again.
///
///     acquire -> idle? -> alive? -> lent -> given back -> clean? -> the longest waiting, or idle
///            \-> room? -> connect -> the longest waiting     \-> rolled back under a deadline, or closed
///
/// A caller that awaits one of its coroutines must keep the pool alive.
/// @par Thread safety  none: all calls, and the sessions, on one executor that runs one handler at a time

#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <sluice/wire/pool_options.hpp>
#include "engine/connect.hpp"
#include "transport/deadline.hpp"
#include "transport/open_span.hpp"

namespace sluice::wire {

using session_ptr = std::shared_ptr<session>;

class session_pool : public std::enable_shared_from_this<session_pool> {
 public:
  session_pool(asio::any_io_executor on, conninfo info, session_options session, pool_options options);
  ~session_pool();
  session_pool(const session_pool&) = delete;
  session_pool& operator=(const session_pool&) = delete;

  /// Lends a session; callers are served in the order of their calls.
  /// @par Errors  throws error: deadline_exceeded, cancelled, bad_state when the pool is closed; the error of
  ///              connecting when no connection is left and none can be made
  /// @param deadline  applies if it is earlier than `acquire_timeout`
  /// @param parent    of the span of waiting
  [[nodiscard]] asio::awaitable<session_ptr> acquire(clock::time_point deadline = clock::time_point::max(),
                                                     const trace_context& parent = {});
  /// The same without a wait.
  /// @return null: it takes one, or its span is wanted, or it will throw
  [[nodiscard]] session_ptr lend_at_once(const trace_context& parent) noexcept;
  /// Room for sessions that nobody else has, as long as the object lives: `acquire` of so many does not wait for any of
  /// the others who hold such room.
  class room;
  /// As much as there is now, and at most so much.
  [[nodiscard]] std::vector<room> reserve(std::size_t most);
  /// Takes a session back, whatever state it is in.
  void give_back(session_ptr lent) noexcept;
  /// Opens connections until there are `min_size`.
  /// @par Errors  throws error: the error of connecting
  [[nodiscard]] asio::awaitable<void> warm_up();
  /// Nothing is lent any more; idle sessions are closed, and waiting callers get an error.
  void close() noexcept;
  /// The same, and waits until everything lent has come back.
  /// @return whether it has within `patience`
  [[nodiscard]] asio::awaitable<bool> drain(clock::duration patience);

  /// Reports to the observer a statement whose result nobody waits for, and for which no connection was available.
  void report_unsent(std::string_view text, const error& why) const noexcept;

  /// `drain` waits for this many calls of `kept`, and takes no connections away from them before.
  void promise() noexcept { ++promised_; }
  void kept() noexcept {
    --promised_;
    returned_.cancel();
  }
  [[nodiscard]] pool_stats stats() const;
  [[nodiscard]] asio::any_io_executor get_executor() const { return executor_; }
  /// Where its connections lead.
  [[nodiscard]] const conninfo& where() const noexcept { return info_; }

 private:
  class waiter;

  asio::awaitable<session_ptr> acquire_until(clock::time_point deadline);
  asio::awaitable<session_ptr> acquire_in(open_span span, clock::time_point deadline);
  [[nodiscard]] session_ptr take_idle() noexcept;
  [[nodiscard]] session_ptr lend(session_ptr what, clock::duration after) noexcept;
  void report(pool_event::kind what, clock::duration took) const noexcept;
  [[nodiscard]] bool is_down() const;
  void grow();
  [[nodiscard]] bool is_wanting() const;
  [[nodiscard]] std::size_t spare() const noexcept;
  static asio::awaitable<void> open_one(std::shared_ptr<session_pool> self);
  void opened(session_ptr made);
  void failed(const error& why);
  static asio::awaitable<void> clean(std::shared_ptr<session_pool> self, session_ptr dirty);
  void offer(session_ptr clean) noexcept;
  void drop(const session_ptr& gone) noexcept;
  void fail_waiters(const error& why) noexcept;
  void sweep_later() noexcept;
  void sweep();
  [[nodiscard]] clock::duration jittered(clock::duration time);
  [[nodiscard]] back_off new_back_off() const noexcept { return {options_.backoff, options_.max_backoff}; }

  asio::any_io_executor executor_;
  conninfo info_;
  session_options session_;
  pool_options options_;
  std::string reset_statements_;
  std::vector<session_ptr> idle_;  // the last one returned is lent next, so that the others can expire
  std::list<waiter*> waiters_;     // in the order of their calls
  asio::steady_timer sweeping_;
  asio::steady_timer growing_;   // expires when the server may be up again
  asio::steady_timer returned_;  // cancelled when a session has come back, or could not be made
  std::minstd_rand random_{std::random_device{}()};
  std::size_t live_{0};  // idle, lent or being cleaned
  std::size_t connecting_{0};
  std::size_t reserved_{0};
  back_off rounds_;          // pauses between rounds of attempts while the server is down
  std::size_t promised_{0};  // statements that still have to be sent
  clock::time_point down_until_{};
  std::optional<error> last_failure_;
  bool closed_{false};
  bool is_warm_{false};
  bool sweeps_{false};
  pool_stats counted_;
};

class session_pool::room {
 public:
  explicit room(std::shared_ptr<session_pool> of) noexcept : of_{std::move(of)} { ++of_->reserved_; }
  ~room() {
    if (of_ != nullptr) --of_->reserved_;
  }
  room(room&&) noexcept = default;
  room& operator=(room&&) = delete;
  room(const room&) = delete;
  room& operator=(const room&) = delete;

 private:
  std::shared_ptr<session_pool> of_;
};

}  // namespace sluice::wire
