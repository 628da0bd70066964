#pragma once
// Work that blocks and cannot be interrupted, such as asking a name server or a KDC: in a thread of its own, which is
// abandoned when nobody waits for it any more.
#include <chrono>
#include <functional>
#include <memory>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

namespace sluice::wire {

class own_thread {
 public:
  /// Starts it.
  /// @param work   owns what it uses: it may outlive this object. What it throws is lost with it, unless it is waited
  /// for
  /// @par Errors   throws std::system_error if no thread can be started
  own_thread(const asio::any_io_executor& on, std::function<void()> work);
  ~own_thread();
  own_thread(const own_thread&) = delete;
  own_thread& operator=(const own_thread&) = delete;

  /// Waits until it is done, or until `latest`; may return earlier.
  [[nodiscard]] asio::awaitable<void> done_or(std::chrono::steady_clock::time_point latest);
  /// @par Errors  throws what the work threw
  [[nodiscard]] bool is_done() const;

 private:
  class state;

  std::shared_ptr<state> state_;  // shared with the thread
};

}  // namespace sluice::wire
