#include <sluice/stream/row_stream.hpp>

#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sluice/wire/leave.hpp>

#include "background.hpp"
#include "running_query.hpp"

namespace sluice {

row_stream::row_stream(std::unique_ptr<detail::running_query> query) noexcept : query_{std::move(query)} {}
row_stream::row_stream() noexcept = default;
row_stream::row_stream(row_stream&&) noexcept = default;

row_stream& row_stream::operator=(row_stream&& other) noexcept {
  if (this == &other) return *this;
  detail::leave_in_background(std::move(query_));
  query_ = std::move(other.query_);
  return *this;
}

row_stream::~row_stream() { detail::leave_in_background(std::move(query_)); }

asio::awaitable<chunk> row_stream::next() {
  if (query_ == nullptr) co_return chunk{};
  detail::running_query& query = *query_;
  query.enter();
  if (query.is_satisfied()) {
    (void)co_await cancel();
    co_return chunk{};
  }
  for (;;) {
    if (const std::optional<chunk> rows = query.advance(true)) co_return *rows;
    bool aborted = false;
    try {
      co_await query.link().ready();
    } catch (const std::system_error&) {  // Asio's way to say that this coroutine was cancelled before it could wait
      aborted = true;
    }
    if (aborted) query.link().fail(errc::cancelled, "cancelled");
    query.link().check_wait();
  }
}

asio::awaitable<leaving> row_stream::cancel() {
  if (query_ == nullptr) co_return leaving::drained;
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
  wire::session& session = query->session();
  if (query->is_settled()) {
    session.settled.cancel();  // a pool may wait for the stream to go
    return;
  }
  const auto alive = query->keep_session();
  try {
    session.is = wire::session::state::leaving;
    const asio::any_io_executor on = session.io.get_executor();
    asio::co_spawn(on, leave_owned(std::move(query)), asio::detached);
  } catch (...) {  // no memory for the coroutine
    session.discard();
  }
}

}  // namespace detail

}  // namespace sluice
