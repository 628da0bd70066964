#include <sluice/stream/row_stream.hpp>

#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>

#include <sluice/wire/leave.hpp>

#include "background.hpp"
#include "running_query.hpp"

namespace sluice {

row_stream::row_stream(std::unique_ptr<detail::running_query> query) noexcept : query_{std::move(query)} {}
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

asio::awaitable<chunk> row_stream::next() {
  if (query_ == nullptr) co_return chunk{};
  detail::running_query& query = *query_;
  if (query.session().is == wire::session::state::leaving)  // another stream of this connection
    co_await wire::until_left(query.session());
  query.enter();
  if (query.is_satisfied()) {
    (void)co_await cancel();
    co_return chunk{};
  }
  for (;;) {
    if (const std::optional<chunk> rows = query.advance(true)) co_return *rows;
    bool aborted = false;
    try {
      co_await query.link().ready();      // no coroutine of our own around it: Asio keeps only so many frames for reuse
    } catch (const std::system_error&) {  // Asio's way to say that this coroutine was cancelled before it could wait
      aborted = true;
    }
    if (aborted) query.link().fail(errc::cancelled, "cancelled");
    query.link().check_wait();
  }
}

/// Reads what is under way.
asio::awaitable<void> row_stream::moved(detail::running_query& query) {
  bool aborted = false;
  try {
    while (!query.settle_pause(true)) {
      co_await query.link().ready();
      query.link().check_wait();
    }
  } catch (const error&) {
    throw;
  } catch (const std::system_error&) {
    aborted = true;
  }
  if (aborted) query.link().fail(errc::cancelled, "cancelled");
}

asio::awaitable<void> row_stream::pause(pause_options how) { return pause_for(how, std::string{how.reason}); }

asio::awaitable<void> row_stream::pause_for(pause_options how, std::string reason) {
  how.reason = reason;
  if (query_ == nullptr) throw error{errc::bad_state, "an empty stream cannot pause"};
  detail::running_query& query = *query_;
  co_await wire::until_left(query.session());
  query.begin_pause(how);
  co_await moved(query);
  if (query.pause_ends() == wire::clock::time_point::max()) co_return;
  if (pause_timer_ == nullptr) pause_timer_ = std::make_shared<asio::steady_timer>(get_executor());
  pause_timer_->expires_at(query.pause_ends());
  // The stream owns the timer and the query: what is gone is not touched.
  pause_timer_->async_wait([timer = std::weak_ptr{pause_timer_}, &query](std::error_code stopped) {
    if (!stopped && !timer.expired()) query.pause_expired();
  });
}

void row_stream::resume() {
  if (query_ == nullptr || !query_->is_paused()) return;
  if (pause_timer_ != nullptr) pause_timer_->cancel();
  query_->end_pause();
}

asio::awaitable<leaving> row_stream::cancel() {
  if (query_ == nullptr) co_return leaving::drained;
  query_->leaving();
  wire::announce_leave(query_->session());
  co_return co_await wire::leave(query_->exchange(), query_->patience());
}

stream_stats row_stream::stats() const { return query_ == nullptr ? stream_stats{} : query_->stats(); }
asio::any_io_executor row_stream::get_executor() const { return query_->link().get_executor(); }

namespace detail {

namespace {
asio::awaitable<void> leave_owned(std::unique_ptr<running_query> query) {
  (void)co_await wire::leave(query->exchange(), query->patience());
}
}  // namespace

void leave_in_background(std::unique_ptr<running_query> query) noexcept {
  if (query == nullptr) return;
  const auto alive = query->keep_session();
  wire::session& session = *alive;
  if (query->is_settled()) {
    query->leaving();
    query.reset();
    alive->settled.cancel();  // a pool may wait for the stream to go
    return;
  }
  try {
    query->leaving();
    wire::announce_leave(session);
    const asio::any_io_executor on = session.io.get_executor();
    asio::co_spawn(on, leave_owned(std::move(query)), asio::detached);
  } catch (...) {  // no memory for the coroutine
    session.discard();
  }
}

}  // namespace detail

}  // namespace sluice
