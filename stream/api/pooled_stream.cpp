#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sluice/stream/pool.hpp>
#include "pool/session_pool.hpp"
#include "transport/deadline.hpp"

#include "api/chunk_source.hpp"
#include "api/pause_for.hpp"
#include "api/reading.hpp"
#include "api/running_query.hpp"
#include "api/wish.hpp"

namespace sluice {

namespace {

using wire::clock;

}  // namespace

namespace detail {

/// One query, and the connection that it currently runs on.
class attempts_of final : public chunk_source {
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

  [[nodiscard]] asio::awaitable<chunk> next(shared self) override { return run_on(of(std::move(self))); }
  [[nodiscard]] asio::awaitable<leaving> cancel(shared self) override { return stop_for(of(std::move(self))); }
  [[nodiscard]] asio::awaitable<void> pause(const pause_options& how) override { return rows_.pause(how); }
  void resume() override { rows_.resume(); }
  [[nodiscard]] stream_stats stats() const override { return rows_.stats(); }
  [[nodiscard]] std::span<const result_column> columns() const noexcept override { return rows_.columns(); }
  [[nodiscard]] int attempts() const noexcept override { return attempts_; }
  [[nodiscard]] asio::any_io_executor get_executor() const override { return from_->get_executor(); }
  void drop(shared self) noexcept override {
    try {
      if (is_unsent_write()) {
        asio::co_spawn(get_executor(), run(of(std::move(self)), promise{*this}), asio::detached);
        return;
      }
    } catch (...) {  // no memory for the coroutine
    }
    stop();
    rows_ = {};
    connection_.release();
  }

 private:
  // Static functions hold a shared reference to the work, because its stream may be destroyed while they wait.

  [[nodiscard]] static std::shared_ptr<attempts_of> of(shared self) {
    return std::static_pointer_cast<attempts_of>(std::move(self));
  }

  static asio::awaitable<chunk> run_on(std::shared_ptr<attempts_of> self) {
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
  static asio::awaitable<leaving> stop_for(std::shared_ptr<attempts_of> self) {
    self->stop();
    const leaving how = co_await self->rows_.cancel();
    self->connection_.release();
    co_return how;
  }
  /// Runs a statement whose rows are not wanted. Failures are reported to the observer.
  static asio::awaitable<void> run(std::shared_ptr<attempts_of> self, promise /*kept when this ends*/) {
    try {
      for (bool goes_on = true; goes_on;) {
        const chunk rows = co_await run_on(self);
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
  [[nodiscard]] bool is_unsent_write() const {
    return attempts_ == 0 && !wanted_.is_over() && what_.effects() == query::effect::any;
  }

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
  asio::awaitable<void> acquire() {
    connection_ = co_await pooled_connection::acquire_from(from_, last_moment(), options_.parent);
  }

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

chunk_source::~chunk_source() = default;
pooled_stream chunk_source::stream_of(shared source) noexcept { return pooled_stream{std::move(source)}; }

}  // namespace detail

pooled_stream::pooled_stream(std::shared_ptr<detail::chunk_source> source) noexcept : source_{std::move(source)} {}
pooled_stream::pooled_stream(pooled_stream&&) noexcept = default;
pooled_stream& pooled_stream::operator=(pooled_stream&& other) noexcept {
  if (this == &other) return *this;
  leave();
  source_ = std::move(other.source_);
  return *this;
}
pooled_stream::~pooled_stream() { leave(); }

void pooled_stream::leave() noexcept {
  const std::shared_ptr<detail::chunk_source> source = std::move(source_);
  if (source != nullptr) source->drop(source);
}

asio::awaitable<chunk> pooled_stream::next() { return source_ == nullptr ? detail::the_end() : source_->next(source_); }
asio::awaitable<leaving> pooled_stream::cancel() {
  return source_ == nullptr ? detail::nothing_to_leave() : source_->cancel(source_);
}
asio::awaitable<void> pooled_stream::pause(pause_options how) {
  if (source_ == nullptr) throw error{errc::bad_state, "the stream was moved from"};
  return source_->pause(how);
}
void pooled_stream::resume() {
  if (source_ != nullptr) source_->resume();
}
stream_stats pooled_stream::stats() const { return source_ == nullptr ? stream_stats{} : source_->stats(); }
std::span<const result_column> pooled_stream::columns() const noexcept {
  return source_ == nullptr ? std::span<const result_column>{} : source_->columns();
}
int pooled_stream::attempts() const noexcept { return source_ == nullptr ? 0 : source_->attempts(); }
asio::any_io_executor pooled_stream::get_executor() const {
  if (source_ == nullptr) throw error{errc::bad_state, "the stream was moved from"};
  return source_->get_executor();
}

pooled_stream pool::stream(query what, query_options options, retry_options retry) const {
  return stream_on(held(), std::move(what), options, retry);
}

pooled_stream pool::stream_on(std::shared_ptr<wire::session_pool> sessions, query what, query_options options,
                              retry_options retry) {
  return pooled_stream{std::make_shared<detail::attempts_of>(std::move(sessions), std::move(what), options, retry)};
}

}  // namespace sluice
