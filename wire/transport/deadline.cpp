#include "transport/deadline.hpp"

#include <utility>

namespace sluice::wire {

deadline::deadline(const asio::any_io_executor& on, std::function<void()> cancel)
    : timer_{on}, state_{std::make_shared<state>()} {
  state_->cancel = std::move(cancel);
}

deadline::~deadline() { state_->cancel = nullptr; }

void deadline::set(clock::time_point when) noexcept {
  state_->due = when;
  if (when != clock::time_point::max() || armed_for_ == when) return;
  timer_.cancel();
  armed_for_ = when;
}

void deadline::arm() {
  const clock::time_point due = state_->due;
  if (due == armed_for_) return;
  timer_.expires_at(due);
  armed_for_ = due;
  timer_.async_wait([shared = state_, due](std::error_code error) {
    if (!error && shared->due == due && shared->cancel) shared->cancel();
  });
}

}  // namespace sluice::wire
