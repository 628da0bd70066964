#include <sluice/stream/parallel.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>

#include <asio/this_coro.hpp>

#include "coroutine_runner.hpp"
#include "parallel_reader.hpp"

namespace sluice {

namespace detail {

namespace {

/// The rows of each connection for the consumer's function.
class parallel_consumer final : public parallel_work {
 public:
  parallel_consumer(const asio::any_io_executor& on, const parallel_options& how, chunk_consumer use)
      : parallel_work{on, how}, use_{std::move(use)} {}

  asio::awaitable<void> until_over() {
    while (!is_over()) co_await news();
  }

 private:
  void on_division(const division& parts) override {
    if (!parts.order.empty())
      throw error{errc::bad_query, "in parallel: each connection has a consumer of its own, and so there is no order"};
  }
  asio::awaitable<void> deliver(std::uint32_t connection, chunk rows) override { return use_(rows, connection); }
  void on_stop() override {}
  [[nodiscard]] bool is_over() const {
    const std::lock_guard locked{mutex_};
    throw_if_failed();
    return running() == 0;
  }

  chunk_consumer use_;
};

}  // namespace

/// The reader, and the thread that waits for it.
class blocking_parallel {
 public:
  blocking_parallel(const conninfo& where, const relation& what, const parallel_options& how)
      : reader_{std::make_shared<parallel_reader>(runner_.get_executor(), how)} {
    try {
      (void)runner_.run(done(reader_->begin(where, what)), &interrupts_);
    } catch (...) {
      end();
      throw;
    }
  }
  ~blocking_parallel() { end(); }
  blocking_parallel(const blocking_parallel&) = delete;
  blocking_parallel& operator=(const blocking_parallel&) = delete;

  chunk next() {
    reader_->give_back();
    std::optional<chunk> rows;
    bool is_interrupted = false;
    const auto has_come = [&] { return is_interrupted || (rows = reader_->advance()).has_value(); };
    if (reader_->is_merging()) runner_.poll();  // whoever is waited for has probably sent something
    if (has_come()) return *rows;
    for (int moments = 0; moments < most_moments; ++moments) {
      give_a_moment();
      runner_.poll();
      if (has_come()) return *rows;
    }
    runner_.run_until(has_come, &interrupts_, [&] { is_interrupted = true; });
    if (is_interrupted) throw error{errc::cancelled, "interrupted"};
    return *rows;
  }
  void cancel() { (void)runner_.run(done(reader_->cancel()), nullptr); }
  [[nodiscard]] const parallel_reader& reader() const noexcept { return *reader_; }
  [[nodiscard]] wire::interrupter& interrupts() noexcept { return interrupts_; }

 private:
  static constexpr int most_moments = 2;
  static constexpr std::uint64_t comfortable = 32U << 10U;  // bytes in a socket: much to read, and no server waits
  static constexpr std::chrono::microseconds shortest_moment{20};
  static constexpr std::chrono::microseconds longest_moment{300};

  /// Lets the servers write more than a little, instead of being woken by each of their writes; see
  /// docs/decisions/a-moment-for-the-server.md.
  void give_a_moment() {
    const parallel_progress now = reader_->progress();
    const std::uint64_t came = now.bytes - std::exchange(seen_, now.bytes);
    moment_ = came > comfortable * now.connections ? moment_ * 4 / 5 : moment_ * 6 / 5;
    moment_ = std::clamp(moment_, shortest_moment, longest_moment);
    std::this_thread::sleep_for(moment_);
  }

  static asio::awaitable<bool> done(asio::awaitable<void> work) {
    co_await std::move(work);
    co_return true;
  }
  void end() noexcept {
    try {
      cancel();
    } catch (...) {
      reader_.reset();  // no memory for the coroutine: the connections are dropped
    }
  }

  wire::interrupter interrupts_;
  coroutine_runner runner_;
  std::shared_ptr<parallel_reader> reader_;
  std::chrono::microseconds moment_{shortest_moment};
  std::uint64_t seen_{0};  // bytes, at the moment before
};

}  // namespace detail

template class row_iterator<detail::blocking_parallel>;

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
parallel_progress parallel_stream::progress() const { return reader_->progress(); }

asio::awaitable<parallel_stream> stream_in_parallel(conninfo where, relation what, parallel_options how) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto reader = std::make_shared<detail::parallel_reader>(on, how);
  parallel_stream rows{reader};  // stops what is under way if it throws
  co_await reader->begin(std::move(where), std::move(what));
  co_return rows;
}

asio::awaitable<parallel_stream> stream_in_parallel(std::string_view conninfo, relation what, parallel_options how) {
  return stream_in_parallel(sluice::conninfo::parse(conninfo), std::move(what), how);
}

asio::awaitable<parallel_progress> for_each_in_parallel(conninfo where, relation what, chunk_consumer use,
                                                        parallel_options how) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto work = std::make_shared<detail::parallel_consumer>(on, how, std::move(use));
  std::exception_ptr failure;
  try {
    co_await work->begin(std::move(where), std::move(what));
    co_await work->until_over();
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await work->cancel();  // nobody is called any more
    std::rethrow_exception(failure);
  }
  co_return work->progress();
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

parallel_range::iterator parallel_range::begin() { return iterator{*work_}; }
chunk parallel_range::next() { return work_->next(); }
void parallel_range::cancel() { work_->cancel(); }
parallel_progress parallel_range::progress() const { return work_->reader().progress(); }
void parallel_range::interrupt() noexcept { work_->interrupts().interrupt(); }

}  // namespace sluice
