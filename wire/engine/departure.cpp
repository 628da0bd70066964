#include "engine/departure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include <asio/cancellation_state.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/asio_errors.hpp>

#include "drive/coroutine_driver.hpp"
#include "engine/cancel_request.hpp"
#include "engine/run_query.hpp"

namespace sluice::wire {

namespace {

using queries = std::span<query_reader* const>;

/// The end may have arrived already: checks without waiting.
bool is_nearly_over(query_reader& query) {
  if (query.advance() == query_reader::state::over) return true;
  if (query.on().io.transfer(query.wanted()) != link::moved::something) return false;
  return query.advance() == query_reader::state::over;
}

/// @param most_reads  gives up after this many reads, too
asio::awaitable<void> read_until(query_reader& query, clock::time_point when, clock::time_point deadline,
                                 std::uint64_t most_reads = std::numeric_limits<std::uint64_t>::max()) {
  link& io = query.on().io;
  io.set_deadline(std::min(when, deadline));
  try {
    co_await read_to_end(query, most_reads);
  } catch (const error& failure) {
    if (failure.code() != errc::deadline_exceeded || clock::now() >= deadline) throw;
  }
  io.set_deadline(deadline);
}

/// Until then, or until this coroutine is cancelled.
asio::awaitable<void> leave_alone(query_reader& query, clock::time_point until, std::uint64_t most_reads) {
  bool is_interrupted = false;
  try {
    co_await read_until(query, until, clock::time_point::max(), most_reads);
  } catch (const error& failure) {
    if (failure.code() != errc::cancelled) throw;
    is_interrupted = true;
  }
  if (is_interrupted) co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

/// A page soon ends on its own, and cancelling it would end the whole transaction.
clock::duration ends_soon(const query_reader& query) {
  const session& on = query.on();
  if (query.was_copying_in()) return on.patience / 2;  // CopyFail ends it, and the server may have much to read first
  if (!query.is_paged()) return {};
  return on.engine.scope.is_ending() ? std::chrono::milliseconds{50} : on.patience / 2;
}

/// @param deadline  counted anew when the query may no longer go on by itself
asio::awaitable<void> end(query_reader& query, ending& how, clock::time_point& deadline) {
  session& on = query.on();
  for (;;) {
    const clock::time_point now = clock::now();
    const bool would_hit_others = query.has_wanted_followers(now) || !query.is_first();
    const ending::action next = how.next(
        {.is_over = query.is_over(), .would_hit_others = would_hit_others, .ends_soon = ends_soon(query)}, now);
    switch (next.is) {
      case ending::action::kind::done: co_return;
      case ending::action::kind::leave_alone:
        co_await leave_alone(query, next.until, next.reads);
        deadline = from_now(on.patience);
        break;
      case ending::action::kind::read: co_await read_until(query, next.until, deadline); break;
      case ending::action::kind::cancel:
        if (on.server.backend_pid == 0) on.io.fail(errc::bad_state, "the server gave no key to cancel by");
        co_await send_cancel(on, deadline);
        break;
    }
  }
}

asio::awaitable<leaving> cancel_and_drain(queries unwanted, int& sent) {
  session& on = unwanted.front()->on();
  bool was_cancelled = false;
  clock::time_point deadline = from_now(on.patience);
  for (query_reader* const query : unwanted) {
    if (is_nearly_over(*query)) continue;
    ending how{query->given()};
    co_await end(*query, how, deadline);
    on.io.set_deadline(deadline);
    if (how.requests() == 0) continue;
    const bool hit = query->sqlstate() == "57014";
    was_cancelled = was_cancelled || hit;
    sent += how.requests();
    on.engine.cancels.sent(how.requests(), hit);
  }
  if (on.engine.cancels.may_be_on_their_way() && query_reader::is_free(on)) {
    query_reader probe{on, std::string_view{}};
    probe.abandon();  // ignores an error that it may get
    co_await read_to_end(probe);
    on.engine.cancels.have_arrived();
  }
  co_return was_cancelled ? leaving::cancelled : leaving::drained;
}

/// Whether another consumer still reads a query whose rows cannot be buffered, so that the end of these cannot be read.
bool is_in_the_way(const session& on, queries unwanted) {
  return std::ranges::any_of(on.engine.queue.all(),
                             [&](const query_conversation* each) {
                               return !each->is_paged() &&
                                      std::ranges::find(unwanted, &each->reader()) == unwanted.end();
                             }) &&
         unwanted.back()->is_paged();
}

/// Before the rest of a query that is still wanted has been sent, nothing may be sent in between.
asio::awaitable<void> until_others_are_decided(session& on, queries unwanted) {
  deciding decision{on};
  const query_conversation* const last = on.engine.queue.last();
  const bool is_wanted = last != nullptr && std::ranges::find(unwanted, &last->reader()) == unwanted.end();
  if (is_wanted) co_await run(on.io, decision);
}

asio::awaitable<leaving> leave_now(queries unwanted) {
  session& on = unwanted.front()->on();
  if (on.is_broken()) co_return leaving::closed;
  if (std::ranges::all_of(unwanted, [](const query_reader* each) { return each->is_over(); }))
    co_return leaving::drained;
  const clock::time_point began = clock::now();
  on.io.set_deadline(std::max(later(began, on.patience), unwanted.front()->given().until));
  int requests = 0;
  leaving outcome = leaving::closed;
  try {
    if (!is_in_the_way(on, unwanted)) {
      co_await until_others_are_decided(on, unwanted);
      for (query_reader* const query : unwanted) query->abandon();
      outcome = co_await cancel_and_drain(unwanted, requests);
    }
    on.io.set_deadline(clock::time_point::max());
  } catch (const std::exception&) {
    outcome = leaving::closed;  // nobody is left to receive the reason
  }
  if (outcome == leaving::closed) on.discard();
  if (on.watch != nullptr) on.watch->on_leave({.outcome = outcome, .requests = requests, .took = clock::now() - began});
  co_return outcome;
}

/// Takes back the transaction, or the part of it, that the program has dropped.
asio::awaitable<void> take_back_dropped(session& on) {
  open_blocks& blocks = on.engine.blocks;
  if (on.is_broken() || !blocks.is_due() || !query_reader::is_free(on)) co_return;
  const std::string sql = blocks.take_due();
  if (on.engine.has_lost_its_block()) co_return;
  try {
    co_await run_statements(on, sql);
  } catch (const std::exception&) {  // nobody is left to receive the reason
    on.discard();
  }
}

asio::awaitable<void> leave_when_free(std::shared_ptr<session> on) {
  const auto is_free = [&] { return query_reader::is_free(*on) && !on->engine.scope.has_portals(); };
  while (!on->is_broken() && on->engine.blocks.is_due() && !is_free()) co_await changed(*on);
  if (on->is_broken() || !on->engine.blocks.is_due()) co_return;
  departure from{on, {}};
  (void)co_await leave(std::move(from));
}

asio::awaitable<void> leave_at_once(departure from) { (void)co_await leave(std::move(from)); }

}  // namespace

departure::departure(std::shared_ptr<session> from, std::vector<query_reader*> unwanted) noexcept
    : from_{std::move(from)}, unwanted_{std::move(unwanted)} {
  from_->leaving.begin();
  if (from_->leaving.have_readers_in_the_way()) from_->io.wake();
}

departure::~departure() {
  if (from_ == nullptr) return;
  session& on = *from_;
  if (!is_done_) on.discard();
  on.leaving.end();
}

asio::awaitable<leaving> leave(departure from) {
  departure ours{std::move(from)};  // ends here, not when the caller destroys this coroutine
  session& on = ours.from();
  leaving outcome = leaving::closed;
  try {
    while (!on.leaving.may_proceed()) co_await changed(on);
    const departures::turn mine{on.leaving};
    outcome = leaving::drained;
    if (!ours.unwanted().empty()) outcome = co_await leave_now(ours.unwanted());
    co_await take_back_dropped(on);
    ours.is_done();
  } catch (const std::exception&) {  // out of memory, or this coroutine was cancelled and can no longer wait
    outcome = leaving::closed;
  }
  co_return outcome;
}

void take_back(const std::shared_ptr<session>& on) noexcept {
  if (on->is_broken() || !on->engine.blocks.is_due()) {
    on->leaving.tell();  // a pool may be waiting for the transaction to end
    return;
  }
  const bool is_free = query_reader::is_free(*on) && !on->engine.scope.has_portals();
  try {
    if (is_free)
      asio::co_spawn(on->io.get_executor(), leave_at_once(departure{on, {}}), asio::detached);
    else
      asio::co_spawn(on->io.get_executor(), leave_when_free(on), asio::detached);
  } catch (...) {  // no memory for the coroutine
    on->discard();
  }
}

asio::awaitable<void> changed(session& on, clock::time_point latest) {
  using namespace asio::experimental::awaitable_operators;
  asio_code ignored;
  if (latest == clock::time_point::max()) {
    co_await on.leaving.news().async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return;
  }
  asio_code also_ignored;
  asio::steady_timer late{on.io.get_executor(), latest};
  co_await (on.leaving.news().async_wait(asio::redirect_error(asio::use_awaitable, ignored)) ||
            late.async_wait(asio::redirect_error(asio::use_awaitable, also_ignored)));
}

bool is_being_left(const session& on) noexcept {
  return on.is() == session::state::leaving || query_reader::will_be_free(on);
}

asio::awaitable<void> until_left(session& on, clock::time_point latest) {
  bool goes_on = true;
  while (goes_on && is_being_left(on) && clock::now() < latest) {
    asio::awaitable<void> news = changed(on, latest);
    goes_on = co_await uncancelled(std::move(news));
  }
  if (!goes_on) on.io.fail(errc::cancelled, "cancelled while an earlier query was being left");
  if (is_being_left(on))
    on.io.refuse(errc::deadline_exceeded, "the deadline passed while an earlier query was being left");
}

}  // namespace sluice::wire
