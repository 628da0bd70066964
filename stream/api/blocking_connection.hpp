#pragma once
// The session of a client, and one query on it.
#include <algorithm>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "engine/connect.hpp"
#include "engine/departure.hpp"
#include "engine/run_query.hpp"

#include "api/command_tag.hpp"
#include "api/free_session.hpp"
#include "api/leaving_query.hpp"
#include "api/new_query.hpp"
#include "api/query_list.hpp"
#include "api/running_query.hpp"
#include "api/session_options.hpp"
#include "drive/coroutine_runner.hpp"
#include "drive/thread_driver.hpp"

namespace sluice {

namespace detail {

/// A session and the private io_context on which its coroutines run. Rows do not pass through the io_context: waiting
/// for them is a poll of the socket.
class blocking_connection {
 public:
  blocking_connection(const conninfo& info, const connection_options& options)
      : session_{runner_.run(wire::connect(info, session_options_of(options)), &interrupts_)} {}
  ~blocking_connection() {
    leave_put_off();
    if (session_) session_->close();
  }
  blocking_connection(const blocking_connection&) = delete;
  blocking_connection& operator=(const blocking_connection&) = delete;

  /// The session, once a query can be started on it.
  /// @see until_free
  [[nodiscard]] const std::shared_ptr<wire::session>& ready(wire::clock::time_point asked, const query_options& options,
                                                            beginning how, wire::open_blocks::id block) {
    leave_put_off();
    wire::open_blocks& blocks = session_->engine.blocks;
    wire::deciding decision{*session_};
    if (!decision.advance()) {
      session_->io.set_deadline(latest_start(asked, options));
      wire::run(session_->io, decision, &interrupts_);
    }
    const bool has_to_wait = session_->is() == wire::session::state::leaving || blocks.is_due() ||
                             (how == beginning::on_its_own && !blocks.unsent().empty());
    if (has_to_wait)
      runner_.run(until_free(session_, asked, options, how, block), &interrupts_);
    else
      require_innermost(*session_, block);
    return session_;
  }
  /// Starts a query: encodes and sends it.
  /// @param what  a query, a command, or statements
  template <class What>
  [[nodiscard]] std::shared_ptr<running_query> begin(const What& what, const query_options& options,
                                                     wire::open_blocks::id block) {
    const auto asked = wire::clock::now();
    constexpr bool is_simple = std::is_same_v<What, std::string_view> || std::is_same_v<What, copy_from>;
    if constexpr (is_simple) require_no_server_timeout(options);
    const beginning how = is_simple ? beginning::on_its_own : beginning_of(options);
    auto query = new_query(ready(asked, options, how, block), what, options);
    query->launch(asked);
    return query;
  }
  /// Runs a coroutine that an interrupt cancels.
  void run(asio::awaitable<void> work) { runner_.run(std::move(work), &interrupts_); }
  /// What was dropped of a transaction is taken back now, if the session is free.
  void take_back() noexcept {
    if (!session_->engine.blocks.is_due() || !wire::query_reader::is_free(*session_)) return;
    try {
      runner_.run(wire::leave(wire::departure{session_, {}}), nullptr);
    } catch (...) {  // no memory for the coroutine
      session_->discard();
    }
  }
  [[nodiscard]] const std::shared_ptr<wire::session>& session() const noexcept { return session_; }
  [[nodiscard]] wire::interrupter& interrupts() noexcept { return interrupts_; }

  /// Brings a disowned query to its end. One that continues on its own can be interrupted, which cancels it.
  leaving leave(const std::shared_ptr<running_query>& query) noexcept {
    if (query->reader().is_over()) return leaving::drained;
    try {
      return runner_.run(detail::leave(query, query->depart()), query->goes_on() ? &interrupts_ : nullptr);
    } catch (...) {  // no memory for the coroutine
      session_->discard();
      query->left();
      return leaving::closed;
    }
  }
  /// The same for a dropped query, which has to wait if it is queued behind one that is still being read.
  void leave_dropped(std::shared_ptr<running_query> query) noexcept {
    query->drop();
    if (!query->is_settled() && query->reader().is_behind_another()) {
      try {
        put_off_.push_back(std::move(query));
        return;
      } catch (const std::bad_alloc&) {
        session_->discard();
      }
    }
    (void)leave(query);
    query.reset();
    leave_put_off();
    take_back();
  }

 private:
  /// Ends the queries that were put off, in the order of their message groups.
  void leave_put_off() noexcept {
    const auto is_next = [](const auto& each) { return each->is_settled() || !each->reader().is_behind_another(); };
    for (auto next = std::ranges::find_if(put_off_, is_next); next != put_off_.end();
         next = std::ranges::find_if(put_off_, is_next)) {
      const std::shared_ptr<running_query> query = std::move(*next);
      put_off_.erase(next);
      (void)leave(query);
    }
  }

  wire::interrupter interrupts_;
  wire::coroutine_runner runner_;
  std::shared_ptr<wire::session> session_;
  std::deque<std::shared_ptr<running_query>> put_off_;  // dropped while queued behind queries that are still being read
};

class blocking_query {
 public:
  /// @param query  already sent
  blocking_query(std::shared_ptr<blocking_connection> on, std::shared_ptr<running_query> query) noexcept
      : connection_{std::move(on)}, query_{std::move(query)} {}
  ~blocking_query() { connection_->leave_dropped(std::move(query_)); }
  blocking_query(const blocking_query&) = delete;
  blocking_query& operator=(const blocking_query&) = delete;

  chunk next() {
    if (query_->is_done()) return {};
    query_->enter();
    if (query_->is_satisfied()) {
      query_->finish();
      (void)leave();
      return {};
    }
    return *until([](running_query& query) { return query.advance(false); });
  }

  /// Of a COPY FROM STDIN: waits until the server wants data, and has taken all that was given to it.
  void send() {
    query_->enter();
    (void)until([](running_query& query) { return query.send(false); });
  }

  leaving leave() noexcept {
    query_->stop();
    return connection_->leave(query_);
  }

  void pause(const pause_options& how) {
    if (query_->is_done()) return;
    query_->begin_pause(how);
    (void)until([](running_query& query) { return query.settle_pause(false); });
  }
  void resume() {
    if (query_->is_paused()) query_->end_pause();
  }

  [[nodiscard]] const running_query& query() const noexcept { return *query_; }
  [[nodiscard]] const std::string& tag() noexcept { return query_->reader().tag(); }

 private:
  /// Calls `step` until it returns something, and waits for the server in between.
  template <class Step>
  std::invoke_result_t<Step, running_query&> until(Step step) {
    for (;;) {
      if (auto result = step(*query_)) return result;
      query_->wait(connection_->interrupts());
    }
  }

  std::shared_ptr<blocking_connection> connection_;
  std::shared_ptr<running_query> query_;
};

/// Runs a query, a command, or statements to their end.
template <class What>
command_result run_to_end(const std::shared_ptr<blocking_connection>& on, const What& what,
                          const query_options& options, wire::open_blocks::id block) {
  blocking_query run{on, on->begin(what, options, block)};
  (void)run.next();  // rows are skipped: this is the end
  return command_result_of(run.tag());
}

}  // namespace detail

}  // namespace sluice
