#include <sluice/stream/parallel.hpp>

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/wire/connect.hpp>
#include <sluice/wire/leave.hpp>

#include "coroutine_runner.hpp"
#include "first_row.hpp"
#include "session_options.hpp"
#include "split_tasks.hpp"

namespace sluice {

namespace detail {

namespace {

constexpr const char* begin_reading = "begin transaction isolation level repeatable read, read only";

/// Wakes who waits. Whoever waits looks at a condition before, and again after.
class bell {
 public:
  explicit bell(const asio::any_io_executor& on) : timer_{on, asio::steady_timer::time_point::max()} {}
  void ring() { timer_.cancel(); }
  [[nodiscard]] asio::awaitable<void> rung() {
    std::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

 private:
  asio::steady_timer timer_;
};

}  // namespace

/// The tasks, the connections that take them, and the one chunk that the consumer looks at.
class parallel_reader : public std::enable_shared_from_this<parallel_reader> {
 public:
  parallel_reader(const asio::any_io_executor& on, parallel_options how) : on_{on}, how_{how}, news_{on} {}

  /// Connects and divides; then every connection begins with its first task.
  asio::awaitable<void> begin(conninfo where, relation what) {
    if (how_.connections == 0) throw error{errc::bad_query, "in parallel: no connections"};
    connection first = co_await connect_to(where);
    (void)co_await first.execute(begin_reading);
    std::string snapshot;
    const query ask = sql("select pg_export_snapshot()").as_document();
    co_await first_row(first, ask, [&](row one) { snapshot = one.text(); });
    std::vector<split_task> tasks = co_await split_tasks(first, std::move(what), how_.split, how_.connections);
    for (split_task& each : tasks) {
      progress_.planned += each.weight;
      tasks_.push_back(std::move(each));
    }
    add(std::move(first));
    while (workers_.size() < how_.connections && workers_.size() < tasks_.size()) {
      connection next = co_await connect_to(where);
      const std::string import = std::string{begin_reading} + "; set transaction snapshot " + quoted(snapshot);
      (void)co_await next.execute(import);
      add(std::move(next));
    }
    progress_.connections = static_cast<std::uint32_t>(workers_.size());
    running_ = workers_.size();
    for (worker& each : workers_)
      asio::co_spawn(on_, work(shared_from_this(), each),
                     asio::bind_cancellation_slot(each.stop.slot(), asio::detached));
  }

  asio::awaitable<chunk> next() {
    give_back();
    for (;;) {
      if (const std::optional<chunk> rows = advance()) co_return *rows;
      bool aborted = false;
      try {
        co_await news_.rung();
      } catch (const std::system_error&) {  // Asio's way to say that this coroutine was cancelled before it could wait
        aborted = true;
      }
      if (aborted) throw error{errc::cancelled, "cancelled"};
    }
  }

  /// The consumer is done with the rows that it was given: their connection may read on.
  void give_back() {
    if (shown_ == nullptr) return;
    shown_->has_shown = true;
    std::exchange(shown_, nullptr)->turn.ring();
  }
  /// The next rows, the end (an empty chunk), or nothing: then wait, and come again.
  std::optional<chunk> advance() {
    if (failure_) {
      stop();
      throw *failure_;
    }
    if (ready_.empty()) return running_ == 0 ? std::optional<chunk>{chunk{}} : std::nullopt;
    shown_ = ready_.front();
    ready_.pop_front();
    return shown_->rows;
  }

  asio::awaitable<void> cancel() {
    stop();
    while (running_ != 0) co_await news_.rung();
    for (worker& each : workers_) {
      const std::shared_ptr<wire::session> session = std::move(each.db).release();
      if (session == nullptr) continue;
      co_await wire::until_left(*session);
      session->close();
    }
  }

  /// Whatever is under way ends in the background.
  void stop() {
    tasks_.clear();
    ready_.clear();
    is_stopped_ = true;
    give_back();
    for (worker& each : workers_) {
      each.turn.ring();
      each.stop.emit(asio::cancellation_type::terminal);
    }
  }

  [[nodiscard]] const parallel_progress& progress() const noexcept { return progress_; }

 private:
  struct worker {
    worker(const asio::any_io_executor& on, connection&& made) : db{std::move(made)}, turn{on} {}
    connection db;
    asio::cancellation_signal stop;
    bell turn;
    chunk rows;
    bool has_shown{true};  // its rows, and may go on
  };

  static std::string quoted(const std::string& snapshot) { return '\'' + snapshot + '\''; }

  void add(connection&& made) { workers_.emplace_back(on_, std::move(made)); }

  /// After the first one, to the same server: nobody else knows its snapshot.
  asio::awaitable<connection> connect_to(conninfo& where) {
    const std::shared_ptr<wire::session> made = co_await wire::connect(where, session_options_of(how_.connection));
    where.hosts = {made->host};
    where.target_session_attrs = session_target::any;
    co_return connection{made};
  }

  static asio::awaitable<void> work(std::shared_ptr<parallel_reader> self, worker& me) {
    try {
      co_await self->read_tasks(me);
    } catch (const error& failure) {
      if (!self->failure_ && !self->is_stopped_) self->failure_ = failure;
    } catch (const std::system_error&) {
      self->is_stopped_ = true;  // Asio's way to say it
    }
    --self->running_;
    self->news_.ring();
  }

