#include "api/pause_for.hpp"

#include <string>

#include <asio/cancellation_state.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/error.hpp>
#include "transport/deadline.hpp"

namespace sluice::detail {

asio::awaitable<void> pause_for(std::chrono::milliseconds time, std::string_view words) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  asio::steady_timer timer{on, wire::from_now(time)};
  std::error_code stopped;
  bool aborted = false;
  try {
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, stopped));
  } catch (const std::system_error&) {  // how Asio reports that this coroutine was cancelled before it could wait
    aborted = true;
  }
  const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
  aborted = aborted || asked.cancelled() != asio::cancellation_type::none;
  if (aborted || stopped) throw error{errc::cancelled, std::string{words}};
}

}  // namespace sluice::detail
