#pragma once
// Runs coroutines in a thread that blocks until they end.
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "transport/link.hpp"

namespace sluice::wire {

/// A descriptor owned by someone else: watched, never closed.
class borrowed_descriptor {
 public:
  borrowed_descriptor(asio::io_context& on, int number) : watch_{on, number} {}
  ~borrowed_descriptor() { watch_.release(); }
  borrowed_descriptor(const borrowed_descriptor&) = delete;
  borrowed_descriptor& operator=(const borrowed_descriptor&) = delete;

  template <class Handler>
  void when_readable(Handler handler) {
    watch_.async_wait(asio::posix::stream_descriptor::wait_read, std::move(handler));
  }
  /// The handler is called with an error, and waits no longer.
  void ignore() { watch_.cancel(); }

 private:
  asio::posix::stream_descriptor watch_;
};

class coroutine_runner {
 public:
  /// Runs a coroutine to its end in this thread.
  /// @param interrupts  an interrupt cancels the coroutine; null: it cannot be interrupted
  template <class T>
  T run(asio::awaitable<T> work, interrupter* interrupts) {
    std::optional<borrowed_descriptor> watch;
    if (interrupts != nullptr) {
      // The handler may run after this call, so an interrupt that arrives at the very end is kept for the next call.
      watch.emplace(context_, interrupts->descriptor()).when_readable([this](std::error_code error) {
        if (!error) may_be_interrupted_ = true;
      });
    }
    // Shared with the coroutine, which still exists if an unrelated handler throws.
    const auto seen = std::make_shared<outcome<T>>();
    asio::co_spawn(context_, std::move(work),
                   asio::bind_cancellation_slot(seen->stop.slot(), [seen](std::exception_ptr thrown, T value) {
                     seen->failure = std::move(thrown);
                     seen->result = std::move(value);
                     seen->is_done = true;
                   }));
    context_.restart();
    // Not run(): that would also wait for other coroutines that are still under way.
    while (!seen->is_done) {
      context_.run_one();
      if (std::exchange(may_be_interrupted_, false) && interrupts != nullptr && interrupts->take())
        seen->stop.emit(asio::cancellation_type::terminal);
    }
    context_.poll();
    if (seen->failure) std::rethrow_exception(seen->failure);
    return std::move(seen->result);
  }

  void run(asio::awaitable<void> work, interrupter* interrupts) { (void)run(with_result(std::move(work)), interrupts); }

  /// Runs the handlers that are ready, without waiting.
  void poll() {
    context_.restart();
    context_.poll();
  }
  [[nodiscard]] asio::any_io_executor get_executor() { return context_.get_executor(); }

 private:
  static asio::awaitable<bool> with_result(asio::awaitable<void> work) {
    co_await std::move(work);
    co_return true;
  }

  template <class T>
  struct outcome {
    asio::cancellation_signal stop;
    std::exception_ptr failure;
    T result{};
    bool is_done{false};
  };

  asio::io_context context_{1};
  bool may_be_interrupted_{false};
};

}  // namespace sluice::wire
