// The part of a cached stream that sends a query: who sends it, who waits for whom, and what is stored.
#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include <asio/cancellation_state.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/asio_errors.hpp>

#include "transport/deadline.hpp"

#include "cache/cached_rows.hpp"
#include "cache/known_reads.hpp"

namespace sluice::detail {

namespace {

std::chrono::milliseconds rest_of(std::chrono::milliseconds limit, std::chrono::steady_clock::duration gone) {
  if (limit.count() <= 0) return limit;
  return std::max(limit - std::chrono::floor<std::chrono::milliseconds>(gone), std::chrono::milliseconds{1});
}

}  // namespace

void cached_rows::require_wanted() const {
  if (is_ == state::left) throw error{errc::cancelled, "cancelled: the stream was left"};
}

asio::awaitable<chunk> cached_rows::begin(std::shared_ptr<cached_rows> self) {
  cached_rows& me = *self;
  me.began_ = clock::now();
  me.is_ = state::deciding;
  try {
    co_await decide(self);
  } catch (...) {
    if (me.is_ == state::deciding) me.is_ = state::asked;  // nothing was sent
    throw;
  }
  if (me.is_ != state::sent) co_return me.rows_of_hit();
  const chunk rows = co_await go_on(std::move(self));
  co_return rows;
}

/// Ends with a hit, or with a query that was sent.
asio::awaitable<void> cached_rows::decide(std::shared_ptr<cached_rows> self) {
  cached_rows& me = *self;
  cache_core& core = *me.core_;
  const bool refreshes = me.asked_.how == cache_use::mode::refresh;
  query_key key;
  if (!me.may_be_stored() || !me.write_key(key) || !is_known_read(me.asked_.what, me.asked_.only_reads)) {
    me.pass();
    co_return;
  }
  std::string flight_key = std::to_string(key.statement.size()) + ':' + key.statement + key.values;
  const clock::time_point deadline = std::min(wire::limit_after(me.began_, me.asked_.options.timeout),
                                              wire::limit_after(me.began_, me.asked_.options.first_row_timeout));
  const clock::time_point patience = wire::later(me.began_, core.options().max_wait);
  for (;;) {
    if (!refreshes && me.take(key, me.waited_.count() == 0 ? kind::hit : kind::wait_hit)) co_return;
    const std::shared_ptr<flight> other = core.queries().find(flight_key);
    if (other == nullptr || refreshes) {
      me.lead(key, std::move(flight_key));
      co_return;
    }
    if (me.take(key, kind::stale_hit)) co_return;
    if (clock::now() >= patience) break;
    co_await wait(self, other, std::min(patience, deadline));
    me.waited_ = std::max(clock::now() - me.began_, clock::duration{1});
    me.require_wanted();
    if (clock::now() >= deadline)
      throw error{errc::deadline_exceeded, "the time ran out while another call's query was awaited"};
    const bool is_too_old = other->ended() == flight::outcome::stored && !me.take(key, kind::wait_hit);
    if (me.is_ != state::deciding) co_return;
    if (is_too_old || other->ended() == flight::outcome::unsuitable || !core.is_usable()) break;
  }
  me.pass();
}

asio::awaitable<void> cached_rows::wait(std::shared_ptr<cached_rows> self, std::shared_ptr<flight> other,
                                        clock::time_point until) {
  asio::steady_timer& timer = self->timer_.emplace(self->core_->executor(), until);
  other->wake_with(timer);
  bool is_aborted = false;
  try {
    wire::asio_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  } catch (const wire::asio_failure&) {  // how Asio reports that this coroutine was cancelled before it could wait
    is_aborted = true;
  }
  other->forget(timer);
  const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
  if (is_aborted || asked.cancelled() != asio::cancellation_type::none)
    throw error{errc::cancelled, "cancelled while another call's query was awaited"};
}

/// Sends the query; others that want its result wait.
void cached_rows::lead(const query_key& key, std::string flight_key) {
  store& results = core_->results();
  auto begun = std::make_unique<filling>();
  const std::vector<std::string> tags = tags_of(asked_.what, asked_.tags);
  begun->fill = results.begin_fill(key.statement, tags, key.values, clock::now());
  core_->changed();
  if (begun->fill.of == nullptr) return pass();
  try {
    begun->others = core_->queries().begin(flight_key);
    begun->key = std::move(flight_key);
    filling_ = std::move(begun);
    core_->report(kind::miss, {}, waited_);
    send();
  } catch (...) {
    if (begun != nullptr) results.give_up(begun->fill);
    end_filling(kind::discarded, flight::outcome::failed);
    throw;
  }
}

/// Sends the query; its result is not recorded.
void cached_rows::pass() {
  core_->report(kind::bypass, {}, waited_);
  send();
}

void cached_rows::send() {
  query_options rest = asked_.options;
  const clock::duration gone = waited_;
  rest.timeout = rest_of(rest.timeout, gone);
  rest.first_row_timeout = rest_of(rest.first_row_timeout, gone);
  is_ = state::left;  // if there is no memory
  inner_ = result_cache::send(*core_, std::move(asked_.what), rest, asked_.retry);
  is_ = state::sent;
}

asio::awaitable<chunk> cached_rows::go_on(std::shared_ptr<cached_rows> self) {
  cached_rows& me = *self;
  me.record();
  chunk rows;
  try {
    asio::awaitable<chunk> more = me.inner_->next();
    rows = co_await std::move(more);
  } catch (...) {
    me.end_filling(kind::discarded, flight::outcome::failed);
    throw;
  }
  if (me.filling_ == nullptr) co_return rows;
  if (rows)
    me.filling_->unread = rows;
  else
    me.store_recorded();
  co_return rows;
}

/// Copies the chunk that was handed out last, which is about to become invalid.
void cached_rows::record() noexcept {
  if (filling_ == nullptr) return;
  const chunk rows = std::exchange(filling_->unread, chunk{});
  bool has_room = false;
  try {
    has_room = filling_->rows.take(rows, core_->results(), filling_->fill);
    core_->changed();
  } catch (const std::exception&) {  // no memory
  }
  if (!has_room) end_filling(kind::outgrown, flight::outcome::unsuitable);
}

void cached_rows::store_recorded() noexcept {
  store::added how = store::added::no_room;
  try {
    const std::span<const result_column> columns = inner_->columns();
    const result_columns own{columns.begin(), columns.end()};
    how = core_->results().add(filling_->fill, filling_->rows.rows(), own.empty() ? nullptr : &own);
    core_->changed();
  } catch (const std::exception&) {  // no memory
  }
  switch (how) {
    case store::added::stored: return end_filling(kind::stored, flight::outcome::stored);
    case store::added::superseded: return end_filling(kind::discarded, flight::outcome::stored);
    case store::added::invalidated: return end_filling(kind::discarded, flight::outcome::failed);
    case store::added::too_large:
    case store::added::no_room: break;
  }
  end_filling(kind::outgrown, flight::outcome::unsuitable);
}

void cached_rows::end_filling(kind how, flight::outcome outcome) noexcept {
  const std::unique_ptr<filling> ended = std::move(filling_);
  if (ended == nullptr) return;
  core_->results().give_up(ended->fill);
  core_->queries().end(ended->key, *ended->others, outcome);
  core_->report(how);
}

}  // namespace sluice::detail
