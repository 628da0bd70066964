#include "drive/name_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
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

struct answer {
  std::string failure;
  std::vector<endpoint> endpoints;
};

answer look_up(const std::string& name, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* all{};
  const int result = ::getaddrinfo(name.c_str(), port.c_str(), &hints, &all);
  if (result == EAI_SYSTEM) return {.failure = std::system_category().message(errno), .endpoints = {}};
  if (result != 0) return {.failure = ::gai_strerror(result), .endpoints = {}};
  answer found;
  for (const addrinfo* each = all; each != nullptr; each = each->ai_next)
    found.endpoints.emplace_back(each->ai_addr, each->ai_addrlen, each->ai_protocol);
  ::freeaddrinfo(all);
  return found;
}

/// The same in a thread, in which an exception would end the program.
answer ask(const std::string& name, const std::string& port) noexcept {
  try {
    return look_up(name, port);
  } catch (const std::bad_alloc&) {
    return {.failure = "out of memory", .endpoints = {}};
  }
}

}  // namespace

class name_lookup::state {
 public:
  explicit state(const asio::any_io_executor& on) : done_{std::make_unique<bell>(on)} {}

  /// In the thread.
  void answered(answer&& what) {
    const std::lock_guard locked{mutex_};
    answer_ = std::move(what);
    if (done_ != nullptr) done_->ring();
  }
  /// Nobody waits any more; afterwards the thread does not touch the executor.
  void abandon() noexcept {
    const std::lock_guard locked{mutex_};
    done_.reset();
  }
  [[nodiscard]] bell& done() noexcept { return *done_; }
  [[nodiscard]] std::optional<answer> what() const {
    const std::lock_guard locked{mutex_};
    return answer_;
  }

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<bell> done_;  // null: abandoned
  std::optional<answer> answer_;
};

name_lookup::name_lookup(const asio::any_io_executor& on, const std::string& name, std::uint16_t port)
    : state_{std::make_shared<state>(on)} {
  const without_signals blocked;
  std::thread{[shared = state_, name, port = std::to_string(port)] { shared->answered(ask(name, port)); }}.detach();
}

name_lookup::~name_lookup() { state_->abandon(); }

asio::awaitable<void> name_lookup::done_or(std::chrono::steady_clock::time_point latest) {
  return state_->done().rung(latest);
}

bool name_lookup::is_done() const { return state_->what().has_value(); }
std::string name_lookup::failure() const { return state_->what()->failure; }
std::vector<endpoint> name_lookup::endpoints() const { return state_->what()->endpoints; }

}  // namespace sluice::wire
