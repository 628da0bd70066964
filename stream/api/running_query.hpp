#pragma once
// One query under way: the exchange, its deadlines, its limits and its statistics. Both faces, coroutine and blocking,
// wait around it.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/stats.hpp>
#include "engine/exchange.hpp"

#include "query/client_filter.hpp"
#include "query/client_part.hpp"

namespace sluice::detail {

// The latest moment for a query to begin that is asked for at `asked`.
[[nodiscard]] wire::clock::time_point latest_start(wire::clock::time_point asked,
                                                   const query_options& options) noexcept;

class running_query {
 public:
  // Encodes the query; `launch` sends it.
  running_query(std::shared_ptr<wire::session> on, const query& what, const query_options& options);
  running_query(std::shared_ptr<wire::session> on, std::string_view statements, const query_options& options);
  // Behind another one, which need not be over.
  running_query(const running_query& before, const query& what, const query_options& options);

  // Sends what can be sent without waiting. Its time began when it was asked for.
  void launch(wire::clock::time_point asked = wire::clock::now());
  // The same when it was sent long ago, behind another one that is now over.
  void take_turn();

  // The consumer asks for more; its own time ends here, and a pause, too.
  void enter();
  // The next rows, the end (an empty chunk), or nothing: then wait until the link is ready, and come again.
  // `polite`: also nothing when it is time to let other coroutines run.
  std::optional<chunk> advance(bool polite);

  // No more pages are asked for. Then `settle_pause` until it says true, with waiting between; `polite` as above.
  void begin_pause(const pause_options& how);
  bool settle_pause(bool polite);
  void end_pause();
  // The pause's time limit is over.
  void pause_expired() noexcept;
  [[nodiscard]] bool is_paused() const noexcept { return pause_.has_value(); }
  // Its deadline as it is now.
  [[nodiscard]] wire::clock::time_point ends() const noexcept { return nearest_limit().when; }
  [[nodiscard]] wire::clock::time_point pause_ends() const noexcept;

  [[nodiscard]] wire::link& link() noexcept { return session_->io; }
  [[nodiscard]] wire::exchange& exchange() noexcept { return *exchange_; }
  [[nodiscard]] wire::session& session() noexcept { return *session_; }
  [[nodiscard]] std::shared_ptr<wire::session> keep_session() const noexcept { return session_; }
  // What a coroutine's wait for the link has come to; throws.
  void check_wait(const asio::cancellation_state& asked);
  // The coroutine was cancelled before it could wait.
  [[noreturn]] void fail_cancelled();
  // A thread's wait for the link.
  void wait(wire::interrupter& interrupts);
  // Nothing is left to be cancelled: the query is over, or its connection is.
  [[nodiscard]] bool is_settled() const noexcept {
    return exchange_->is_over() || session_->is == wire::session::state::broken;
  }
  // All rows that were wanted have been handed out, and the server is to be stopped.
  [[nodiscard]] bool is_satisfied() const noexcept { return rest_.limit == 0U && !is_settled(); }
  [[nodiscard]] stream_stats stats() const;
  // All has been handed out: `next` gives the end from now on.
  [[nodiscard]] bool is_done() const noexcept { return is_done_; }
  void finish() noexcept { is_done_ = true; }
  // Nobody wants it any more: `next` throws `cancelled` from now on. Whoever calls `leave` next ends it on the server:
  // at once, or, when it was dropped, as what it may change makes it right; and then calls `left`.
  void stop() noexcept { disown({}); }
  void drop() noexcept { disown(grace_when_dropped()); }
  // The same, no earlier than the one behind it.
  void drop_before(const running_query& next) noexcept;
  // It goes on by itself although nobody wants it.
  [[nodiscard]] bool goes_on() const noexcept { return !exchange_->is_over() && exchange_->may_go_on(); }
  void left() noexcept;

 private:
  running_query(std::shared_ptr<wire::session> on, const query_options& options);
  void encode(const query& what, const wire::exchange* before);
  void require_standard_strings(const query& what) const;
  void note_text(std::string_view text, bool was_prepared);
  template <class Call>
  void noting_failure(const Call& call);
  struct limit {
    wire::clock::time_point when;
    std::string_view words;
  };
  [[nodiscard]] limit nearest_limit() const noexcept;
  void set_deadline() noexcept;
  void require_wanted() const;
  void disown(wire::exchange::grace given) noexcept;
  [[nodiscard]] wire::exchange::grace grace_when_dropped() const noexcept;
  void check_limits();
  std::optional<chunk> step(bool polite);
  bool select_rows();
  chunk hand_over(wire::exchange::state state);
  [[nodiscard]] query_event event() const noexcept;
  void report_end(const error* failure, bool was_left) noexcept;

  struct pause {
    std::chrono::milliseconds limit;
    pause_options::then after_limit;
    wire::clock::time_point since;
  };

  std::shared_ptr<wire::session> session_;
  std::optional<wire::exchange> exchange_;
  query_options limits_;
  client_part rest_{};                       // what the server has not done
  std::unique_ptr<client_filter> filter_{};  // null: nothing is left to do
  wire::clock::time_point began_{wire::clock::now()};
  wire::clock::time_point left_{began_};
  wire::clock::time_point first_row_{};
  wire::clock::duration consumer_{};
  wire::clock::duration waited_before_;
  std::uint64_t reads_before_;
  std::uint64_t chunks_{0};
  bool warned_{false};
  query::effect effects_{query::effect::any};
  bool was_asked_{false};   // for rows
  bool has_failed_{false};  // and the caller knows
  bool is_done_{false};
  bool is_left_{false};

  std::optional<pause> pause_;
  std::string last_reason_;
  std::uint64_t pauses_{0};
  wire::clock::duration paused_{};
  bool expired_{false};  // a pause took longer than it might

  // Only while an observer watches:
  std::string text_;
  bool was_prepared_{false};
  bool reported_{true};
  wire::clock::time_point entered_{began_};
  wire::clock::duration waited_at_entry_{};
};

}  // namespace sluice::detail
