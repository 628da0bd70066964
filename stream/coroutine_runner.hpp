#pragma once
// Coroutines in a thread that waits for them.
#include <exception>
#include <utility>

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
    asio::posix::stream_descriptor watch{context_};
    if (interrupts != nullptr) {
      watch.assign(interrupts->descriptor());
      watch.async_wait(asio::posix::stream_descriptor::wait_read, [&](std::error_code error) {
        if (!error && interrupts->take()) stop.emit(asio::cancellation_type::terminal);
      });
    }
    asio::co_spawn(context_, std::move(work),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown, T value) {
                     failure = std::move(thrown);
                     result = std::move(value);
                     done = true;
                   }));
    context_.restart();
    // Not run(): a name that is still being looked up is not waited for.
    while (!done) context_.run_one();  // NOLINT(bugprone-infinite-loop): the handler above ends it
    if (interrupts != nullptr) watch.release();
    context_.poll();
    if (failure) std::rethrow_exception(failure);
    return result;
  }

 private:
  asio::io_context context_{1};
};

}  // namespace sluice::detail
