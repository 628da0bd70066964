#include "pool/session_pool.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sluice/wire/scram_cache.hpp>

#include "drive/coroutine_driver.hpp"
#include "engine/run_query.hpp"

namespace sluice::wire {

namespace {

/// A server that has ended a session for as long is noticed before the session is lent. Looking takes a system call.
constexpr std::chrono::milliseconds a_moment{100};

error closed_error() { return error{errc::bad_state, "the pool is closed"}; }

}  // namespace

/// One call of `acquire` in the queue. It leaves the queue on destruction; a session that it was given but did not lend
/// out then goes to the next waiter.
class session_pool::waiter {
 public:
  explicit waiter(session_pool& pool)
      : pool_{pool}, timer_{pool.executor_}, at_{pool.waiters_.insert(pool.waiters_.end(), this)} {}
  ~waiter() {
    leave();
    if (given_) pool_.offer(std::move(given_));
  }
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  void give(session_ptr what) noexcept {
    given_ = std::move(what);
    wake();
  }
  void fail(const error& why) noexcept {
    failure_ = why;
    wake();
  }

  asio::awaitable<session_ptr> wait(clock::time_point deadline) {
    timer_.expires_at(deadline);
    bool is_wanted = true;
    if (!given_ && !failure_) is_wanted = co_await wait_for(timer_);
    if (is_wanted && given_) co_return std::exchange(given_, nullptr);
    if (is_wanted && failure_) throw *failure_;
    if (!is_wanted || clock::now() < deadline)
      throw error{errc::cancelled, "cancelled while waiting for a connection of the pool"};
    ++pool_.counted_.timed_out;
    pool_.report(pool_event::kind::timed_out, clock::now() - began_);
    throw error{error_info{.code = errc::deadline_exceeded,
                           .message = "no connection of the pool became free in time: all " +
                                      std::to_string(pool_.live_ + pool_.connecting_) + " are in use",
                           .server = {},
                           .retryable = true}};
  }

 private:
  void leave() noexcept {
    if (!queued_) return;
    queued_ = false;
    pool_.waiters_.erase(at_);
  }
  void wake() noexcept {
    leave();
    timer_.cancel();
  }

