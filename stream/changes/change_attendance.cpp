// What a change stream does beside streaming: heartbeats, its slot's health, events.
#include <algorithm>
#include <utility>

#include <asio/steady_timer.hpp>

#include "api/failure_of.hpp"
#include "changes/change_source.hpp"
#include "drive/coroutine_driver.hpp"

namespace sluice::detail {

using wire::clock;

asio::awaitable<slot_lag> change_source::lag(std::shared_ptr<change_source> self) {
  second_connection on{self->where_, self->how_.connection};
  asio::awaitable<slot_lag> look = self->look_at_slot(on);
  slot_lag told = co_await std::move(look);
  co_return told;
}

slot_lag change_source::with_age(slot_lag told) const noexcept {
  const clock::time_point last{clock::duration{acknowledged_at_.load()}};
  if (receipts_ && !receipts_->now().is_all_safe)
    told.unacknowledged_for = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - last);
  return told;
}

/// A background coroutine: what is due over a second connection. A failure is no failure of the stream: the next time
/// it connects anew.
asio::awaitable<void> change_source::attend(std::shared_ptr<change_source> self) {
  asio::awaitable<void> work = self->attend_on();
  asio::awaitable<void> attending = self->attended_.unless_over(std::move(work));
  (void)co_await failure_of(std::move(attending));
}

asio::awaitable<void> change_source::attend_on() {
  const auto after = [](std::chrono::milliseconds interval) {
    return interval.count() > 0 ? wire::later(clock::now(), interval) : clock::time_point::max();
  };
  second_connection on{where_, how_.connection};
  const std::chrono::milliseconds look_interval =
      how_.connection.watch == nullptr ? std::chrono::milliseconds{} : how_.health_interval;
  clock::time_point beat_at = after(how_.heartbeat);
  clock::time_point look_at = after(look_interval);
  asio::steady_timer timer{executor_};
  for (;;) {
    timer.expires_at(std::min(beat_at, look_at));
    const bool goes_on = co_await wire::wait_for(timer);
    if (!goes_on || failure_) co_return;
    const bool is_beat = beat_at <= look_at;
    asio::awaitable<void> work = is_beat ? beat(on) : tell_of_slot(on);
    (void)co_await failure_of(std::move(work));
    (is_beat ? beat_at : look_at) = after(is_beat ? how_.heartbeat : look_interval);
  }
}

asio::awaitable<void> change_source::beat(second_connection& on) {
  std::string statement = heartbeat(how_.heartbeat_prefix);
  (void)co_await on.ask(std::move(statement));
}

asio::awaitable<void> change_source::tell_of_slot(second_connection& on) {
  asio::awaitable<slot_lag> look = look_at_slot(on);
  (void)co_await std::move(look);
}

/// The observer hears of it.
asio::awaitable<slot_lag> change_source::look_at_slot(second_connection& on) {
  asio::awaitable<slot_lag> asking = ask_health(on, slot_);
  const slot_lag told = co_await std::move(asking);
  slot_lag whole = with_age(told);
  report(change_stream_event::kind::lag, &whole);
  co_return whole;
}

void change_source::report(change_stream_event::kind what, const slot_lag* health) noexcept {
  observer* const watch = how_.connection.watch;
  if (watch == nullptr || !receipts_) return;
  const receipts::counts now = receipts_->now();
  change_stream_event event;
  event.is = what;
  event.slot = how_.slot;
  event.changes = now.changes - std::exchange(reported_, now.changes);
  event.received = now.received.value;
  event.acknowledged = now.acknowledged.value;
  event.server = now.server.value;
  event.unacknowledged_for = with_age({}).unacknowledged_for;
  if (health != nullptr) {
    event.is_active = health->is_active;
    event.wal_status = health->wal_status;
    event.retained_bytes = health->retained_bytes;
    event.is_bounded = health->safe_bytes.has_value();
    event.safe_bytes = health->safe_bytes.value_or(0);
  }
  watch->on_change_stream(event);
}

}  // namespace sluice::detail
