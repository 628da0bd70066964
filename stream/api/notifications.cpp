#include <sluice/stream/notifications.hpp>

#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <utility>

#include <asio/this_coro.hpp>

#include <sluice/stream/query.hpp>
#include "drive/coroutine_driver.hpp"
#include "engine/connect.hpp"
#include "engine/run_query.hpp"

#include "api/pause_for.hpp"
#include "api/session_options.hpp"
#include "api/wish.hpp"

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

  // Static functions hold a shared reference to the state, because its owner may be destroyed while they wait.

  static asio::awaitable<void> listen(std::shared_ptr<listening> self) {
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    co_await self->wanted(on).unless_over(self->begin());
  }
  static asio::awaitable<listen_event> next(std::shared_ptr<listening> self) {
    if (self->heard_.empty()) {
      const asio::any_io_executor on = co_await asio::this_coro::executor;
      co_await self->wanted(on).unless_over(self->fill());
    }
    listen_event first = std::move(self->heard_.front());
    self->heard_.pop_front();
    self->uncount(first);
    co_return first;
  }
  /// The owner is gone.
  void leave() noexcept {
    is_left_ = true;
    if (wanted_) wanted_->end();
  }

  [[nodiscard]] bool is_connected() const noexcept { return session_ != nullptr; }
  [[nodiscard]] bool is_complete() const noexcept { return is_connected() && gaps_ == 0; }

 private:
  detail::wish& wanted(const asio::any_io_executor& on) {
    if (!wanted_) wanted_.emplace(on, "cancelled: nobody listens any more");
    if (is_left_) wanted_->end();
    wanted_->require();
    return *wanted_;
  }

  /// Waits until the server is listening.
  asio::awaitable<void> begin() {
    wire::back_off pauses{options_.backoff, options_.max_backoff};
    while (session_ == nullptr) {
      std::optional<error> failure;
      try {
        co_await connect_once();
      } catch (const error& why) {
        failure = why;
      }
      if (!failure) break;
      if (!failure->retryable()) throw *failure;
      co_await detail::pause_for(pauses.next(), "cancelled while the server cannot be reached");
    }
  }

  /// Reads only while no event is queued.
  asio::awaitable<void> fill() {
    while (heard_.empty()) {
      if (session_ == nullptr) {
        co_await begin();
        continue;
      }
      const wire::link::moved moved = hear();
      if (moved == wire::link::moved::end)
        session_.reset();
      else if (moved == wire::link::moved::nothing || session_->io.turn_is_over())
        co_await wait();
    }
  }

  asio::awaitable<void> connect_once() {
    const wire::session_options bounds = detail::session_options_of(options_.connection);
    std::shared_ptr<wire::session> made = co_await wire::connect(info_, bounds);
    // The queue belongs to this object, which outlives the session.
    made->on_notification = [this](const notification& what) { add({.is = listen_event::kind::heard, .what = what}); };
    const std::size_t before = heard_.size();
    if (has_listened_) add({.is = listen_event::kind::gap});
    try {
      co_await wire::run_statements(*made, statements_);
    } catch (...) {
      while (heard_.size() > before) drop_last();  // the next connection starts over
      throw;
    }
    has_listened_ = true;
    session_ = std::move(made);
  }

  void drop_last() noexcept {
    uncount(heard_.back());
    heard_.pop_back();
  }
  void uncount(const listen_event& gone) noexcept {
    pending_bytes_ -= size_of(gone);
    gaps_ -= gone.is == listen_event::kind::gap;
  }

  [[nodiscard]] static std::size_t size_of(const listen_event& event) noexcept {
    return sizeof event + event.what.channel.size() + event.what.payload.size();
  }

  /// If there is no room for an event, a gap replaces it and those that follow.
  void add(listen_event event) {
    if (pending_bytes_ + size_of(event) > options_.max_pending_bytes) event = {.is = listen_event::kind::gap};
    const bool is_known = event.is == listen_event::kind::gap && !heard_.empty() && heard_.back().is == event.is;
    if (is_known) return;
    pending_bytes_ += size_of(event);
    gaps_ += event.is == listen_event::kind::gap;
    heard_.push_back(std::move(event));
  }

  /// Takes what one read delivers. A session that violates the protocol counts as lost.
  wire::link::moved hear() noexcept {
    try {
      return session_->hear();
    } catch (const std::exception&) {
      return wire::link::moved::end;
    }
  }

  /// Waits until something arrives or the connection is due for a check.
  asio::awaitable<void> wait() {
    const wire::clock::time_point latest = wire::limit_after(wire::clock::now(), options_.check_interval);
    const wire::link::wait_end how = co_await wire::ready_by(session_->io, latest);
    if (how == wire::link::wait_end::cut_off) throw error{errc::cancelled, "cancelled while listening"};
    if (how == wire::link::wait_end::late) co_await ask();
  }

  asio::awaitable<void> ask() {
    bool answers = true;
    try {
      co_await wire::run_statements(*session_, {});
    } catch (const error& why) {
      if (why.code() == errc::cancelled) throw;
      answers = false;
    }
    if (!answers) session_.reset();
  }

  sluice::conninfo info_;
  listen_options options_;
  std::string statements_;
  std::optional<detail::wish> wanted_;
  std::shared_ptr<wire::session> session_;
  std::deque<listen_event> heard_;
  std::size_t pending_bytes_{0};  // of the queued events
  std::size_t gaps_{0};           // among them
  bool has_listened_{false};
  bool is_left_{false};  // perhaps before the first call has begun
};

notifications::notifications(std::string_view conninfo, const std::vector<std::string>& channels,
                             listen_options options)
    : notifications{sluice::conninfo::parse(conninfo), channels, options} {}
notifications::notifications(sluice::conninfo info, const std::vector<std::string>& channels, listen_options options)
    : state_{std::make_shared<listening>(std::move(info), channels, options)} {}
notifications::notifications(notifications&&) noexcept = default;
notifications& notifications::operator=(notifications&& other) noexcept {
  if (this == &other) return *this;
  leave();
  state_ = std::move(other.state_);
  return *this;
}
notifications::~notifications() { leave(); }

void notifications::leave() noexcept {
  if (state_ != nullptr) state_->leave();
}

asio::awaitable<void> notifications::listen() { return listening::listen(state_); }
asio::awaitable<listen_event> notifications::next() { return listening::next(state_); }
bool notifications::is_connected() const noexcept { return state_->is_connected(); }
bool notifications::is_complete() const noexcept { return state_->is_complete(); }

}  // namespace sluice
