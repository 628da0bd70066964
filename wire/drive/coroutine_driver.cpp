#include "drive/coroutine_driver.hpp"

#include <utility>

#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/asio_errors.hpp>

namespace sluice::wire {

asio::awaitable<bool> uncancelled(asio::awaitable<void> wait) {
  bool is_aborted = false;
  try {
    co_await std::move(wait);
  } catch (const asio_failure& failure) {  // thrown by Asio if this coroutine was cancelled before it could wait
    if (failure.code() != asio::error::operation_aborted) throw;
    is_aborted = true;
  }
  const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
  co_return !is_aborted && asked.cancelled() == asio::cancellation_type::none;
}

asio::awaitable<bool> wait_for(asio::steady_timer& timer) {
  asio_code ignored;
  asio::awaitable<void> end = timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const bool goes_on = co_await uncancelled(std::move(end));
  co_return goes_on;
}

asio::awaitable<link::wait_end> ready_by(link& io, clock::time_point latest) {
  io.set_deadline(latest);
  link::waiting mine;
  asio::awaitable<void> ready = io.ready(mine);
  const bool goes_on = co_await uncancelled(std::move(ready));
  const link::wait_end how = io.end_wait(mine);
  io.set_deadline(clock::time_point::max());
  co_return goes_on ? how : link::wait_end::cut_off;
}

}  // namespace sluice::wire
