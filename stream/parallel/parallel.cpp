#include <sluice/stream/parallel.hpp>
#include <sluice/stream/pool.hpp>

#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <asio/this_coro.hpp>

#include "drive/coroutine_runner.hpp"
#include "parallel/parallel_reader.hpp"
#include "transport/server_moment.hpp"

namespace sluice {

namespace detail {

namespace {

/// Passes the rows of each connection to the consumer's function.
class parallel_consumer final : public parallel_work {
 public:
  parallel_consumer(const asio::any_io_executor& on, const parallel_options& how, chunk_consumer use)
      : parallel_work{on, how}, use_{std::move(use)} {}

 private:
  void on_division(const division& parts) override {
    if (!parts.order.empty())
      throw error{errc::bad_query, "in parallel: each connection has a consumer of its own, and so there is no order"};
  }
  asio::awaitable<void> deliver(const worker& by, chunk rows) override {
    {
      const std::lock_guard locked{mutex_};
      note_rows();
    }
    return use_(rows, by.number);
  }
  void on_stop() override {}

  chunk_consumer use_;
};

}  // namespace

/// The reader, and the thread that blocks on it.
class blocking_parallel {
 public:
  blocking_parallel(const conninfo& where, const relation& what, const parallel_options& how)
      : asked_{{where, what}}, reader_{std::make_shared<parallel_reader>(runner_.get_executor(), how)} {}
  ~blocking_parallel() { end(); }
  blocking_parallel(const blocking_parallel&) = delete;
  blocking_parallel& operator=(const blocking_parallel&) = delete;

  chunk next() {
    if (launch()) (void)runner_.run(done(parallel_work::begun(reader_)), &interrupts_);
    reader_->give_back();
    std::optional<chunk> rows = reader_->advance();
    if (!rows && reader_->is_merging()) {  // the connection that the merge waits for has probably sent something
      runner_.poll();
      rows = reader_->advance();
    }
    for (int moments = 0; !rows && moments < most_moments; ++moments) {
      give_a_moment();
      runner_.poll();
      rows = reader_->advance();
    }
    return rows ? *rows : runner_.run(parallel_reader::next(reader_), &interrupts_);
  }
  leaving cancel() {
    if (!std::exchange(asked_, std::nullopt)) return runner_.run(parallel_reader::cancel(reader_), nullptr);
    reader_->give_up();
    return reader_->outcome();
  }
  [[nodiscard]] const parallel_reader& reader() const noexcept { return *reader_; }
  [[nodiscard]] wire::interrupter& interrupts() noexcept { return interrupts_; }

 private:
  static constexpr int most_moments = 2;

  /// Deferred until a call waits, because interrupts only reach a waiting call.
  bool launch() {
    const std::optional<question> ask = std::exchange(asked_, std::nullopt);
    if (ask) reader_->launch(ask->where, ask->what);
    return ask.has_value();
  }

  void give_a_moment() {
    const parallel_progress now = reader_->progress();
    const std::uint64_t came = now.bytes - std::exchange(seen_, now.bytes);
    std::this_thread::sleep_for(moment_.next(came, now.connections));
  }

  static asio::awaitable<bool> done(asio::awaitable<void> work) {
    co_await std::move(work);
    co_return true;
  }
  void end() noexcept {
    if (asked_) return;
    try {
      (void)cancel();
    } catch (...) {
      reader_.reset();  // no memory for the coroutine: the connections are dropped
    }
  }

  struct question {
    conninfo where;
    relation what;
  };

  wire::interrupter interrupts_;
  wire::coroutine_runner runner_;
  std::optional<question> asked_;  // until it is launched
  std::shared_ptr<parallel_reader> reader_;
  wire::shared_moment moment_;
  std::uint64_t seen_{0};  // byte count at the previous back-off
};

}  // namespace detail

template class row_iterator<detail::blocking_parallel>;

parallel_stream::parallel_stream(std::shared_ptr<detail::parallel_reader> reader) noexcept
    : reader_{std::move(reader)} {}
parallel_stream::parallel_stream() noexcept = default;
parallel_stream::parallel_stream(parallel_stream&&) noexcept = default;
parallel_stream& parallel_stream::operator=(parallel_stream&& other) noexcept {
  if (this == &other) return *this;
  if (reader_ != nullptr) reader_->abandon();
  reader_ = std::move(other.reader_);
  return *this;
}
parallel_stream::~parallel_stream() {
  if (reader_ != nullptr) reader_->abandon();
}

namespace {

void require_there(const void* held) {
  if (held == nullptr) throw error{errc::bad_state, "the stream was moved from"};
}

}  // namespace

asio::awaitable<chunk> parallel_stream::next() {
  require_there(reader_.get());
  return detail::parallel_reader::next(reader_);
}
asio::awaitable<leaving> parallel_stream::cancel() {
  require_there(reader_.get());
  return detail::parallel_reader::cancel(reader_);
}
stream_stats parallel_stream::stats() const {
  require_there(reader_.get());
  return reader_->stats();
}
parallel_progress parallel_stream::progress() const {
  require_there(reader_.get());
  return reader_->progress();
}
std::span<const result_column> parallel_stream::columns() const {
  require_there(reader_.get());
  return reader_->columns();
}
asio::any_io_executor parallel_stream::get_executor() const {
  require_there(reader_.get());
  return reader_->get_executor();
}

asio::awaitable<parallel_stream> stream_in_parallel(conninfo where, relation what, parallel_options how) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto reader = std::make_shared<detail::parallel_reader>(on, how);
  parallel_stream rows{reader};  // its destructor stops the work if something below throws
  reader->launch(std::move(where), std::move(what));
  asio::awaitable<void> begun = detail::parallel_work::begun(reader);
  co_await std::move(begun);
  co_return rows;
}

