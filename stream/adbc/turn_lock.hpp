#pragma once
// Who may use a connection. A thread that has one connection may need another, for the rows that were bound; if two
// threads each wait for what the other has, the second is refused.
#include <condition_variable>
#include <cstddef>
#include <thread>

namespace sluice::adbc {

/// A lock that its thread may take again.
class turn_lock {
 public:
  turn_lock() = default;
  turn_lock(const turn_lock&) = delete;
  turn_lock& operator=(const turn_lock&) = delete;

  /// @par Errors  throws failure: invalid_state if the wait would never end
  void lock();
  /// Waits, unless that would never end.
  [[nodiscard]] bool lock_if_possible();
  void unlock() noexcept;

 private:
  [[nodiscard]] bool waits_for(std::thread::id thread) const;

  // All locks share the mutex of these.
  std::condition_variable freed_;
  std::thread::id holder_{};
  std::size_t depth_{0};
};

}  // namespace sluice::adbc