  session_pool& pool_;
  clock::time_point began_{clock::now()};
  asio::steady_timer timer_;
  std::list<waiter*>::iterator at_;
  bool queued_{true};
  session_ptr given_;
  std::optional<error> failure_;
};

session_pool::session_pool(asio::any_io_executor on, conninfo info, session_options session, pool_options options)
    : executor_{std::move(on)},
      info_{std::move(info)},
      session_{session},
      options_{options},
      reset_statements_{options.reset_statements},
      sweeping_{executor_},
      growing_{executor_},
      returned_{executor_, clock::time_point::max()},
      rounds_{new_back_off()} {
  if (options_.max_size == 0 || options_.min_size > options_.max_size)
    throw error{errc::bad_state, "a pool has at least one connection, and min_size is not more than max_size"};
  if (info_.scram_keys == nullptr) info_.scram_keys = std::make_shared<scram_cache>();
  idle_.reserve(options_.max_size);  // so that giving back never fails
}

session_pool::~session_pool() { close(); }

asio::awaitable<session_ptr> session_pool::acquire(clock::time_point deadline, const trace_context& parent) {
  if (open_span::is_wanted(session_.watch, parent)) return acquire_in(open_span{session_.watch, parent}, deadline);
  return acquire_until(deadline);
}

session_ptr session_pool::lend_at_once(const trace_context& parent) noexcept {
  if (closed_ || !waiters_.empty() || open_span::is_wanted(session_.watch, parent)) return nullptr;
  session_ptr found = take_idle();
  return found == nullptr ? nullptr : lend(std::move(found), {});
}

asio::awaitable<session_ptr> session_pool::acquire_in(open_span span, clock::time_point deadline) {
  span_event what{.is = span_event::kind::acquire, .database = info_.database};
  try {
    session_ptr lent = co_await acquire_until(deadline);
    span.end(what);
    co_return lent;
  } catch (const error& failure) {
    what.failure = &failure;
    span.end(what);
    throw;
  }
}

asio::awaitable<session_ptr> session_pool::acquire_until(clock::time_point deadline) {
  if (closed_) throw closed_error();
  if (waiters_.empty()) {
    if (session_ptr found = take_idle()) co_return lend(std::move(found), {});
  }
  if (live_ == 0 && is_down()) throw *last_failure_;
  const clock::time_point began = clock::now();
  waiter here{*this};
  grow();
  session_ptr lent = co_await here.wait(std::min(deadline, limit_after(began, options_.acquire_timeout)));
  const clock::duration waited = clock::now() - began;
  counted_.waited += std::chrono::duration_cast<std::chrono::microseconds>(waited);
  co_return lend(std::move(lent), waited);
}

/// How many sessions are neither in use nor waited for.
std::size_t session_pool::spare() const noexcept {
  const std::size_t taken = live_ - idle_.size() + waiters_.size() + reserved_;
  return closed_ || taken >= options_.max_size ? 0 : options_.max_size - taken;
}

std::vector<session_pool::room> session_pool::reserve(std::size_t most) {
  const std::size_t count = std::min(most, spare());
  std::vector<room> all;
  all.reserve(count);
  while (all.size() < count) all.emplace_back(shared_from_this());
  return all;
}

session_ptr session_pool::lend(session_ptr what, clock::duration after) noexcept {
  ++counted_.acquired;
  if (std::exchange(what->lent.was_lent, true)) ++counted_.reused;
  if (session_.watch != nullptr) {
    what->lent.lent_since = clock::now();
    report(pool_event::kind::acquired, after);
  }
  return what;
}

void session_pool::report(pool_event::kind what, clock::duration took) const noexcept {
  if (session_.watch != nullptr) session_.watch->on_pool({.is = what, .took = took, .now = stats()});
}

void session_pool::report_unsent(std::string_view text, const error& why) const noexcept {
  if (session_.watch == nullptr) return;
  const query_event query{.database = info_.database, .text = text};
  session_.watch->on_query_end({.query = query, .failure = &why, .was_left = true});
}

session_ptr session_pool::take_idle() noexcept {
  while (!idle_.empty()) {
    session_ptr found = std::move(idle_.back());
    idle_.pop_back();
    const clock::time_point now = clock::now();
    const bool too_old = now >= found->lent.expires;
    const bool was_just_used = now - found->lent.idle_since < a_moment;
    if (!too_old && (was_just_used || found->is_alive())) return found;
    if (!too_old) ++counted_.found_dead;
    drop(found);
  }
  return nullptr;
}

bool session_pool::is_down() const { return last_failure_ && clock::now() < down_until_; }

/// Starts as many attempts as there are waiting callers, or connections to be kept, within the pool's size.
void session_pool::grow() {
  while (!closed_ && !is_down() && is_wanting() && live_ + connecting_ < options_.max_size) {
    ++connecting_;  // first, because the coroutine may end before co_spawn does
    try {
      asio::co_spawn(executor_, open_one(shared_from_this()), asio::detached);
    } catch (...) {
      --connecting_;
      throw;
    }
  }
}

bool session_pool::is_wanting() const {
  return connecting_ < waiters_.size() || (is_warm_ && live_ + connecting_ < options_.min_size);
}

asio::awaitable<void> session_pool::open_one(std::shared_ptr<session_pool> self) {
  session_ptr made;
  std::optional<error> failure;
  back_off pauses = self->new_back_off();
  for (int attempt = 1; made == nullptr; ++attempt) {
    try {
      made = co_await connect(self->info_, self->session_);
    } catch (const error& why) {
      failure = why;
      ++self->counted_.failed_attempts;
    } catch (const std::bad_alloc&) {
      failure = error{errc::out_of_memory, "out of memory"};
    }
    if (made != nullptr || self->closed_ || !failure->retryable() || attempt >= self->options_.connect_attempts) break;
    asio::steady_timer pause{self->executor_, from_now(self->jittered(saturated(pauses.next())))};
    co_await wait_for(pause);
  }
  --self->connecting_;
  if (made != nullptr)
    self->opened(std::move(made));
  else
    self->failed(*failure);
}

void session_pool::opened(session_ptr made) {
  ++live_;
  ++counted_.opened;
  rounds_ = new_back_off();
  last_failure_.reset();
  if (options_.max_lifetime.count() > 0) made->lent.expires = from_now(jittered(saturated(options_.max_lifetime)));
  report(pool_event::kind::opened, {});
  offer(std::move(made));
}

/// The waiting callers may still be served by a connection that comes back, if there is one.
void session_pool::failed(const error& why) {
  last_failure_ = why;
  down_until_ = from_now(jittered(saturated(rounds_.next())));
  if (live_ == 0 && connecting_ == 0) fail_waiters(why);
  returned_.cancel();
  if (closed_ || !is_wanting()) return;
  growing_.expires_at(down_until_);
  growing_.async_wait([weak = weak_from_this()](std::error_code stopped) {
    if (const auto self = weak.lock(); self != nullptr && !stopped) self->grow();
  });
}

void session_pool::give_back(session_ptr lent) noexcept {
  session& on = *lent;
  if (session_.watch != nullptr) report(pool_event::kind::released, clock::now() - on.lent.lent_since);
  if (on.is_broken() || (closed_ && on.is_unused())) {
    if (on.is_broken()) ++counted_.found_dead;
    drop(lent);
    return;
  }
  if (on.is_unused() && on.engine.scope.is_idle() && reset_statements_.empty()) {
    offer(std::move(lent));
    return;
  }
  try {
    asio::co_spawn(executor_, clean(shared_from_this(), lent), asio::detached);
  } catch (...) {  // out of memory for the coroutine
    on.discard();
    drop(lent);
  }
}

/// Waits for a stream that has outlived its handle or is being cancelled, ends the transaction, and resets the session.
asio::awaitable<void> session_pool::clean(std::shared_ptr<session_pool> self, session_ptr dirty) {
  session& on = *dirty;
  bool good = true;
  while (!on.is_broken() && !on.is_unused()) good = co_await wait_for(on.leaving.news()) && good;
  try {
    if (on.is() == session::state::idle && !on.engine.scope.is_idle()) co_await run_statements(on, "rollback");
    if (on.is() == session::state::idle && !self->reset_statements_.empty())
      co_await run_statements(on, self->reset_statements_);
  } catch (const std::exception&) {
    good = false;
  }
  if (!good || on.is() != session::state::idle || !on.engine.scope.is_idle()) on.discard();
  if (on.is_broken())
    self->drop(dirty);
  else
    self->offer(std::move(dirty));
}

/// Gives the session to the longest waiting caller, or adds it to the idle ones.
void session_pool::offer(session_ptr clean) noexcept {
  clean->on_notice = nullptr;
  clean->on_notification = nullptr;
  clean->lent.idle_since = clock::now();
  if (closed_ || clean->lent.idle_since >= clean->lent.expires) {
    drop(clean);
    return;
  }
  if (!waiters_.empty()) {
    waiters_.front()->give(std::move(clean));
    return;
  }
  clean->io.in.rest();
  idle_.push_back(std::move(clean));
  returned_.cancel();
  sweep_later();
}

void session_pool::drop(const session_ptr& gone) noexcept {
  gone->close();
  --live_;
  ++counted_.closed;
  report(pool_event::kind::closed, {});
  returned_.cancel();
  try {
    grow();
  } catch (...) {
    fail_waiters(error{errc::out_of_memory, "out of memory"});
  }
  if (live_ == 0 && connecting_ == 0 && last_failure_) fail_waiters(*last_failure_);
}

void session_pool::fail_waiters(const error& why) noexcept {
  while (!waiters_.empty()) waiters_.front()->fail(why);
}

asio::awaitable<void> session_pool::warm_up() {
  is_warm_ = true;
  for (grow(); !closed_ && live_ < options_.min_size; grow()) {
    if (is_down()) throw *last_failure_;
    const bool goes_on = co_await wait_for(returned_);
    if (!goes_on) throw error{errc::cancelled, "cancelled while warming up the pool"};
  }
}

void session_pool::close() noexcept {
  closed_ = true;
  sweeping_.cancel();
  growing_.cancel();
  fail_waiters(closed_error());
  while (!idle_.empty()) {
    session_ptr last = std::move(idle_.back());
    idle_.pop_back();
    drop(last);
  }
  returned_.cancel();
}

asio::awaitable<bool> session_pool::drain(clock::duration patience) {
  const clock::time_point deadline = from_now(patience);
  for (bool goes_on = true; goes_on && !closed_ && promised_ != 0 && clock::now() < deadline;) {
    returned_.expires_at(deadline);
    goes_on = co_await wait_for(returned_);
  }
  close();
  for (bool goes_on = true; goes_on && live_ + connecting_ != 0 && clock::now() < deadline;) {
    returned_.expires_at(deadline);
    goes_on = co_await wait_for(returned_);
  }
  co_return live_ + connecting_ == 0;
}

/// The first one has been idle for the longest time.
void session_pool::sweep_later() noexcept {
  if (sweeps_ || options_.idle_timeout.count() <= 0 || live_ <= options_.min_size) return;
  try {
    sweeping_.expires_at(later(idle_.front()->lent.idle_since, options_.idle_timeout));
    sweeping_.async_wait([weak = weak_from_this()](std::error_code stopped) {
      if (const auto self = weak.lock(); self != nullptr && !stopped) self->sweep();
    });
    sweeps_ = true;
  } catch (const std::exception&) {
    sweeps_ = false;  // out of memory for the timer: the next session that comes back tries again
  }
}

void session_pool::sweep() {
  sweeps_ = false;
  const clock::time_point now = clock::now();
  while (!idle_.empty() && live_ > options_.min_size &&
         later(idle_.front()->lent.idle_since, options_.idle_timeout) <= now) {
    session_ptr old = std::move(idle_.front());
    idle_.erase(idle_.begin());
    drop(old);
  }
  if (!idle_.empty()) sweep_later();
}

clock::duration session_pool::jittered(clock::duration time) {
  const double share = options_.jitter * std::uniform_real_distribution<double>{}(random_);
  return saturated(std::chrono::duration<double, clock::period>{time} * (1.0 - share));
}

pool_stats session_pool::stats() const {
  pool_stats now = counted_;
  now.idle = idle_.size();
  now.lent = live_ - idle_.size();
  now.connecting = connecting_;
  now.waiting = waiters_.size();
  now.max = options_.max_size;
  return now;
}

}  // namespace sluice::wire