asio::awaitable<parallel_stream> stream_in_parallel(std::string_view conninfo, relation what, parallel_options how) {
  return stream_in_parallel(sluice::conninfo::parse(conninfo), std::move(what), how);
}

asio::awaitable<parallel_stream> parallel_stream::over(std::shared_ptr<wire::session_pool> lender, relation what,
                                                       parallel_options how) {
  const auto reader = std::make_shared<detail::parallel_reader>(lender->get_executor(), how);
  parallel_stream rows{reader};
  reader->launch(std::move(lender), std::move(what));
  asio::awaitable<void> begun = detail::parallel_work::begun(reader);
  co_await std::move(begun);
  co_return rows;
}

asio::awaitable<parallel_stream> stream_in_parallel(const pool& from, relation what, parallel_options how) {
  return parallel_stream::over(detail::sessions_of(from), std::move(what), how);
}

asio::awaitable<parallel_progress> for_each_in_parallel(conninfo where, relation what, chunk_consumer use,
                                                        parallel_options how) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto work = std::make_shared<detail::parallel_consumer>(on, how, std::move(use));
  work->launch(std::move(where), std::move(what));
  asio::awaitable<void> finished = detail::parallel_work::finished(work);
  co_await std::move(finished);
  co_return work->progress();
}

namespace {
asio::awaitable<parallel_progress> for_each_over(std::shared_ptr<wire::session_pool> lender, relation what,
                                                 chunk_consumer use, parallel_options how) {
  const auto work = std::make_shared<detail::parallel_consumer>(lender->get_executor(), how, std::move(use));
  work->launch(std::move(lender), std::move(what));
  asio::awaitable<void> finished = detail::parallel_work::finished(work);
  co_await std::move(finished);
  co_return work->progress();
}
}  // namespace

asio::awaitable<parallel_progress> for_each_in_parallel(const pool& from, relation what, chunk_consumer use,
                                                        parallel_options how) {
  return for_each_over(detail::sessions_of(from), std::move(what), std::move(use), how);
}

asio::awaitable<parallel_progress> for_each_in_parallel(std::string_view conninfo, relation what, chunk_consumer use,
                                                        parallel_options how) {
  return for_each_in_parallel(sluice::conninfo::parse(conninfo), std::move(what), std::move(use), how);
}

parallel_range::parallel_range(const conninfo& where, const relation& what, const parallel_options& how)
    : work_{std::make_unique<detail::blocking_parallel>(where, what, how)} {}
parallel_range::parallel_range(std::string_view conninfo, const relation& what, const parallel_options& how)
    : parallel_range{sluice::conninfo::parse(conninfo), what, how} {}
parallel_range::parallel_range(parallel_range&&) noexcept = default;
parallel_range& parallel_range::operator=(parallel_range&&) noexcept = default;
parallel_range::~parallel_range() = default;

parallel_range::iterator parallel_range::begin() {
  require_there(work_.get());
  return iterator{*work_};
}
chunk parallel_range::next() {
  require_there(work_.get());
  return work_->next();
}
leaving parallel_range::cancel() {
  require_there(work_.get());
  return work_->cancel();
}
stream_stats parallel_range::stats() const {
  require_there(work_.get());
  return work_->reader().stats();
}
parallel_progress parallel_range::progress() const {
  require_there(work_.get());
  return work_->reader().progress();
}
std::span<const result_column> parallel_range::columns() const {
  require_there(work_.get());
  return work_->reader().columns();
}
void parallel_range::interrupt() noexcept {
  if (work_ != nullptr) work_->interrupts().interrupt();
}

}  // namespace sluice
