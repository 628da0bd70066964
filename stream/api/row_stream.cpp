#include <sluice/stream/row_stream.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <asio/steady_timer.hpp>

#include "engine/departure.hpp"

#include "api/leaving_query.hpp"
#include "api/reading.hpp"
#include "api/run_to_end.hpp"
#include "api/running_query.hpp"

namespace sluice {

using detail::begun;
using detail::read;

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

begun begin_next(detail::running_query& query) {
  if (query.is_done()) return begun::end;
  query.enter();
  if (!query.is_satisfied()) return begun::read;
  query.finish();
  return begun::stop;
}

}  // namespace

asio::awaitable<void> detail::run_to_end(std::shared_ptr<running_query> query) {
  row_stream results{std::move(query)};
  const chunk none = co_await results.next();
  (void)none;  // rows are skipped: this is the end
}

asio::awaitable<std::optional<error>> detail::failure_at_end(std::shared_ptr<running_query> query) {
  std::optional<error> failure;
  try {
    co_await run_to_end(std::move(query));
  } catch (const error& why) {
    failure = why;
  }
  co_return failure;
}

asio::awaitable<chunk> row_stream::next() {
  if (query_ == nullptr || query_->is_done()) return detail::the_end();
  return read<chunk>(query_, begin_next, [](detail::running_query& query) { return query.advance(true); });
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
  if (query.is_done()) co_return;  // its connection may be somebody else's by now
  co_await wire::until_left(query.session(), query.ends());
  query.begin_pause(how);
  asio::awaitable<bool> settled = read<bool>(
      owned, [](detail::running_query&) { return begun::read; },
      [](detail::running_query& each) { return each.settle_pause(true) ? std::optional{true} : std::nullopt; });
  (void)co_await std::move(settled);
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

asio::awaitable<leaving> row_stream::cancel() {
  if (query_ == nullptr) return detail::nothing_to_leave();
  return detail::stop(query_);
}

std::span<const result_column> row_stream::columns() const noexcept {
  return query_ == nullptr ? std::span<const result_column>{} : query_->columns();
}
stream_stats row_stream::stats() const { return query_ == nullptr ? stream_stats{} : query_->stats(); }
asio::any_io_executor row_stream::get_executor() const {
  if (query_ == nullptr) throw error{errc::bad_state, "an empty stream has no executor"};
  return query_->link().get_executor();
}

}  // namespace sluice
