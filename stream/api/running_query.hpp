#pragma once
// One running query: its reader, its rows, deadlines, limits and statistics. Both APIs, coroutine and blocking, add the
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
#include "engine/departure.hpp"
#include "engine/query_reader.hpp"

#include "api/query_clock.hpp"
#include "api/query_report.hpp"
#include "api/query_spans.hpp"
#include "api/result_rows.hpp"

namespace sluice::detail {

// The latest time at which a query requested at `asked` may start.
[[nodiscard]] wire::clock::time_point latest_start(wire::clock::time_point asked,
                                                   const query_options& options) noexcept;

// What remains of a time limit for something that was begun at `began`; zero means no limit.
[[nodiscard]] std::chrono::milliseconds rest_of(std::chrono::milliseconds limit, wire::clock::time_point began);

// A query of which only the outcome is wanted.
struct command {
  const query& what;
};

// The same for several rows of values, which stand one after the other.
struct repeated_command {
  std::string_view text;
  std::span<const std::uint32_t> types;
  std::span<const bind_value> values;
  std::size_t rows;
  bool each_by_itself;
};

// A COPY FROM STDIN.
struct copy_from {
  std::string_view statement;
};

class running_query {
 public:
  // Encodes the query; `launch` sends it.
  running_query(std::shared_ptr<wire::session> on, const query& what, const query_options& options);
  running_query(std::shared_ptr<wire::session> on, query&& what, const query_options& options);
  running_query(std::shared_ptr<wire::session> on, command what, const query_options& options);
  running_query(std::shared_ptr<wire::session> on, const repeated_command& what, const query_options& options);
  running_query(std::shared_ptr<wire::session> on, copy_from what, const query_options& options);
  running_query(std::shared_ptr<wire::session> on, std::string_view statements, const query_options& options);
  // For a query queued behind another one, which need not be over.
  running_query(const running_query& before, const query& what, const query_options& options);

  // Sends what can be sent without waiting. The query's time counts from when it was requested.
  // @param begins  when nothing was in its way any more
  void launch(wire::clock::time_point asked, wire::clock::time_point begins = wire::clock::now());
  void launch() {
    const auto now = wire::clock::now();
    launch(now, now);
  }
  // The same for a query that was sent earlier, behind another one that is now over.
  void take_turn();

  // The consumer asks for more: this ends its own time, and a pause if there is one.
  void enter();
  // The next rows, the end (an empty chunk), or nothing: then wait until the link is ready and call again. With
  // `polite`, it also returns nothing when it is time to let other coroutines run.
  std::optional<chunk> advance(bool polite);

  // Of a COPY FROM STDIN: whether the server waits for data, and has got everything that was given to the reader. If
  // nothing is returned, wait until the link is ready and call again; `polite` as above.
  std::optional<bool> send(bool polite);

  // Requests no more pages. Then call `settle_pause` until it returns true, waiting in between; `polite` as above.
  void begin_pause(const pause_options& how);
  bool settle_pause(bool polite);
  void end_pause();
  // The pause's time limit has passed.
  void pause_expired() noexcept;
  [[nodiscard]] bool is_paused() const noexcept { return pause_.has_value(); }
  // The deadline as it stands now.
  [[nodiscard]] wire::clock::time_point ends() const noexcept { return clock_.nearest_limit(limits_).when; }
  [[nodiscard]] bool is_late() const noexcept { return clock_.is_late(limits_); }
  [[nodiscard]] wire::clock::time_point pause_ends() const noexcept;

  [[nodiscard]] wire::link& link() noexcept { return session_->io; }
  [[nodiscard]] wire::query_reader& reader() noexcept { return *reader_; }
  [[nodiscard]] wire::session& session() noexcept { return *session_; }
  [[nodiscard]] std::shared_ptr<wire::session> keep_session() const noexcept { return session_; }
  // Leaving another query has changed the link's deadline: sets this one's again.
  void keep_deadline() noexcept {
    clock_.time_passes();
    set_deadline();
  }
  // A coroutine's wait for the link.
  // @param mine  a new one; lives until `check_wait`
  [[nodiscard]] asio::awaitable<void> ready(wire::link::waiting& mine) { return link().ready(mine, clock_.take_now()); }
  // Evaluates how such a wait ended; throws.
  void check_wait(const wire::link::waiting& mine, const asio::cancellation_state& asked);
  // The coroutine was cancelled before it could wait.
  [[noreturn]] void fail_cancelled();
  // Blocks the thread until the link is ready.
  void wait(wire::interrupter& interrupts);
  // Nothing remains to be cancelled: either the query or its connection is over.
  [[nodiscard]] bool is_settled() const noexcept { return reader_->is_over() || session_->is_broken(); }
  // All rows that were wanted have been handed out; the server has yet to be stopped.
  [[nodiscard]] bool is_satisfied() const noexcept { return rows_.are_enough() && !is_settled(); }
  [[nodiscard]] stream_stats stats() const;
  // Of a result whose columns are wanted, once rows or its end were handed out.
  [[nodiscard]] std::span<const result_column> columns() const noexcept {
    return columns_ == nullptr ? std::span<const result_column>{} : *columns_;
  }
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
  [[nodiscard]] bool goes_on() const noexcept { return !reader_->is_over() && reader_->may_go_on(); }
  void left() noexcept;
  // From now on the session is being left.
  [[nodiscard]] wire::departure depart() { return wire::departure{session_, {&*reader_}}; }

 private:
  running_query(std::shared_ptr<wire::session> on, const query_options& options);
  void encode(const query& what, const wire::query_reader* before);
  void require_standard_strings(const query& what) const;
  void note_text(std::string_view text, bool was_prepared);
  void begin_span(std::string_view text, span_event::kind is);
  [[nodiscard]] std::string comment() const;
  template <class Call>
  void noting_failure(const Call& call);
  template <class Step>
  auto attempt(const Step& step) -> decltype(step());
  void set_deadline() noexcept;
  void require_wanted() const;
  void disown(wire::query_reader::grace given) noexcept;
  [[nodiscard]] wire::query_reader::grace grace_when_dropped() const noexcept;
  void check_limits();
  std::optional<chunk> step(bool polite);
  std::optional<bool> step_sending(bool polite);
  void note_work(std::size_t bytes) noexcept;
  [[nodiscard]] bool move(bool polite);
  [[nodiscard]] wire::query_reader::state advance_reader();
  [[nodiscard]] bool begin_instead(const error& failure);
  [[nodiscard]] bool has_no_documents(const error& failure) const;
  chunk hand_over(wire::query_reader::state reached);
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
  };

  std::shared_ptr<wire::session> session_;
  std::optional<wire::query_reader> reader_;
  query_options limits_;
  std::shared_ptr<const relation> undeclared_{};   // read by its columns if it has no documents
  std::shared_ptr<const format_choice> choice_{};  // then
  std::string text_{};                             // of a query that was given as such
  result_rows rows_{};
  const result_columns* columns_{};  // of the rows that were handed out; null: documents, or none yet
  query_clock clock_;
  query_report report_{};
  std::unique_ptr<query_spans> spans_{};                      // of a query in a trace
  std::optional<query::effect> effects_{query::effect::any};  // none: as its text says
  state is_{state::wanted};
  seen caller_{seen::nothing};
  bool warned_{false};
  bool has_just_asked_{false};

  std::optional<pause> pause_;
  std::string last_reason_;
  bool expired_{false};  // a pause exceeded its time limit
};

}  // namespace sluice::detail
