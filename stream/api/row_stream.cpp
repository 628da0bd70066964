#include <sluice/stream/row_stream.hpp>

#include <utility>

#include <asio/cancellation_state.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include "engine/leave.hpp"

#include "api/background.hpp"
#include "api/running_query.hpp"

namespace sluice {

row_stream::row_stream(query_ptr query) noexcept : query_{std::move(query)} {}
row_stream::row_stream() noexcept = default;
row_stream::row_stream(row_stream&&) noexcept = default;

row_stream& row_stream::operator=(row_stream&& other) noexcept {
  if (this == &other) return *this;
  pause_timer_ = std::move(other.pause_timer_);
  detail::leave_in_background(std::move(query_));
  query_ = std::move(other.query_);
  return *this;
}

row_stream::~row_stream() {
  pause_timer_.reset();
  detail::leave_in_background(std::move(query_));
}

namespace {

/// A coroutine that waits for rows of the session. Abandoning a query starts only once it is gone.
class reader {
 public:
  explicit reader(wire::session& on) noexcept : on_{on} { ++on_.readers; }
  ~reader() {
    --on_.readers;
    if (on_.is == wire::session::state::leaving) on_.settled.cancel();
  }
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

 private:
  wire::session& on_;
};

/// Evaluates how a wait ended.
void end_wait(detail::running_query& query, bool aborted, const asio::cancellation_state& asked) {
  if (aborted) query.fail_cancelled();
  query.check_wait(asked);
}

bool is_being_left(detail::running_query& query) noexcept {
  return query.session().is == wire::session::state::leaving;
}

}  // namespace

asio::awaitable<chunk> row_stream::next() { return next_of(query_); }

asio::awaitable<chunk> row_stream::next_of(query_ptr owned) {
  if (owned == nullptr || owned->is_done()) co_return chunk{};
  detail::running_query& query = *owned;
  if (is_being_left(query))
    co_await wire::until_left(query.session(), query.ends());  // another stream of this connection
  query.enter();
  if (query.is_satisfied()) {
    query.finish();
    (void)co_await cancel_of(owned);
    co_return chunk{};
  }
  for (;;) {
    if (const std::optional<chunk> rows = query.advance(true)) co_return *rows;
    bool aborted = false;
    try {
      const reader waiting{query.session()};
      co_await query.link().ready();      // no wrapper coroutine of our own: Asio caches only so many frames for reuse
    } catch (const std::system_error&) {  // how Asio reports that this coroutine was cancelled before it could wait
      aborted = true;
    }
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    end_wait(query, aborted, asked);
    if (is_being_left(query)) co_await wire::until_left(query.session(), query.ends());
  }
}

/// Reads what is already on its way.
asio::awaitable<void> row_stream::moved(query_ptr owned) {
  detail::running_query& query = *owned;
  while (!query.settle_pause(true)) {
    bool aborted = false;
    try {
      const reader waiting{query.session()};
      co_await query.link().ready();
    } catch (const std::system_error&) {
      aborted = true;
    }
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    end_wait(query, aborted, asked);
    if (is_being_left(query)) co_await wire::until_left(query.session(), query.ends());
  }
}

asio::awaitable<void> row_stream::pause(pause_options how) {
  if (query_ == nullptr) throw error{errc::bad_state, "an empty stream cannot pause"};
  if (pause_timer_ == nullptr) pause_timer_ = std::make_shared<asio::steady_timer>(get_executor());
  return pause_for(query_, how, std::string{how.reason}, pause_timer_);
}

asio::awaitable<void> row_stream::pause_for(query_ptr owned, pause_options how, std::string reason,
                                            std::shared_ptr<asio::steady_timer> timer) {
  how.reason = reason;
  detail::running_query& query = *owned;
  co_await wire::until_left(query.session(), query.ends());
  query.begin_pause(how);
  co_await moved(owned);
  if (query.pause_ends() == wire::clock::time_point::max()) co_return;
  timer->expires_at(query.pause_ends());
  // The stream owns the timer and the query, so the handler must not touch either once it is gone.
  timer->async_wait([weak = std::weak_ptr{timer}, query = std::weak_ptr{owned}](std::error_code stopped) {
    const auto paused = query.lock();
    if (!stopped && !weak.expired() && paused != nullptr) paused->pause_expired();
  });
}

void row_stream::resume() {
  if (query_ == nullptr || !query_->is_paused()) return;
  if (pause_timer_ != nullptr) pause_timer_->cancel();
  query_->end_pause();
}

asio::awaitable<leaving> row_stream::cancel() { return cancel_of(query_); }

asio::awaitable<leaving> row_stream::cancel_of(query_ptr query) {
  if (query == nullptr) co_return leaving::drained;
  query->stop();
  wire::departure from{query->keep_session()};
  const leaving how = co_await wire::leave(std::move(from), query->exchange());
  co_return how;
}

stream_stats row_stream::stats() const { return query_ == nullptr ? stream_stats{} : query_->stats(); }
asio::any_io_executor row_stream::get_executor() const {
  if (query_ == nullptr) throw error{errc::bad_state, "an empty stream has no executor"};
  return query_->link().get_executor();
}

namespace detail {

namespace {
asio::awaitable<void> leave_owned(std::shared_ptr<running_query> query, wire::departure from) {
  (void)co_await wire::leave(std::move(from), query->exchange());
  query->left();
}
}  // namespace

void leave_in_background(std::shared_ptr<running_query> query) noexcept {
  if (query == nullptr) return;
  const auto alive = query->keep_session();
  query->drop();
  if (query->is_settled()) {
    query->left();
    if (alive->readers != 0) alive->io.wake();
    query.reset();
    alive->settled.cancel();  // a pool may be waiting for the stream to end
    return;
  }
  try {
    wire::departure from{alive};
    const asio::any_io_executor on = alive->io.get_executor();
    asio::co_spawn(on, leave_owned(std::move(query), std::move(from)), asio::detached);
  } catch (...) {  // no memory for the coroutine
    alive->discard();
  }
}

}  // namespace detail

}  // namespace sluice
