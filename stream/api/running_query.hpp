#pragma once
// One running query: the exchange, its deadlines, limits and statistics. Both APIs, coroutine and blocking, add the
// waiting.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/stream/chunk.hpp>
#include <sluice/stream/options.hpp>
#include <sluice/stream/pause.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/stream/stats.hpp>
#include "engine/exchange.hpp"
#include "engine/leave.hpp"

#include "api/query_report.hpp"
#include "query/client_filter.hpp"
#include "query/client_part.hpp"
#include "query/result_shape.hpp"
#include "rows/object_rows.hpp"

namespace sluice::detail {

// The latest time at which a query requested at `asked` may start.
[[nodiscard]] wire::clock::time_point latest_start(wire::clock::time_point asked,
                                                   const query_options& options) noexcept;

class running_query {
 public:
  // Encodes the query; `launch` sends it.
  running_query(std::shared_ptr<wire::session> on, const query& what, const query_options& options);
  running_query(std::shared_ptr<wire::session> on, std::string_view statements, const query_options& options);
  // For a query queued behind another one, which need not be over.
  running_query(const running_query& before, const query& what, const query_options& options);

  // Sends what can be sent without waiting. The query's time counts from when it was requested.
  void launch(wire::clock::time_point asked = wire::clock::now());
  // The same for a query that was sent earlier, behind another one that is now over.
  void take_turn();

  // The consumer asks for more: this ends its own time, and a pause if there is one.
  void enter();
  // The next rows, the end (an empty chunk), or nothing: then wait until the link is ready and call again. With
  // `polite`, it also returns nothing when it is time to let other coroutines run.
  std::optional<chunk> advance(bool polite);

  // Requests no more pages. Then call `settle_pause` until it returns true, waiting in between; `polite` as above.
  void begin_pause(const pause_options& how);
  bool settle_pause(bool polite);
  void end_pause();
  // The pause's time limit has passed.
  void pause_expired() noexcept;
  [[nodiscard]] bool is_paused() const noexcept { return pause_.has_value(); }
  // The deadline as it stands now.
  [[nodiscard]] wire::clock::time_point ends() const noexcept { return nearest_limit().when; }
  [[nodiscard]] wire::clock::time_point pause_ends() const noexcept;

  [[nodiscard]] wire::link& link() noexcept { return session_->io; }
  [[nodiscard]] wire::exchange& exchange() noexcept { return *exchange_; }
  [[nodiscard]] wire::session& session() noexcept { return *session_; }
  [[nodiscard]] std::shared_ptr<wire::session> keep_session() const noexcept { return session_; }
  // Leaving another query has changed the link's deadline: sets this one's again.
  void keep_deadline() noexcept { set_deadline(); }
  // Evaluates how a coroutine's wait for the link ended; throws.
  void check_wait(const asio::cancellation_state& asked);
  // The coroutine was cancelled before it could wait.
  [[noreturn]] void fail_cancelled();
  // Blocks the thread until the link is ready.
  void wait(wire::interrupter& interrupts);
  // Nothing remains to be cancelled: either the query or its connection is over.
  [[nodiscard]] bool is_settled() const noexcept { return exchange_->is_over() || session_->is_broken(); }
  // All rows that were wanted have been handed out; the server has yet to be stopped.
  [[nodiscard]] bool is_satisfied() const noexcept { return rest_.limit == 0U && !is_settled(); }
  [[nodiscard]] stream_stats stats() const;
  // Of a result whose columns are wanted, once rows or its end were handed out.
  [[nodiscard]] std::span<const result_column> columns() const noexcept;
  // Everything has been handed out: `next` reports the end from now on.
  [[nodiscard]] bool is_done() const noexcept { return is_ == state::done; }
  void finish() noexcept { is_ = state::done; }
  // The query is no longer wanted: `next` throws `cancelled` from now on. The code that then calls `leave` ends it on
  // the server, at once after `stop`, or as its possible side effects require after `drop`, and then calls `left`.
  void stop() noexcept { disown({}); }
  void drop() noexcept { disown(grace_when_dropped()); }
  // The same, with at least the grace of the query behind it.
  void drop_before(const running_query& next) noexcept;
  // The query continues on its own although nobody wants it.
  [[nodiscard]] bool goes_on() const noexcept { return !exchange_->is_over() && exchange_->may_go_on(); }
  void left() noexcept;
  // From now on the session is being left.
  [[nodiscard]] wire::departure depart() { return wire::departure{session_, {&*exchange_}}; }

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
  [[nodiscard]] const result_columns* handed_columns();
  void check_limits();
  std::optional<chunk> step(bool polite);
  [[nodiscard]] wire::exchange::state advance_exchange();
  [[nodiscard]] bool has_no_documents(const error& failure) const;
  bool take_rows();
  bool make_objects();
  bool select_rows();
  [[nodiscard]] object_rows::verdict judge(const row& each);
  [[noreturn]] void fail_malformed();
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  chunk hand_over(wire::exchange::state reached);
  void report_end(const error* failure, bool was_left) noexcept;

  enum class state : std::uint8_t {
    wanted,
    left,  // `next` throws `cancelled`
    done,  // everything has been handed out: `next` reports the end
  };
  // What the caller knows of the query; this decides what becomes of it when it is dropped.
  enum class seen : std::uint8_t { nothing, rows, failure };

  struct pause {
    std::chrono::milliseconds limit;
    pause_options::then after_limit;
    wire::clock::time_point since;
  };

  std::shared_ptr<wire::session> session_;
  std::optional<wire::exchange> exchange_;
  query_options limits_;
  client_part rest_{};                            // left for the client to do
  std::unique_ptr<client_filter> filter_{};       // null: the client has nothing to filter
  std::shared_ptr<const relation> undeclared_{};  // read by its columns if it has no documents
  std::string text_{};                            // of the query, while that is not known
  std::shared_ptr<result_shape> shape_{};         // null: rows are read as they come
  result_columns texts_{};                        // the columns, if their values are texts
  object_rows objects_{};
  proto::row_batch rows_{};  // to be handed out
  std::uint64_t object_bytes_{0};
  std::uint64_t unread_bytes_{0};  // of the objects that were handed out last
  wire::clock::time_point began_{wire::clock::now()};
  wire::clock::time_point left_{began_};
  wire::clock::time_point first_row_{};
  wire::clock::duration consumer_{};
  wire::clock::duration waited_before_;
  std::uint64_t reads_before_;
  std::uint64_t chunks_{0};
  bool warned_{false};
  query::shape wanted_{query::shape::document};
  query::effect effects_{query::effect::any};
  state is_{state::wanted};
  seen caller_{seen::nothing};

  std::optional<pause> pause_;
  std::string last_reason_;
  std::uint64_t pauses_{0};
  wire::clock::duration paused_{};
  bool expired_{false};  // a pause exceeded its time limit

  query_report report_{};
  wire::clock::time_point entered_{began_};
  wire::clock::duration waited_at_entry_{};
};

}  // namespace sluice::detail
