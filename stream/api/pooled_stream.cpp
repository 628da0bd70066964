#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sluice/stream/pool.hpp>
#include "pool/session_pool.hpp"
#include "transport/deadline.hpp"

#include "api/pause_for.hpp"
#include "api/reading.hpp"
#include "api/running_query.hpp"
#include "api/wish.hpp"

namespace sluice {

namespace {

using wire::clock;

}  // namespace

/// One query, and the connection that it currently runs on.
class pooled_stream::attempts_of {
 public:
  attempts_of(std::shared_ptr<wire::session_pool> from, query what, const query_options& options,
              const retry_options& retry)
      : from_{std::move(from)}, what_{std::move(what)}, options_{options}, retry_{retry} {}

  /// A promise that the statement will be sent: the pool does not finish draining before that.
  class promise {
   public:
    explicit promise(const attempts_of& of) noexcept : to_{of.from_} { to_->promise(); }
    promise(promise&&) noexcept = default;
    promise& operator=(promise&&) = delete;
    ~promise() {
      if (to_ != nullptr) to_->kept();
    }

   private:
    std::shared_ptr<wire::session_pool> to_;
  };

  // Static functions hold a shared reference to the work, because its stream may be destroyed while they wait.

  static asio::awaitable<chunk> next(std::shared_ptr<attempts_of> self) {
    if (self->attempts_ == 0) self->began_ = clock::now();
    for (wire::back_off pauses{self->retry_.backoff, self->retry_.max_backoff};;) {
      std::optional<error> failure;
      try {
        const chunk rows = co_await self->attempt();
        co_return rows;
      } catch (const error& why) {
        failure = why;
      }
      const std::chrono::milliseconds pause = detail::spread(pauses.next());
      if (!self->is_worth_another(*failure) || wire::from_now(pause) >= self->last_moment()) throw *failure;
      self->rows_ = {};
      self->unsent_.reset();
      self->connection_.release();
      co_await self->wanted_.unless_over(detail::pause_for(pause, "cancelled before a query was sent again"));
    }
  }
  static asio::awaitable<leaving> cancel(std::shared_ptr<attempts_of> self) {
    self->stop();
    const leaving how = co_await self->rows_.cancel();
    self->connection_.release();
    co_return how;
  }
  /// Runs a statement whose rows are not wanted. Failures are reported to the observer.
  static asio::awaitable<void> run(std::shared_ptr<attempts_of> self, promise /*kept when this ends*/) {
    try {
      for (bool goes_on = true; goes_on;) {
        const chunk rows = co_await next(self);
        goes_on = static_cast<bool>(rows);
      }
    } catch (const error& why) {
      if (!self->connection_) self->from_->report_unsent(self->what_.text(), why);
      self->connection_.release();
    }
  }

  void stop() noexcept {
    if (is_over_) return;
    wanted_.end();
  }
  /// The stream is gone.
  void drop() noexcept {
    stop();
    rows_ = {};
    connection_.release();
  }
  [[nodiscard]] bool is_unsent_write() const {
    return attempts_ == 0 && !wanted_.is_over() && what_.effects() == query::effect::any;
  }
  [[nodiscard]] asio::any_io_executor get_executor() const { return from_->get_executor(); }
  [[nodiscard]] row_stream& rows() noexcept { return rows_; }
  [[nodiscard]] stream_stats stats() const { return rows_.stats(); }
  [[nodiscard]] std::span<const result_column> columns() const noexcept { return rows_.columns(); }
  [[nodiscard]] int attempts() const noexcept { return attempts_; }

 private:
  asio::awaitable<chunk> attempt() {
    if (is_over_) co_return chunk{};
    wanted_.require();
    if (unsent_) throw *unsent_;
    if (!connection_) {
      ++attempts_;
      co_await take_connection();
      query_options rest = options_;
      rest.timeout = detail::rest_of(options_.timeout, began_);
      rest.first_row_timeout = detail::rest_of(options_.first_row_timeout, began_);
      co_await send(rest);
      wanted_.require();
    }
    const chunk rows = co_await rows_.next();
    if (rows) {
      has_rows_ = true;
    } else {
      is_over_ = true;
      connection_.release();
    }
    co_return rows;
  }

