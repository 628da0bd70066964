#pragma once
// Coroutines in a thread that waits for them.
#include <exception>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include <sluice/wire/link.hpp>

namespace sluice::detail {

class coroutine_runner {
 public:
  /// Runs a coroutine to its end in this thread.
  template <class T>
  T run(asio::awaitable<T> work, wire::interrupter* interrupts) {
    bool done = false;
    std::exception_ptr failure;
    T result{};
    asio::cancellation_signal stop;
    asio::co_spawn(context_, std::move(work),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown, T value) {
                     failure = std::move(thrown);
                     result = std::move(value);
                     done = true;
                   }));
    run_until([&] { return done; }, interrupts, [&] { stop.emit(asio::cancellation_type::terminal); });
    context_.poll();
    if (failure) std::rethrow_exception(failure);
    return result;
  }

  /// Runs whatever is under way until `is_done`, which is asked after each step.
  /// @param on_interrupt  is called when an interrupt comes
  template <class Condition, class Handler>
  void run_until(const Condition& is_done, wire::interrupter* interrupts, const Handler& on_interrupt) {
    asio::posix::stream_descriptor watch{context_};
    if (interrupts != nullptr) {
      watch.assign(interrupts->descriptor());
      watch.async_wait(asio::posix::stream_descriptor::wait_read, [&](std::error_code error) {
        if (!error && interrupts->take()) on_interrupt();
      });
    }
    context_.restart();
    // Not run(): a name that is still being looked up is not waited for.
    while (!is_done()) context_.run_one();
    if (interrupts != nullptr) watch.release();
  }

  /// What needs no waiting.
  void poll() {
    context_.restart();
    context_.poll();
  }
  [[nodiscard]] asio::any_io_executor get_executor() { return context_.get_executor(); }

 private:
  asio::io_context context_{1};
};

}  // namespace sluice::detail
