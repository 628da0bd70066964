#include "parallel_reader.hpp"

#include <utility>

namespace sluice::detail {

parallel_reader::parallel_reader(const asio::any_io_executor& on, const parallel_options& how)
    : parallel_work{on, how} {
  for (std::uint32_t i = 0; i < how.connections; ++i) places_.emplace_back(on);
}

void parallel_reader::on_division(const division& parts) {
  if (!parts.order.empty()) merge_.emplace(parts.order);
}

asio::awaitable<void> parallel_reader::deliver(std::uint32_t connection, chunk rows) {
  place& mine = places_[connection];
  {
    const std::lock_guard locked{mutex_};
    mine.rows = rows;
    mine.is_done = false;
    if (merge_)
      merge_->add(connection, rows);
    else
      ready_.push_back(connection);
  }
  tell();
  for (;;) {
    {
      const std::lock_guard locked{mutex_};
      if (is_stopped()) throw error{errc::cancelled, "stopped"};
      if (mine.is_done) co_return;
    }
    co_await mine.turn.rung();
  }
}

void parallel_reader::on_stop() {
  for (place& each : places_) each.turn.ring();
}

asio::awaitable<chunk> parallel_reader::next() {
  give_back();
  for (;;) {
    if (const std::optional<chunk> rows = advance()) co_return *rows;
    co_await news();
  }
}

void parallel_reader::give_back() {
  if (shown_ == nullptr) return;
  {
    const std::lock_guard locked{mutex_};
    shown_->is_done = true;
  }
  std::exchange(shown_, nullptr)->turn.ring();
}

std::optional<chunk> parallel_reader::advance() {
  const std::lock_guard locked{mutex_};
  throw_if_failed();
  if (running() == 0) return chunk{};
  if (!merge_) {
    if (ready_.empty()) return std::nullopt;
    shown_ = &places_[ready_.front()];
    ready_.pop_front();
    return shown_->rows;
  }
  if (merge_->size() < running()) return std::nullopt;
  const merge::run rows = merge_->next();
  if (rows.is_last) shown_ = &places_[rows.from];
  return rows.rows;
}

}  // namespace sluice::detail
