#include "changes/subscription.hpp"

#include <algorithm>
#include <utility>

#include <sluice/wire/error.hpp>

#include "api/raised.hpp"
#include "changes/change_condition.hpp"
#include "drive/coroutine_driver.hpp"
#include "query/bad_query.hpp"

namespace sluice::detail {

subscription::subscription(subscriber_options how, const asio::any_io_executor& on) : how_{std::move(how)}, bell_{on} {
  if (how_.max_events == 0 || how_.max_bytes == 0) refuse("a subscriber whose queue has no room");
  if (how_.where) condition_ = condition_on_client(*how_.where);
}

void subscription::push(std::shared_ptr<const kept_change> what) {
  const std::size_t size = what->size();
  if (queue_.empty()) first_needed_after_ = what->needed_after;
  queue_.emplace_back(std::move(what));
  bytes_ += size;
  if (queue_.size() == 1) bell_.ring();
}

void subscription::end(const std::exception_ptr& why) noexcept {
  if (!is_live_) return;
  is_live_ = false;
  failure_ = why;
  bell_.ring();
}

void subscription::drop(const std::exception_ptr& why) noexcept {
  end(why);
  queue_ = {};
  bytes_ = 0;
}

void subscription::leave() noexcept {
  is_left_ = true;
  drop(nullptr);
  bell_.ring();
}

asio::awaitable<change_batch> subscription::next(std::shared_ptr<subscription> self) {
  if (self->is_waiting_) throw error{errc::bad_state, "another call waits for the changes of this subscriber"};
  {
    const raised waiting{self->is_waiting_};
    while (self->queue_.empty() && self->is_live_) {
      asio::awaitable<void> something = self->bell_.rung();
      const bool goes_on = co_await wire::uncancelled(std::move(something));
      if (!goes_on) throw error{errc::cancelled, "cancelled while waiting for changes"};
    }
  }
  if (self->is_left_) throw error{errc::cancelled, "cancelled: the subscriber has left"};
  co_return self->take();
}

change_batch subscription::take() {
  if (queue_.empty() && failure_) std::rethrow_exception(failure_);
  change_batch taken{std::exchange(queue_, {})};
  bytes_ = 0;
  if (!taken) return taken;
  if (!safe_) safe_ = first_needed_after_;
  handed_out_ = taken.last();
  return taken;
}

bool subscription::acknowledge(position safe) noexcept {
  if (safe > handed_out_) return false;
  if (safe == handed_out_)
    safe_.reset();
  else if (safe_)
    safe_ = std::max(*safe_, safe);
  return true;
}

std::optional<position> subscription::needs_after() const noexcept {
  if (!is_live_) return std::nullopt;
  if (safe_) return safe_;
  if (!queue_.empty()) return first_needed_after_;
  return std::nullopt;
}

}  // namespace sluice::detail
