#include "parallel/parallel_work.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/stream/columns.hpp>

#include "engine/connect.hpp"
#include "engine/departure.hpp"
#include "transport/printable.hpp"

#include "api/session_options.hpp"

namespace sluice::detail {

namespace {

using wire::clock;

split_by with_path(split_by how, const std::string& path) {
  switch (how.by()) {
    case split_by::kind::ctid: break;
    case split_by::kind::key: return split_by::key(path);
    case split_by::kind::hash: return split_by::hash(path);
  }
  return how;
}

std::chrono::microseconds since(clock::time_point then) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - then);
}

std::string place_of(const conninfo& where) {
  std::string place = "database \"" + printable(where.database) + "\" at ";
  for (const conninfo::host& each : where.hosts) place += (&each == where.hosts.data() ? "" : ", ") + each.to_string();
  return place;
}

}  // namespace

parallel_work::parallel_work(asio::any_io_executor on, const parallel_options& how)
    : on_{std::move(on)}, how_{how}, path_{how.split.path()} {
  how_.split = with_path(how.split, path_);
}

void parallel_work::launch(conninfo where, relation what) {
  what_ = std::move(what);
  launch(std::move(where));
}

void parallel_work::launch(conninfo where) {
  place_ = place_of(where);
  begin(std::move(where));
}

void parallel_work::launch(std::shared_ptr<wire::session_pool> lender, relation what) {
  lender_ = std::move(lender);
  place_ = place_of(lender_->where());
  how_.connections = static_cast<std::uint32_t>(std::min<std::size_t>(how_.connections, lender_->stats().max));
  what_ = std::move(what);
  begin({});
}

void parallel_work::begin(conninfo where) {
  const clock::time_point now = clock::now();
  began_ = now;
  deadline_ = wire::limit_after(now, how_.query.timeout);
  first_row_deadline_ = wire::limit_after(now, how_.query.first_row_timeout);
  worker& first = add_worker();
  running_ = 1;
  try {
    spawn(first, open(first, std::move(where)));
  } catch (...) {
    running_ = 0;
    failure_ = std::current_exception();
    throw;
  }
}

void parallel_work::give_up() noexcept {
  const std::lock_guard locked{mutex_};
  is_stopped_ = true;
}

asio::awaitable<void> parallel_work::begun(std::shared_ptr<parallel_work> self) {
  parallel_work& work = *self;
  return until(std::move(self), [&work] {
    const std::lock_guard locked{work.mutex_};
    return work.is_over() || work.joining_ == 0;
  });
}

