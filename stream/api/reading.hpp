#pragma once
// How a coroutine waits for a query.
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/this_coro.hpp>

#include <sluice/wire/asio_errors.hpp>

#include "engine/departure.hpp"

#include "api/leaving_query.hpp"
#include "api/running_query.hpp"

namespace sluice::detail {

inline bool is_being_left(running_query& query) noexcept {
  return query.session().is() == wire::session::state::leaving;
}

/// What to do once nothing is being left on the connection any more.
enum class begun : std::uint8_t {
  read,
  stop,  ///< all rows that were wanted have been handed out: the rest is not read
  end,
};

// For what has nothing to read, nothing to leave, nothing to send.
inline asio::awaitable<chunk> the_end() { co_return chunk{}; }
inline asio::awaitable<leaving> nothing_to_leave() { co_return leaving::drained; }
inline asio::awaitable<void> nothing_to_send() { co_return; }

/// Calls `step` until it returns something, and waits for the server in between, and for other streams of the
/// connection that are being left. Like `wire::run`, but one coroutine deep: Asio caches only so many frames for reuse.
template <class Result, class Begin, class Step>
asio::awaitable<Result> read(std::shared_ptr<running_query> owned, Begin begin, Step step) {
  running_query& query = *owned;
  if (is_being_left(query)) co_await wire::until_left(query.session(), query.ends());
  const begun how = begin(query);
  if (how == begun::stop) (void)co_await stop(owned);
  if (how != begun::read) co_return Result{};
  for (;;) {
    if (const std::optional<Result> result = step(query)) co_return *result;
    wire::link::waiting mine;
    bool is_aborted = false;
    try {
      const wire::departures::reader waiting{query.session().leaving};
      co_await query.ready(mine);
    } catch (const wire::asio_failure&) {  // how Asio reports that this coroutine was cancelled before it could wait
      is_aborted = true;
    }
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    if (is_aborted) query.fail_cancelled();
    query.check_wait(mine, asked);
    if (is_being_left(query)) {
      co_await wire::until_left(query.session(), query.ends());
      query.keep_deadline();
    }
  }
}

}  // namespace sluice::detail
