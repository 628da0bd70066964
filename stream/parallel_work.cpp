#include "parallel_work.hpp"

#include <system_error>
#include <utility>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <sluice/wire/connect.hpp>
#include <sluice/wire/leave.hpp>

#include "first_row.hpp"
#include "session_options.hpp"

namespace sluice::detail {

asio::awaitable<void> parallel_work::begin(conninfo where, relation what) {
  worker& first = add_worker();
  running_ = 1;
  spawn(first, lead(first, std::move(where), std::move(what)));
  while (!all_have_joined()) co_await news();
}

/// @par Errors  throws error: cancelled, and what ended the work
asio::awaitable<void> parallel_work::news() {
  bool is_cancelled = false;
  try {
    co_await news_.rung();
  } catch (const std::system_error&) {  // Asio's way to say that this coroutine was cancelled before it could wait
    is_cancelled = true;
  }
  if (is_cancelled) throw error{errc::cancelled, "cancelled"};
  const std::lock_guard locked{mutex_};
  throw_if_failed();
}

void parallel_work::throw_if_failed() const {
  if (failure_) std::rethrow_exception(failure_);
}

bool parallel_work::all_have_joined() const {
  const std::lock_guard locked{mutex_};
  return joining_ == 0;
}

parallel_progress parallel_work::progress() const {
  const std::lock_guard locked{mutex_};
  return progress_;
}

parallel_work::worker& parallel_work::add_worker() {
  return workers_.emplace_back(static_cast<std::uint32_t>(workers_.size()), on_);
}

/// On its own strand, where it is also told to stop.
void parallel_work::spawn(worker& who, asio::awaitable<void> part) {
  asio::post(who.strand, [self = shared_from_this(), &who, part = std::move(part)]() mutable {
    asio::co_spawn(who.strand, work(std::move(self), who, std::move(part)),
                   asio::bind_cancellation_slot(who.stop.slot(), asio::detached));
  });
}

asio::awaitable<void> parallel_work::work(std::shared_ptr<parallel_work> self, worker& me, asio::awaitable<void> part) {
  try {
    co_await std::move(part);
  } catch (...) {
    self->fail(std::current_exception());
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await leave(me);
  {
    const std::lock_guard locked{self->mutex_};
    --self->running_;
  }
  self->tell();
}

/// The first connection, which has the snapshot.
asio::awaitable<void> parallel_work::lead(worker& me, conninfo where, relation what) {
  me.db = co_await connect_to(where);
  (void)co_await me.db.execute(begin_reading);
  std::string snapshot;
  const query ask = sql("select pg_catalog.pg_export_snapshot()").as_document();
  co_await first_row(me.db, ask, [&](row one) { snapshot = one.text(); });
  division parts = co_await divide(me.db, std::move(what), how_.split, how_.connections);

  std::vector<worker*> others;
  {
    const std::lock_guard locked{mutex_};
    on_division(parts);
    for (split_task& each : parts.tasks) {
      progress_.planned += each.weight;
      tasks_.push_back(std::move(each));
    }
    while (!is_stopped_ && workers_.size() < how_.connections && workers_.size() < tasks_.size())
      others.push_back(&add_worker());
    running_ += static_cast<std::uint32_t>(others.size());
    joining_ = static_cast<std::uint32_t>(others.size());
    progress_.connections = running_;
  }
  for (worker* const each : others) spawn(*each, follow(*each, where, snapshot));
  if (others.empty()) tell();
  co_await read_tasks(me);
  while (!all_have_joined()) co_await joined_.rung();  // the snapshot lives as long as the transaction that exported it
  (void)co_await me.db.execute("commit");
}

asio::awaitable<void> parallel_work::follow(worker& me, conninfo where, std::string snapshot) {
  {
    const std::lock_guard locked{mutex_};
    require_wanted();
  }
  me.db = co_await connect_to(where);
  const std::string import = std::string{begin_reading} + "; set transaction snapshot '" + snapshot + '\'';
  (void)co_await me.db.execute(import);
  {
    const std::lock_guard locked{mutex_};
    --joining_;
  }
  tell();
  joined_.ring();
  co_await read_tasks(me);
  (void)co_await me.db.execute("commit");
}

/// After the first one, to the same server: nobody else knows its snapshot.
asio::awaitable<connection> parallel_work::connect_to(conninfo& where) {
  const std::shared_ptr<wire::session> made = co_await wire::connect(where, session_options_of(how_.connection));
  where.hosts = {made->host};
  where.target_session_attrs = session_target::any;
  co_return connection{made};
}

asio::awaitable<void> parallel_work::read_tasks(worker& me) {
  for (std::optional<split_task> task = take(); task; task = take()) {
    row_stream rows = co_await me.db.stream(task->what, how_.query);
    stream_stats before;
    for (;;) {
      const chunk batch = co_await rows.next();
      count(before, rows.stats());
      if (!batch) break;
      co_await deliver(me.number, batch);
    }
    const std::lock_guard locked{mutex_};
    progress_.done += task->weight;
  }
}

/// It may have been stopped before this coroutine could be told.
/// @pre the mutex is locked
void parallel_work::require_wanted() const {
  if (is_stopped_) throw error{errc::cancelled, "stopped"};
}

std::optional<split_task> parallel_work::take() {
  const std::lock_guard locked{mutex_};
  require_wanted();
  if (tasks_.empty()) return std::nullopt;
  std::optional<split_task> task{std::move(tasks_.front())};
  tasks_.pop_front();
  return task;
}

void parallel_work::count(stream_stats& before, const stream_stats& now) {
  const std::lock_guard locked{mutex_};
  progress_.rows += now.rows - before.rows;
  progress_.bytes += now.bytes - before.bytes;
  before = now;
}

/// The first failure ends all.
void parallel_work::fail(std::exception_ptr failure) {
  {
    const std::lock_guard locked{mutex_};
    if (!is_stopped_) failure_ = std::move(failure);
  }
  stop();
}

void parallel_work::stop() noexcept {
  const std::lock_guard locked{mutex_};
  if (std::exchange(is_stopped_, true) || running_ == 0) return;
  try {
    on_stop();
    joined_.ring();
    for (worker& each : workers_)
      asio::post(each.strand,
                 [self = shared_from_this(), &each] { each.stop.emit(asio::cancellation_type::terminal); });
  } catch (...) {  // no memory for that: each ends with the task that it has
    tasks_.clear();
  }
}

asio::awaitable<void> parallel_work::cancel() {
  stop();
  for (;;) {
    {
      const std::lock_guard locked{mutex_};
      if (running_ == 0) break;
    }
    co_await news_.rung();
  }
}

/// Brings what the connection is doing to its end.
asio::awaitable<void> parallel_work::leave(worker& me) {
  const std::shared_ptr<wire::session> session = std::move(me.db).release();
  if (session == nullptr) co_return;
  co_await wire::until_left(*session);
  session->close();
}

}  // namespace sluice::detail