  asio::awaitable<void> read_tasks(worker& me) {
    while (!tasks_.empty()) {
      const split_task task = std::move(tasks_.front());
      tasks_.pop_front();
      row_stream rows = co_await me.db.stream(task.what, how_.query);
      stream_stats before;
      for (;;) {
        const chunk batch = co_await rows.next();
        count(before, rows.stats());
        if (!batch) break;
        co_await show(me, batch);
      }
      progress_.done += task.weight;
    }
    if (is_stopped_) co_return;
    (void)co_await me.db.execute("commit");
    me.db.close();
  }

  void count(stream_stats& before, const stream_stats& now) {
    progress_.rows += now.rows - before.rows;
    progress_.bytes += now.bytes - before.bytes;
    before = now;
  }

  /// Until the consumer has looked at them.
  asio::awaitable<void> show(worker& me, chunk rows) {
    me.rows = rows;
    me.has_shown = false;
    ready_.push_back(&me);
    news_.ring();
    while (!me.has_shown && !is_stopped_) co_await me.turn.rung();
    if (is_stopped_) throw error{errc::cancelled, "stopped"};
  }

  asio::any_io_executor on_;
  parallel_options how_;
  std::deque<split_task> tasks_;
  std::deque<worker> workers_;  // they stay where they are
  std::deque<worker*> ready_;
  worker* shown_{nullptr};
  std::size_t running_{0};
  bool is_stopped_{false};
  std::optional<error> failure_;
  parallel_progress progress_;
  bell news_;
};

/// The reader, and the thread that waits for it.
class blocking_parallel {
 public:
  blocking_parallel(const conninfo& where, const relation& what, const parallel_options& how)
      : reader_{std::make_shared<parallel_reader>(runner_.get_executor(), how)} {
    (void)runner_.run(done(reader_->begin(where, what)), &interrupts_);
  }
  ~blocking_parallel() {
    try {
      cancel();
    } catch (...) {
      reader_.reset();  // no memory for the coroutine: the connections are dropped
    }
  }
  blocking_parallel(const blocking_parallel&) = delete;
  blocking_parallel& operator=(const blocking_parallel&) = delete;

  chunk next() {
    reader_->give_back();
    runner_.poll();
    std::optional<chunk> rows;
    bool is_interrupted = false;
    const auto has_come = [&] { return is_interrupted || (rows = reader_->advance()).has_value(); };
    if (!has_come()) runner_.run_until(has_come, &interrupts_, [&] { is_interrupted = true; });
    if (is_interrupted) throw error{errc::cancelled, "interrupted"};
    return *rows;
  }
  void cancel() { (void)runner_.run(done(reader_->cancel()), nullptr); }
  [[nodiscard]] const parallel_reader& reader() const noexcept { return *reader_; }
  [[nodiscard]] wire::interrupter& interrupts() noexcept { return interrupts_; }

 private:
  static asio::awaitable<bool> done(asio::awaitable<void> work) {
    co_await std::move(work);
    co_return true;
  }

  wire::interrupter interrupts_;
  coroutine_runner runner_;
  std::shared_ptr<parallel_reader> reader_;
};

}  // namespace detail

parallel_stream::parallel_stream(std::shared_ptr<detail::parallel_reader> reader) noexcept
    : reader_{std::move(reader)} {}
parallel_stream::parallel_stream(parallel_stream&&) noexcept = default;
parallel_stream& parallel_stream::operator=(parallel_stream&& other) noexcept {
  if (reader_ != nullptr) reader_->stop();
  reader_ = std::move(other.reader_);
  return *this;
}
parallel_stream::~parallel_stream() {
  if (reader_ != nullptr) reader_->stop();
}

asio::awaitable<chunk> parallel_stream::next() { return reader_->next(); }
asio::awaitable<void> parallel_stream::cancel() { return reader_->cancel(); }
parallel_progress parallel_stream::progress() const noexcept { return reader_->progress(); }

asio::awaitable<parallel_stream> stream_in_parallel(conninfo where, relation what, parallel_options how) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto reader = std::make_shared<detail::parallel_reader>(on, how);
  co_await reader->begin(std::move(where), std::move(what));
  co_return parallel_stream{reader};
}

asio::awaitable<parallel_stream> stream_in_parallel(std::string_view conninfo, relation what, parallel_options how) {
  return stream_in_parallel(sluice::conninfo::parse(conninfo), std::move(what), how);
}

parallel_range::parallel_range(const conninfo& where, const relation& what, const parallel_options& how)
    : work_{std::make_unique<detail::blocking_parallel>(where, what, how)} {}
parallel_range::parallel_range(std::string_view conninfo, const relation& what, const parallel_options& how)
    : parallel_range{sluice::conninfo::parse(conninfo), what, how} {}
parallel_range::parallel_range(parallel_range&&) noexcept = default;
parallel_range& parallel_range::operator=(parallel_range&&) noexcept = default;
parallel_range::~parallel_range() = default;

chunk parallel_range::next() { return work_->next(); }
void parallel_range::cancel() { work_->cancel(); }
parallel_progress parallel_range::progress() const noexcept { return work_->reader().progress(); }
void parallel_range::interrupt() noexcept { work_->interrupts().interrupt(); }

}  // namespace sluice
