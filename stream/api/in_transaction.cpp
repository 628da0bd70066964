#include <sluice/stream/in_transaction.hpp>

#include <thread>

#include "transport/deadline.hpp"

#include "api/pause_for.hpp"

namespace sluice::detail {

std::optional<std::chrono::milliseconds> attempts::after(const error& failure, bool reconnects) {
  const bool can_go_on = reconnects || failure.connection_usable();
  const bool has_run_out_of_time = failure.code() == errc::deadline_exceeded;  // a slow server needs no second run
  if (!failure.retryable() || has_run_out_of_time || !can_go_on || --left_ <= 0) return std::nullopt;
  wire::back_off pauses{pause_, how_.max_backoff};
  const std::chrono::milliseconds longest = pauses.next();
  pause_ = pauses.next();
  return spread(longest);
}

asio::awaitable<void> pause_between_attempts(std::chrono::milliseconds time) {
  return pause_for(time, "cancelled before a transaction was run again");
}
void sleep_between_attempts(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

}  // namespace sluice::detail
