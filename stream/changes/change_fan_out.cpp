#include <sluice/stream/change_fan_out.hpp>

#include <utility>

#include <sluice/wire/error.hpp>

#include "changes/fan_out.hpp"
#include "changes/subscription.hpp"

namespace sluice {

using detail::fan_out;
using detail::subscription;

namespace {

std::shared_ptr<fan_out> existing(std::shared_ptr<fan_out> work) {
  if (work == nullptr) throw error{errc::bad_state, "nobody subscribes here, or it was moved from"};
  return work;
}

}  // namespace

change_subscriber::change_subscriber() noexcept = default;
change_subscriber::change_subscriber(std::shared_ptr<fan_out> of, std::shared_ptr<subscription> mine) noexcept
    : of_{std::move(of)}, mine_{std::move(mine)} {}
change_subscriber::change_subscriber(change_subscriber&&) noexcept = default;
change_subscriber& change_subscriber::operator=(change_subscriber&& other) noexcept {
  if (this == &other) return *this;
  leave();
  of_ = std::move(other.of_);
  mine_ = std::move(other.mine_);
  return *this;
}
change_subscriber::~change_subscriber() { leave(); }

asio::awaitable<change_batch> change_subscriber::next() { return fan_out::next(existing(of_), mine_); }
void change_subscriber::acknowledge(position safe) { existing(of_)->acknowledge(*mine_, safe); }
void change_subscriber::leave() noexcept {
  if (of_ != nullptr) of_->leave(*mine_);
}
std::size_t change_subscriber::queued_events() const noexcept { return mine_ == nullptr ? 0 : mine_->queued_events(); }
std::size_t change_subscriber::queued_bytes() const noexcept { return mine_ == nullptr ? 0 : mine_->queued_bytes(); }
asio::any_io_executor change_subscriber::get_executor() const { return existing(of_)->executor(); }

change_fan_out::change_fan_out(change_stream of) : work_{std::make_shared<fan_out>(std::move(of))} {
  fan_out::start(work_);
}
change_fan_out::change_fan_out(change_fan_out&&) noexcept = default;
change_fan_out& change_fan_out::operator=(change_fan_out&& other) noexcept {
  if (this == &other) return *this;
  if (work_ != nullptr) work_->leave();
  work_ = std::move(other.work_);
  return *this;
}
change_fan_out::~change_fan_out() {
  if (work_ != nullptr) work_->leave();
}

change_subscriber change_fan_out::subscribe(subscriber_options how) {
  const std::shared_ptr<fan_out> work = existing(work_);
  return {work, work->subscribe(std::move(how))};
}
asio::awaitable<void> change_fan_out::close() { return fan_out::close(existing(work_)); }
std::size_t change_fan_out::subscribers() const noexcept { return work_ == nullptr ? 0 : work_->live(); }
change_progress change_fan_out::progress() const noexcept {
  return work_ == nullptr ? change_progress{} : work_->progress();
}
asio::any_io_executor change_fan_out::get_executor() const { return existing(work_)->executor(); }

}  // namespace sluice