asio::awaitable<void> parallel_work::finished(std::shared_ptr<parallel_work> self) {
  std::exception_ptr failure;
  try {
    asio::awaitable<void> end = until(self, [&work = *self] {
      const std::lock_guard locked{work.mutex_};
      return work.is_over();
    });
    co_await std::move(end);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  self->stop();
  // A cancelled coroutine waits for that, too. The cancellation state is the caller's as well, so it is restored below.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto unheard = asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::use_awaitable);
  asio::awaitable<void> end = stopped(self);
  co_await asio::co_spawn(self->on_, std::move(end), std::move(unheard));
  co_await asio::this_coro::throw_if_cancelled(throws);
  std::rethrow_exception(failure);
}

asio::awaitable<void> parallel_work::stopped(std::shared_ptr<parallel_work> self) {
  parallel_work& work = *self;
  return until(std::move(self), [&work] {
    const std::lock_guard locked{work.mutex_};
    return work.running_ == 0;
  });
}

bool parallel_work::is_over() {
  if (failure_) std::rethrow_exception(failure_);
  if (is_stopped_) throw problem(errc::cancelled, "cancelled", false);
  if (running_ == 0) return true;
  const clock::time_point latest = nearest_deadline();
  if (latest == clock::time_point::max() || clock::now() < latest) return false;
  const bool is_for_all = latest == deadline_;
  const error late =
      problem(errc::deadline_exceeded, is_for_all ? "the query's deadline passed" : "no row came in time", true);
  failure_ = std::make_exception_ptr(late);
  stop_all();
  throw late;
}

clock::time_point parallel_work::nearest_deadline() const noexcept {
  return has_rows_ ? deadline_ : std::min(deadline_, first_row_deadline_);
}

/// When a waiting consumer has to check even without news.
clock::time_point parallel_work::due() const {
  const std::lock_guard locked{mutex_};
  return is_stopped_ ? clock::time_point::max() : nearest_deadline();
}

bool parallel_work::counts_pauses() const noexcept {
  return how_.query.timeout_counts_pauses || deadline_ == clock::time_point::max();
}

void parallel_work::add_pause(clock::duration pause) noexcept { deadline_ = wire::later(deadline_, pause); }

error parallel_work::problem(errc code, std::string_view what, bool retryable) const {
  const wire::link::context where{.place = place_, .doing = "reading in parallel from", .rows = totals_.rows};
  return error{error_info{
      .code = code, .message = where.after(what), .server = {}, .rows = totals_.rows, .retryable = retryable}};
}

void parallel_work::fail_cancelled() const {
  const std::lock_guard locked{mutex_};
  throw problem(errc::cancelled, "cancelled", false);
}

parallel_progress parallel_work::progress() const {
  const std::lock_guard locked{mutex_};
  parallel_progress now = progress_;
  now.rows = totals_.rows;
  now.bytes = totals_.bytes;
  return now;
}

stream_stats parallel_work::stats() const {
  const std::lock_guard locked{mutex_};
  return totals_;
}

std::span<const result_column> parallel_work::columns() const {
  const std::lock_guard locked{mutex_};
  return columns_;
}

leaving parallel_work::outcome() const {
  const std::lock_guard locked{mutex_};
  if (has_broken_) return leaving::closed;
  return is_stopped_ && !workers_.empty() ? leaving::cancelled : leaving::drained;
}

/// @pre the mutex is locked
void parallel_work::note_rows() noexcept {
  if (!std::exchange(has_rows_, true)) totals_.first_row = since(began_);
}

parallel_work::worker& parallel_work::add_worker() {
  // Sessions of a pool are used where the pool is.
  asio::any_io_executor strand = lender_ != nullptr ? on_ : asio::any_io_executor{asio::make_strand(on_)};
  return workers_.emplace_back(static_cast<std::uint32_t>(workers_.size()), std::move(strand));
}

/// Runs on the worker's strand, which is also where it is told to stop.
void parallel_work::spawn(worker& who, asio::awaitable<void> part) {
  asio::post(who.strand, [self = shared_from_this(), &who, part = std::move(part)]() mutable {
    // Asio clears the slot when the coroutine is over: until then its signal has to live.
    const auto done = [self](const std::exception_ptr&) {};
    asio::co_spawn(who.strand, work(self, who, std::move(part)), asio::bind_cancellation_slot(who.stop.slot(), done));
  });
}

asio::awaitable<void> parallel_work::work(std::shared_ptr<parallel_work> self, worker& me, asio::awaitable<void> part) {
  try {
    co_await std::move(part);
  } catch (...) {
    self->fail(std::current_exception());
  }
  (void)std::move(me.db).release();
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  try {
    if (me.session != nullptr) co_await wire::until_left(*me.session);
  } catch (const std::exception&) {  // no memory for the wait
    me.session->discard();
  }
  const bool is_clean = self->let_go(me);
  {
    const std::lock_guard locked{self->mutex_};
    if (!is_clean) self->has_broken_ = true;
    --self->running_;
  }
  self->tell();
}

/// One that waits for more connections while it has some would wait for ever for another that does the same.
void parallel_work::take_room(worker& me) {
  me.rooms = lender_->reserve(how_.connections - 1);
  const std::lock_guard locked{mutex_};
  how_.connections = static_cast<std::uint32_t>(1 + me.rooms.size());
}

asio::awaitable<void> parallel_work::open(worker& me, conninfo where) {
  co_await connect(me, where);
  if (lender_ != nullptr) take_room(me);
  relation what = *std::exchange(what_, std::nullopt);
  if (!is_alone()) (void)co_await me.db.execute(begin_reading, own_limits());
  // A stream of its own finds out by itself whether the relation has documents.
  if (!is_alone() || what.is_ordered()) what = co_await with_its_documents(ask_on(me.db), std::move(what));
  co_await lead(me, std::move(where), std::move(what));
}

/// The first connection exports the snapshot. Alone it has nobody to share one with, and needs no transaction: one
/// query reads everything.
asio::awaitable<void> parallel_work::lead(worker& me, conninfo where, relation what) {
  std::string snapshot;
  if (!is_alone()) {
    const query ask = sql("select pg_catalog.pg_export_snapshot()").as_columns();
    co_await first_row(ask_on(me.db), ask, [&](row one) { snapshot = one.get<std::string>(0); });
  }
  division parts = co_await divide(ask_on(me.db), std::move(what), how_.split, how_.connections);
  co_await share(me, where, snapshot, std::move(parts));
}

asio::awaitable<void> parallel_work::share(worker& me, const conninfo& where, const std::string& snapshot,
                                           division parts) {
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
  spawn_all(me, others, where, snapshot);
  if (others.empty()) tell();
  co_await read_tasks(me);
  while (!all_have_joined()) co_await joined_.rung();  // the snapshot lives as long as the transaction that exported it
  if (!is_alone()) (void)co_await me.db.execute("commit", own_limits());
}

void parallel_work::spawn_all(worker& me, const std::vector<worker*>& others, const conninfo& where,
                              const std::string& snapshot) {
  std::vector<wire::session_pool::room> rooms = std::move(me.rooms);
  auto next = others.begin();
  try {
    for (; next != others.end(); ++next) {
      if (!rooms.empty()) {
        (*next)->rooms.push_back(std::move(rooms.back()));
        rooms.pop_back();
      }
      spawn(**next, follow(**next, where, snapshot));
    }
  } catch (...) {
    const std::lock_guard locked{mutex_};
    running_ -= static_cast<std::uint32_t>(others.end() - next);
    throw;
  }
}

asio::awaitable<void> parallel_work::follow(worker& me, conninfo where, std::string snapshot) {
  {
    const std::lock_guard locked{mutex_};
    require_wanted();
  }
  co_await connect(me, where);
  const std::string import = std::string{begin_reading} + "; set transaction snapshot '" + snapshot + '\'';
  (void)co_await me.db.execute(import, own_limits());
  {
    const std::lock_guard locked{mutex_};
    --joining_;
  }
  tell();
  joined_.ring();
  co_await read_tasks(me);
  (void)co_await me.db.execute("commit", own_limits());
}

/// Later connections go to the same server as the first: no other server knows its snapshot.
asio::awaitable<void> parallel_work::connect(worker& me, conninfo& where) {
  if (lender_ != nullptr) {
    me.session = co_await lender_->acquire(clock::time_point::max(), how_.query.parent);
    me.rooms.clear();
  } else {
    me.session = co_await wire::connect(where, session_options_of(how_.connection));
    where.hosts = {me.session->server.host};
    where.target_session_attrs = session_target::any;
  }
  me.db = connection{me.session};
}

asking parallel_work::ask_on(connection& db) const noexcept { return {db, own_limits()}; }

query_options parallel_work::own_limits() const noexcept {
  return {.stall_timeout = how_.query.stall_timeout, .server_timeout = how_.query.server_timeout};
}

asio::awaitable<void> parallel_work::read_tasks(worker& me) {
  query_options limits = how_.query;
  limits.timeout = limits.first_row_timeout = {};
  task_line line{me.session, limits};
  while (send_tasks(line)) {
    const std::uint64_t weight = line.weight();
    me.table = line.table();
    asio::awaitable<row_stream> first = line.next();
    row_stream rows = co_await std::move(first);
    stream_stats before;
    for (;;) {
      const chunk batch = co_await rows.next();
      count(before, rows.stats());
      note_columns(rows.columns());
      if (!batch) break;
      co_await deliver(me, batch);
      (void)send_tasks(line);
    }
    const std::lock_guard locked{mutex_};
    progress_.done += weight;
  }
}

/// @return whether the connection has a task to read
bool parallel_work::send_tasks(task_line& to) {
  while (to.takes_more()) {
    const std::optional<split_task> task = take(to.size());
    if (!task) break;
    to.send(*task);
  }
  return to.size() != 0;
}

void parallel_work::note_columns(std::span<const result_column> columns) {
  const std::lock_guard locked{mutex_};
  if (columns_.empty()) columns_.assign(columns.begin(), columns.end());
}

/// @pre the mutex is locked
void parallel_work::require_wanted() const {
  if (is_stopped_) throw problem(errc::cancelled, "cancelled", false);
}

/// A connection has the fewer tasks ahead the fewer are left, so that all connections end at about the same time.
std::optional<split_task> parallel_work::take(std::size_t already) {
  const std::lock_guard locked{mutex_};
  require_wanted();
  const std::size_t most = std::max<std::size_t>(tasks_.size() / (2 * std::size_t{how_.connections}), 1);
  if (tasks_.empty() || already >= most) return std::nullopt;
  std::optional<split_task> task{std::move(tasks_.front())};
  tasks_.pop_front();
  return task;
}

/// All tasks share one limit; each task also has it individually.
void parallel_work::count(stream_stats& before, const stream_stats& now) {
  const std::lock_guard locked{mutex_};
  totals_.rows += now.rows - before.rows;
  totals_.bytes += now.bytes - before.bytes;
  totals_.chunks += now.chunks - before.chunks;
  totals_.reads += now.reads - before.reads;
  totals_.pages += now.pages - before.pages;
  totals_.server_wait += now.server_wait - before.server_wait;
  totals_.consumer += now.consumer - before.consumer;
  totals_.buffer_peak = std::max(totals_.buffer_peak, now.buffer_peak);
  totals_.elapsed = since(began_);
  before = now;
  const std::uint64_t most = how_.query.max_stream_bytes;
  if (most != 0 && totals_.bytes > most)
    throw problem(errc::stream_too_large,
                  "it has brought more bytes than max_stream_bytes allows (" + std::to_string(most) + ')', false);
}

/// The first failure ends everything.
void parallel_work::fail(std::exception_ptr failure) {
  const std::lock_guard locked{mutex_};
  if (!is_stopped_) failure_ = std::move(failure);
  stop_all();
}

void parallel_work::stop() noexcept {
  const std::lock_guard locked{mutex_};
  stop_all();
}

/// @pre the mutex is locked
void parallel_work::stop_all() noexcept {
  if (running_ == 0 || std::exchange(is_stopped_, true)) return;
  try {
    on_stop();
    joined_.ring();
    news_.ring();
    for (worker& each : workers_)
      asio::post(each.strand,
                 [self = shared_from_this(), &each] { each.stop.emit(asio::cancellation_type::terminal); });
  } catch (...) {  // no memory for that: each worker stops after its current task
    tasks_.clear();
  }
}

bool parallel_work::all_have_joined() const {
  const std::lock_guard locked{mutex_};
  return joining_ == 0;
}

/// @return whether the connection came to a clean end
bool parallel_work::let_go(worker& me) noexcept {
  me.rooms.clear();
  const std::shared_ptr<wire::session> session = std::exchange(me.session, nullptr);
  if (session == nullptr) return true;
  const bool is_clean = !session->is_broken();
  if (lender_ != nullptr)
    lender_->give_back(session);
  else
    session->close();
  return is_clean;
}

}  // namespace sluice::detail