  /// A query that cannot be sent gives no rows; the error is kept.
  asio::awaitable<void> send(query_options how) {
    try {
      rows_ = co_await connection_->stream(what_, how);
    } catch (const error& why) {
      unsent_ = why;
      throw;
    }
  }

  /// A connection that arrives just as the wait is cut off goes back to the pool: nothing was sent on it.
  asio::awaitable<void> take_connection() {
    try {
      co_await wanted_.unless_over(acquire());
    } catch (...) {
      connection_.release();
      throw;
    }
  }
  asio::awaitable<void> acquire() { connection_ = co_await pooled_connection::acquire_from(from_, last_moment()); }

  /// After this time, nothing is sent.
  [[nodiscard]] clock::time_point last_moment() const { return detail::latest_start(began_, options_); }
  [[nodiscard]] bool is_worth_another(const error& failure) const {
    if (wanted_.is_over() || has_rows_ || attempts_ >= retry_.attempts) return false;
    // Only the query's own deadline ends the retries; if the wait for a connection timed out, we have no connection.
    if (failure.code() == errc::deadline_exceeded && connection_) return false;
    const bool was_forgotten = failure.sqlstate() == "26000" || failure.sqlstate() == "0A000";  // a prepared statement
    return failure.retryable() || was_forgotten;
  }

  std::shared_ptr<wire::session_pool> from_;
  query what_;
  query_options options_;
  retry_options retry_;
  detail::wish wanted_{from_->get_executor(), "cancelled: the stream was left"};
  clock::time_point began_{};
  pooled_connection connection_;
  row_stream rows_;  // destroyed first
  int attempts_{0};
  std::optional<error> unsent_;
  bool has_rows_{false};
  bool is_over_{false};
};

pooled_stream::pooled_stream(std::shared_ptr<attempts_of> work) noexcept : work_{std::move(work)} {}
pooled_stream::pooled_stream(pooled_stream&&) noexcept = default;
pooled_stream& pooled_stream::operator=(pooled_stream&& other) noexcept {
  if (this == &other) return *this;
  leave();
  work_ = std::move(other.work_);
  return *this;
}
pooled_stream::~pooled_stream() { leave(); }

void pooled_stream::leave() noexcept {
  const std::shared_ptr<attempts_of> work = std::move(work_);
  if (work == nullptr) return;
  try {
    if (work->is_unsent_write()) {
      asio::co_spawn(work->get_executor(), attempts_of::run(work, attempts_of::promise{*work}), asio::detached);
      return;
    }
  } catch (...) {  // no memory for the coroutine
  }
  work->drop();
}

asio::awaitable<chunk> pooled_stream::next() { return work_ == nullptr ? detail::the_end() : attempts_of::next(work_); }
asio::awaitable<leaving> pooled_stream::cancel() {
  return work_ == nullptr ? detail::nothing_to_leave() : attempts_of::cancel(work_);
}
asio::awaitable<void> pooled_stream::pause(pause_options how) {
  if (work_ == nullptr) throw error{errc::bad_state, "the stream was moved from"};
  return work_->rows().pause(how);
}
void pooled_stream::resume() {
  if (work_ != nullptr) work_->rows().resume();
}
stream_stats pooled_stream::stats() const { return work_ == nullptr ? stream_stats{} : work_->stats(); }
std::span<const result_column> pooled_stream::columns() const noexcept {
  return work_ == nullptr ? std::span<const result_column>{} : work_->columns();
}
int pooled_stream::attempts() const noexcept { return work_ == nullptr ? 0 : work_->attempts(); }
asio::any_io_executor pooled_stream::get_executor() const {
  if (work_ == nullptr) throw error{errc::bad_state, "the stream was moved from"};
  return work_->get_executor();
}

pooled_stream pool::stream(query what, query_options options, retry_options retry) const {
  return pooled_stream{std::make_shared<pooled_stream::attempts_of>(held(), std::move(what), options, retry)};
}

}  // namespace sluice
