#include "drive/own_thread.hpp"

#include <csignal>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "drive/bell.hpp"

namespace sluice::wire {

namespace {

/// Signals go to the program's own threads: a handler must not interrupt this one.
class without_signals {
 public:
  without_signals() {
    sigset_t all{};
    (void)::sigfillset(&all);
    (void)::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~without_signals() { (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  without_signals(const without_signals&) = delete;
  without_signals& operator=(const without_signals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

class own_thread::state {
 public:
  explicit state(const asio::any_io_executor& on) : done_{std::make_unique<bell>(on)} {}

  /// In the thread, where an exception would end the program.
  void run(const std::function<void()>& work) noexcept {
    std::exception_ptr thrown;
    try {
      work();
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard locked{mutex_};
    is_done_ = true;
    failure_ = std::move(thrown);
    if (done_ != nullptr) done_->ring();
  }
  /// Nobody waits any more; afterwards the thread does not touch the executor.
  void abandon() noexcept {
    const std::lock_guard locked{mutex_};
    done_.reset();
  }
  [[nodiscard]] bell& done() noexcept { return *done_; }
  [[nodiscard]] bool is_done() const {
    const std::lock_guard locked{mutex_};
    if (failure_) std::rethrow_exception(failure_);
    return is_done_;
  }

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<bell> done_;  // null: abandoned
  std::exception_ptr failure_;
  bool is_done_{false};
};

own_thread::own_thread(const asio::any_io_executor& on, std::function<void()> work)
    : state_{std::make_shared<state>(on)} {
  const without_signals blocked;
  std::thread{[shared = state_, mine = std::move(work)] { shared->run(mine); }}.detach();
}

own_thread::~own_thread() { state_->abandon(); }

asio::awaitable<void> own_thread::done_or(std::chrono::steady_clock::time_point latest) {
  return state_->done().rung(latest);
}

bool own_thread::is_done() const { return state_->is_done(); }

}  // namespace sluice::wire
