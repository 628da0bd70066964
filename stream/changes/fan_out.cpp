#include "changes/fan_out.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/error.hpp>

#include "api/raised.hpp"
#include "drive/coroutine_driver.hpp"

namespace sluice::detail {

namespace {

std::exception_ptr slowness(const subscription& of, std::string_view consequence) {
  return std::make_exception_ptr(
      error{errc::stream_too_large, "the subscriber was too slow: " + std::to_string(of.queued_events()) +
                                        " changes of " + std::to_string(of.queued_bytes()) +
                                        " bytes were waiting for it, and it was not waiting for them; " +
                                        std::string{consequence}});
}

bool is_live(const std::shared_ptr<subscription>& each) noexcept { return each->is_live(); }

}  // namespace

fan_out::fan_out(change_stream of)
    : executor_{of.get_executor()}, stream_{std::move(of)}, room_{executor_}, done_{executor_} {}

void fan_out::start(const std::shared_ptr<fan_out>& self) {
  self->is_reading_ = true;
  asio::awaitable<void> work = read(self);
  asio::co_spawn(self->executor_, std::move(work),
                 asio::bind_cancellation_slot(self->stop_.slot(), [self](const std::exception_ptr&) {}));
}

asio::awaitable<void> fan_out::read(std::shared_ptr<fan_out> self) {
  std::exception_ptr failure;
  try {
    co_await read_on(self);
  } catch (...) {
    failure = std::current_exception();
  }
  self->end(self->is_over_ ? nullptr : failure);
  if (self->is_left_) self->stream_ = change_stream{};
  self->is_reading_ = false;
  self->done_.ring();
}

asio::awaitable<void> fan_out::read_on(std::shared_ptr<fan_out> self) {
  while (!self->is_over_) {
    while (!self->may_read()) {
      self->is_pausing_ = true;
      asio::awaitable<void> room = self->room_.rung();
      const bool goes_on = co_await wire::uncancelled(std::move(room));
      self->is_pausing_ = false;
      if (!goes_on || self->is_over_) co_return;
    }
    asio::awaitable<change_chunk> work = self->stream_.next();
    const change_chunk some = co_await std::move(work);
    if (!some) co_return;
    self->hand_out(some);
    co_await asio::post(self->executor_, asio::use_awaitable);  // the turn of those who got something
  }
}

/// Somebody has to want it, and all of those who do not lose by it have to have room. The end of a snapshot has to be
/// acknowledged before more can be read.
bool fan_out::may_read() const noexcept {
  bool is_anybody_there = false;
  for (const std::shared_ptr<subscription>& each : subscriptions_) {
    if (!each->is_live()) continue;
    is_anybody_there = true;
    const bool is_waited_for = each->how().when_full == slow_subscriber::pause || each->is_waiting();
    if (each->is_full() && is_waited_for) return false;
  }
  const bool is_end_of_snapshot = read_ != position{} && read_.index == 0 && settled_ < read_;
  return is_anybody_there && !(is_end_of_snapshot && stream_.progress().in_snapshot);
}

void fan_out::hand_out(const change_chunk& some) {
  {
    const raised handing_out{is_handing_out_};
    for (const change each : some)
      if (!hand_out(each) || is_over_) break;
  }
  read_ = std::max(read_, some.last());
  forget_left();
  settle();
}

bool fan_out::hand_out(const change& each) {
  if (each.is_running())
    throw error{errc::bad_state,
                "subscribers share whole transactions, and these come in parts: follow without"
                " change_options::streaming"};
  std::shared_ptr<const kept_change> kept;
  const changed_relation* const table = has_relation(each.operation()) ? &each.relation() : nullptr;
  has_image_ = false;
  bool has_room = true;
  for (std::size_t i = 0, count = subscriptions_.size(); i < count && !is_over_; ++i) {
    const std::shared_ptr<subscription> to = subscriptions_[i];
    if (!to->is_live() || !is_wanted(*to, each, table) || !to->is_live()) continue;
    if (to->is_full()) {
      refuse(*to);
      continue;
    }
    if (kept == nullptr) kept = keeper_.keep(each, previous_);
    to->push(kept);
    note(*to);
    has_room = has_room && !to->is_full();
  }
  previous_ = each.position();
  return has_room;
}

bool fan_out::is_wanted(subscription& by, const change& each, const changed_relation* table) {
  const subscriber_options& how = by.how();
  const bool comes_before_a_row = each.operation() == operation::schema;  // that may be behind it
  if (how.from && (comes_before_a_row ? each.position() < *how.from : each.position() <= *how.from)) return false;
  if (!how.table.empty() && (table == nullptr || !is_named(*table, how.table))) return false;
  if (by.condition() == nullptr || !has_row(each.operation())) return true;
  if (!std::exchange(has_image_, true))
    conditions_.begin(image_.of(each.operation() == operation::remove ? each.old_text() : each.text()));
  try {
    return conditions_.hold(*by.condition());
  } catch (...) {
    by.drop(std::current_exception());
    note(by);
    return false;
  }
}

void fan_out::refuse(subscription& slow) {
  const bool ends_all = slow.how().when_full == slow_subscriber::end;
  const std::exception_ptr why = slowness(slow, ends_all ? "the stream was ended because of that" : "it gets no more");
  slow.drop(why);
  note(slow);
  if (ends_all) std::rethrow_exception(why);
}

void fan_out::note(subscription& of) {
  const std::optional<position> now = of.needs_after();
  if (now == of.noted) return;
  if (now) ++needed_[*now];
  if (of.noted) {
    const auto known = needed_.find(*of.noted);
    if (--known->second == 0) needed_.erase(known);
  }
  of.noted = now;
}

void fan_out::settle() {
  if (is_over_ || std::ranges::none_of(subscriptions_, is_live)) return;
  const position safe = needed_.empty() ? read_ : std::min(read_, needed_.begin()->first);
  if (safe <= settled_) return;
  stream_.acknowledge(safe);
  settled_ = safe;
  if (is_pausing_) room_.ring();
}

asio::awaitable<change_batch> fan_out::next(std::shared_ptr<fan_out> self, std::shared_ptr<subscription> mine) {
  change_batch some;
  try {
    asio::awaitable<change_batch> work = subscription::next(std::move(mine));
    some = co_await std::move(work);
  } catch (...) {
    self->room_.ring();
    throw;
  }
  if (self->is_pausing_) self->room_.ring();
  co_return some;
}

void fan_out::acknowledge(subscription& by, position safe) {
  if (!by.acknowledge(safe))
    throw error{errc::bad_state, "the position " + safe.to_string() + " has not been handed out to this subscriber"};
  note(by);
  if (!is_handing_out_) settle();
}

std::shared_ptr<subscription> fan_out::subscribe(subscriber_options how) {
  if (failure_) std::rethrow_exception(failure_);
  if (is_over_) throw error{errc::bad_state, "the change stream has ended: there is nothing to subscribe to"};
  auto made = std::make_shared<subscription>(std::move(how), executor_);
  subscriptions_.push_back(made);
  if (is_pausing_) room_.ring();
  return made;
}

void fan_out::leave(subscription& who) noexcept {
  who.leave();
  if (is_handing_out_) return;  // it is forgotten afterwards
  forget_left();
  try {
    settle();
  } catch (const std::exception&) {  // told with the next acknowledgement
  }
  if (is_pausing_) room_.ring();
}

void fan_out::forget_left() noexcept {
  std::erase_if(subscriptions_, [&](const std::shared_ptr<subscription>& each) {
    if (each->is_live()) return false;
    note(*each);
    return true;
  });
}

std::size_t fan_out::live() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(subscriptions_, is_live));
}

asio::awaitable<void> fan_out::close(std::shared_ptr<fan_out> self) {
  if (self->is_closing_) throw error{errc::bad_state, "another call closes the stream"};
  if (self->is_left_) co_return;
  const raised closing{self->is_closing_};
  self->end(nullptr);
  self->stop_.emit(asio::cancellation_type::terminal);
  while (self->is_reading_) {
    asio::awaitable<void> done = self->done_.rung();
    const bool goes_on = co_await wire::uncancelled(std::move(done));
    if (!goes_on) self->leave();
    if (self->is_left_) throw error{errc::cancelled, "cancelled while closing"};
  }
  asio::awaitable<void> ending = self->stream_.close();
  co_await std::move(ending);
}

void fan_out::leave() noexcept {
  is_left_ = true;
  end(nullptr);
  if (!is_handing_out_) stream_ = change_stream{};  // otherwise when that is over
}

void fan_out::end(const std::exception_ptr& why) noexcept {
  if (!std::exchange(is_over_, true)) failure_ = why;
  for (const std::shared_ptr<subscription>& each : subscriptions_) each->end(failure_);
  room_.ring();
}

}  // namespace sluice::detail
