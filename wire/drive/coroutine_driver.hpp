#pragma once
/// @file
/// What waits in a coroutine. Asio reports a cancelled coroutine in words of its own, and at its next wait; here that
/// becomes an answer, or our error.

#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include "transport/link.hpp"

namespace sluice::wire {

/// Waits for something whose result is stored elsewhere.
/// @return false if this coroutine was cancelled before it could wait, while it waited, or just as the wait ended
[[nodiscard]] asio::awaitable<bool> uncancelled(asio::awaitable<void> wait);
/// The same until the timer expires or is cancelled; whoever cancels it records the reason elsewhere.
[[nodiscard]] asio::awaitable<bool> wait_for(asio::steady_timer& timer);

/// Waits until something arrives on `io`, where no conversation is under way, or until `latest`.
/// @return `cut_off` also for a coroutine that was cancelled as above
[[nodiscard]] asio::awaitable<link::wait_end> ready_by(link& io, clock::time_point latest);

/// Shows a conversation what arrives on `io`, until it is over. Others run when its turn is over, however much there is
/// to read. A conversation has
///
///     bool advance()   processes what has arrived; whether it is over
///     bool move()      moves bytes without waiting; whether it moved any. Throws when nothing more will arrive
///
/// @par Errors  throws error: deadline_exceeded, cancelled; what the conversation throws
template <class Conversation>
asio::awaitable<void> run(link& io, Conversation& conversation) {
  while (!conversation.advance()) {
    const bool has_moved = conversation.move();
    if (has_moved && !io.turn_is_over()) continue;
    link::waiting mine;
    co_await io.ready(mine);
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    io.check_wait(mine, asked);
  }
}

}  // namespace sluice::wire
