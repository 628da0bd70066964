#include <sluice/stream/notifications.hpp>

#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <utility>

#include <asio/this_coro.hpp>

#include <sluice/stream/query.hpp>
#include <sluice/wire/connect.hpp>
#include <sluice/wire/exchange.hpp>

#include "pause_for.hpp"
#include "session_options.hpp"

namespace sluice {

class notifications::listening {
 public:
  listening(sluice::conninfo info, const std::vector<std::string>& channels, listen_options options)
      : info_{std::move(info)}, options_{options} {
    for (const std::string& each : channels) statements_ += "listen " + quote_identifier(each) + ';';
  }
  ~listening() {
    if (session_ != nullptr) session_->close();
  }
  listening(const listening&) = delete;
  listening& operator=(const listening&) = delete;

  asio::awaitable<listen_event> next() {
    for (;;) {
      if (session_ == nullptr) co_await connect();
      const bool is_alive = session_->is_alive();  // takes what has arrived
      if (!heard_.empty()) break;
      if (is_alive) {
        co_await wait();
      } else {
        session_.reset();
      }
    }
    listen_event first = std::move(heard_.front());
    heard_.pop_front();
    co_return first;
  }

  [[nodiscard]] bool is_connected() const noexcept { return session_ != nullptr; }

 private:
  /// Until it listens, or cannot.
  asio::awaitable<void> connect() {
    for (std::chrono::milliseconds pause = options_.backoff; session_ == nullptr;
         pause = std::min(pause * 2, options_.max_backoff)) {
      std::optional<error> failure;
      try {
        co_await connect_once();
      } catch (const error& why) {
        failure = why;
      }
      if (!failure) break;
      if (!failure->retryable()) throw *failure;
      co_await detail::pause_for(pause, "cancelled while the server cannot be reached");
    }
    if (std::exchange(has_listened_, true)) heard_.push_front({.is = listen_event::kind::gap});
  }

  asio::awaitable<void> connect_once() {
    const wire::session_options bounds = detail::session_options_of(options_.connection);
    std::shared_ptr<wire::session> made = co_await wire::connect(info_, bounds);
    // The queue belongs to this object, which the session does not outlive.
    made->on_notification = [this](const notification& what) {
      heard_.push_back({.is = listen_event::kind::heard, .what = what});
    };
    co_await wire::run_statements(*made, statements_);
    session_ = std::move(made);
  }

  /// Until something arrives, or it is time to ask.
  asio::awaitable<void> wait() {
    wire::link& io = session_->io;
    io.set_deadline(options_.check_interval.count() > 0 ? wire::clock::now() + options_.check_interval
                                                        : wire::clock::time_point::max());
    std::optional<error> failure;
    bool aborted = false;
    try {
      co_await io.ready();
      io.check_wait();
    } catch (const error& why) {
      failure = why;
    } catch (const std::system_error&) {  // Asio's way to say that this coroutine was cancelled before it could wait
      aborted = true;
    }
    io.set_deadline(wire::clock::time_point::max());
    if (aborted || (failure && failure->code() == errc::cancelled))
      throw error{errc::cancelled, "cancelled while listening"};
    if (failure) co_await ask();
  }

  asio::awaitable<void> ask() {
    bool answers = true;
    try {
      co_await wire::run_statements(*session_, {});
    } catch (const error& why) {
      if (why.code() == errc::cancelled) throw;
      answers = false;
    }
    if (!answers) session_->discard();
  }

  sluice::conninfo info_;
  listen_options options_;
  std::string statements_;
  std::shared_ptr<wire::session> session_;
  std::deque<listen_event> heard_;
  bool has_listened_{false};
};

notifications::notifications(std::string_view conninfo, const std::vector<std::string>& channels,
                             listen_options options)
    : notifications{sluice::conninfo::parse(conninfo), channels, options} {}
notifications::notifications(sluice::conninfo info, const std::vector<std::string>& channels, listen_options options)
    : state_{std::make_unique<listening>(std::move(info), channels, options)} {}
notifications::notifications(notifications&&) noexcept = default;
notifications& notifications::operator=(notifications&&) noexcept = default;
notifications::~notifications() = default;

asio::awaitable<listen_event> notifications::next() { return state_->next(); }
bool notifications::is_connected() const noexcept { return state_->is_connected(); }

}  // namespace sluice
