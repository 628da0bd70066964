#include "parallel/parallel_reader.hpp"

#include <utility>

#include <asio/this_coro.hpp>

namespace sluice::detail {

parallel_reader::parallel_reader(const asio::any_io_executor& on, const parallel_options& how)
    : parallel_work{on, how} {
  for (std::uint32_t i = 0; i < how.connections; ++i) places_.emplace_back(on);
}

void parallel_reader::on_division(const division& parts) {
  if (!parts.order.empty()) merge_.emplace(parts.order);
}

asio::awaitable<void> parallel_reader::deliver(const worker& by, chunk rows) {
  place& mine = places_[by.number];
  {
    const std::lock_guard locked{mutex_};
    require_wanted();
    mine.rows = rows;
    mine.table = by.table;
    mine.is_done = false;
    if (merge_)
      merge_->add(by.number, rows);
    else
      ready_.push_back(by.number);
  }
  tell();
  // Stopping also rings the bell. Cancellation is disabled, because it would not wait for rows that the consumer holds.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  for (;;) {
    {
      const std::lock_guard locked{mutex_};
      if (held_ != &mine) require_wanted();
      if (mine.is_done) break;
    }
    co_await mine.turn.rung();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

void parallel_reader::on_stop() {
  for (place& each : places_) each.turn.ring();
}

asio::awaitable<chunk> parallel_reader::next(std::shared_ptr<parallel_reader> self) {
  self->give_back();
  std::optional<chunk> rows = self->advance();
  if (!rows) {
    asio::awaitable<void> news =
        until(self, [&rows, &reader = *self] { return (rows = reader.advance()).has_value(); });
    co_await std::move(news);
  }
  co_return *rows;
}

asio::awaitable<leaving> parallel_reader::cancel(std::shared_ptr<parallel_reader> self) {
  self->abandon();
  asio::awaitable<void> end = stopped(self);
  co_await std::move(end);
  co_return self->outcome();
}

void parallel_reader::abandon() noexcept {
  give_back();
  stop();
}

void parallel_reader::give_back() noexcept {
  if (held_ == nullptr) return;
  if (!counts_pauses()) add_pause(wire::clock::now() - left_);
  const std::lock_guard locked{mutex_};
  place& was = *std::exchange(held_, nullptr);
  was.is_done = is_last_of_place_;
  if (was.is_done || is_stopped()) was.turn.ring();
}

std::optional<chunk> parallel_reader::advance() {
  const std::lock_guard locked{mutex_};
  if (is_over()) return chunk{};
  std::optional<chunk> rows = take_rows();
  if (!rows) return rows;
  note_rows();
  if (!counts_pauses()) left_ = wire::clock::now();
  return rows;
}

/// @pre the mutex is locked
std::optional<chunk> parallel_reader::take_rows() {
  if (!merge_) {
    if (ready_.empty()) return std::nullopt;
    held_ = &places_[ready_.front()];
    is_last_of_place_ = true;
    ready_.pop_front();
    return held_->rows;
  }
  if (merge_->size() < running()) return std::nullopt;
  const merge::run rows = merge_->next();
  held_ = &places_[rows.from];
  is_last_of_place_ = rows.is_last;
  return rows.rows;
}

}  // namespace sluice::detail
