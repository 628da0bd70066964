#include "cache/invalidation_feed.hpp"

#include <exception>
#include <utility>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/asio_errors.hpp>

namespace sluice::detail {

invalidation_feed::invalidation_feed(std::shared_ptr<cache_core> to, wire::back_off pauses)
    : to_{std::move(to)}, from_the_start_{pauses}, pause_{to_->executor()} {}

void invalidation_feed::begin(const std::shared_ptr<invalidation_feed>& self) {
  self->to_->listen_with(*self);
  try {
    // Asio clears the slot when the coroutine is over: until then its signal has to live.
    const auto done = [self](const std::exception_ptr&) {};
    asio::co_spawn(self->executor(), run(self), asio::bind_cancellation_slot(self->stop_.slot(), done));
  } catch (...) {
    self->leave();
    throw;
  }
}

void invalidation_feed::leave() noexcept {
  is_over_ = true;
  hears_ = false;
  unplug();
  stop_.emit(asio::cancellation_type::terminal);  // what it waits for
  to_->forget_ear();
}

asio::awaitable<void> invalidation_feed::run(std::shared_ptr<invalidation_feed> self) {
  wire::back_off pauses = self->from_the_start_;
  while (!self->is_over_) {
    self->has_heard_ = false;
    try {
      asio::awaitable<void> hearing = self->hear_on();
      co_await std::move(hearing);
    } catch (const std::exception& why) {
      self->deafen(why.what());
    }
    if (self->is_over_) break;
    if (self->has_heard_) pauses = self->from_the_start_;
    self->pause_.expires_after(pauses.next());
    wire::asio_code ignored;
    co_await self->pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void invalidation_feed::hears_now() {
  has_heard_ = hears_ = true;
  to_->hears_now();
}

void invalidation_feed::deafen(std::string_view why) {
  const bool is_consequence = has_heard_ && !hears_;
  hears_ = false;
  unplug();
  if (is_over_ || is_consequence) return;
  failure_ = why;
  to_->is_deaf();
}

void invalidation_feed::invalidate(std::string_view tag) {
  if (tag.empty())
    to_->invalidate_all();
  else
    to_->invalidate(tag);
}

}  // namespace sluice::detail
