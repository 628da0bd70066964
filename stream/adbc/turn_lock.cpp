#include "adbc/turn_lock.hpp"

#include <map>
#include <mutex>

#include "adbc/border.hpp"

namespace sluice::adbc {

namespace {

std::mutex& shared_mutex() {
  static std::mutex one;
  return one;
}
/// The threads that wait, and for what. No circle comes about: whoever would close it does not wait.
std::map<std::thread::id, const turn_lock*>& waiting() {
  static std::map<std::thread::id, const turn_lock*> all;
  return all;
}

}  // namespace

bool turn_lock::waits_for(std::thread::id thread) const {
  for (const turn_lock* at = this; at->depth_ != 0;) {
    if (at->holder_ == thread) return true;
    const auto next = waiting().find(at->holder_);
    if (next == waiting().end()) return false;
    at = next->second;
  }
  return false;
}

bool turn_lock::lock_if_possible() {
  const std::thread::id me = std::this_thread::get_id();
  std::unique_lock all{shared_mutex()};
  if (depth_ != 0 && holder_ == me) {
    ++depth_;
    return true;
  }
  while (depth_ != 0) {
    if (waits_for(me)) return false;
    const auto here = waiting().insert_or_assign(me, this).first;
    freed_.wait(all);
    waiting().erase(here);
  }
  holder_ = me;
  depth_ = 1;
  return true;
}

void turn_lock::lock() {
  if (!lock_if_possible())
    throw failure{status::invalid_state,
                  "another thread uses this connection, and waits for one that this thread uses: neither would end"};
}

void turn_lock::unlock() noexcept {
  const std::lock_guard all{shared_mutex()};
  if (--depth_ == 0) freed_.notify_one();
}

}  // namespace sluice::adbc
