#include <sluice/stream/changes.hpp>

#include <exception>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include "changes/change_source.hpp"
#include "drive/coroutine_runner.hpp"

namespace sluice {

using detail::change_source;

/// A change source on a thread of its own. The consumer's thread waits for each call; between two calls it walks over
/// what has arrived, while the source's thread only tells the server how far the client has got.
class blocking_change_stream::thread {
 public:
  thread(conninfo where, change_options how)
      : source_{std::make_shared<change_source>(std::move(where), std::move(how), context_.get_executor())},
        runs_{[this] { context_.run(); }} {
    watch();
    try {
      run<bool>(with_result(change_source::begin(source_)));
    } catch (...) {
      stop();
      throw;
    }
  }
  ~thread() { stop(); }
  thread(const thread&) = delete;
  thread& operator=(const thread&) = delete;

  change_chunk next() {
    return run<bool>(change_source::next(source_)) ? change_chunk{source_->feed()} : change_chunk{};
  }
  void close() { run<bool>(with_result(change_source::close(source_))); }
  slot_lag lag() { return run<slot_lag>(change_source::lag(source_)); }
  [[nodiscard]] change_source& source() noexcept { return *source_; }
  [[nodiscard]] wire::interrupter& interrupts() noexcept { return interrupts_; }

 private:
  static asio::awaitable<bool> with_result(asio::awaitable<void> work) {
    co_await std::move(work);
    co_return true;
  }

  /// What a call has come to. The signal that cancels it is used on the source's thread only.
  template <class T>
  struct call {
    std::promise<T> outcome;
    asio::cancellation_signal stop;
  };

  template <class T>
  T run(asio::awaitable<T> work) {
    const auto made = std::make_shared<call<T>>();
    std::future<T> outcome = made->outcome.get_future();
    asio::post(context_, [this, made, work = std::move(work)]() mutable {
      current_ = std::shared_ptr<asio::cancellation_signal>{made, &made->stop};
      asio::co_spawn(context_, std::move(work),
                     asio::bind_cancellation_slot(made->stop.slot(), [this, made](std::exception_ptr thrown, T value) {
                       current_.reset();
                       if (thrown)
                         made->outcome.set_exception(std::move(thrown));
                       else
                         made->outcome.set_value(std::move(value));
                     }));
      if (std::exchange(is_interrupted_, false)) made->stop.emit(asio::cancellation_type::terminal);
    });
    return outcome.get();
  }

  /// An interrupt ends the call that waits, or the next one.
  void watch() {
    interrupted_.when_readable([this](std::error_code failure) {
      if (failure) return;
      (void)interrupts_.take();
      if (current_ != nullptr)
        current_->emit(asio::cancellation_type::terminal);
      else
        is_interrupted_ = true;
      watch();
    });
  }

  void stop() noexcept {
    try {
      asio::post(context_, [this] {
        source_->leave();
        interrupted_.ignore();
        guard_.reset();
      });
      runs_.join();
    } catch (const std::exception&) {  // no memory for the message to the thread
      context_.stop();
      runs_.join();
    }
  }

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  wire::interrupter interrupts_;
  wire::borrowed_descriptor interrupted_{context_, interrupts_.descriptor()};
  std::shared_ptr<asio::cancellation_signal> current_;  // on the source's thread, as is the next
  bool is_interrupted_{false};
  std::shared_ptr<change_source> source_;
  std::thread runs_;
};

blocking_change_stream::blocking_change_stream(conninfo where, change_options how)
    : thread_{std::make_unique<thread>(std::move(where), std::move(how))} {}
blocking_change_stream::blocking_change_stream(std::string_view where, change_options how)
    : blocking_change_stream{conninfo::parse(where), std::move(how)} {}
blocking_change_stream::blocking_change_stream(blocking_change_stream&&) noexcept = default;
blocking_change_stream& blocking_change_stream::operator=(blocking_change_stream&&) noexcept = default;
blocking_change_stream::~blocking_change_stream() = default;

namespace {
template <class Thread>
Thread& required(const std::unique_ptr<Thread>& thread) {
  if (thread == nullptr) throw error{errc::bad_state, "the change stream was moved from"};
  return *thread;
}
}  // namespace

change_chunk blocking_change_stream::next() { return required(thread_).next(); }
void blocking_change_stream::acknowledge(position safe) { required(thread_).source().acknowledge(safe); }
void blocking_change_stream::close() { required(thread_).close(); }
slot_lag blocking_change_stream::lag() { return required(thread_).lag(); }
change_progress blocking_change_stream::progress() const noexcept {
  return thread_ == nullptr ? change_progress{} : thread_->source().progress();
}
void blocking_change_stream::interrupt() noexcept {
  if (thread_ != nullptr) thread_->interrupts().interrupt();
}

}  // namespace sluice
