#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include <sluice/stream/pool.hpp>
#include <sluice/wire/session_pool.hpp>

#include "pause_for.hpp"

namespace sluice {

namespace {

/// Half of it for certain, the rest at random, so that those who failed together do not come back together.
std::chrono::milliseconds spread(std::chrono::milliseconds longest) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const auto half = longest / 2;
  return half + std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{0, half.count()}(random)};
}

}  // namespace

pooled_stream::pooled_stream(std::shared_ptr<wire::session_pool> from, query what, const query_options& options,
                             const retry_options& retry)
    : from_{std::move(from)}, what_{std::move(what)}, options_{options}, retry_{retry} {}

asio::awaitable<chunk> pooled_stream::next() {
  for (std::chrono::milliseconds longest = retry_.backoff;; longest = std::min(longest * 2, retry_.max_backoff)) {
    std::optional<error> failure;
    try {
      const chunk rows = co_await attempt();
      co_return rows;
    } catch (const error& why) {
      failure = why;
    }
    if (!is_worth_another(*failure)) throw *failure;
    rows_ = {};
    connection_.release();
    co_await detail::pause_for(spread(longest), "cancelled before a query was sent again");
  }
}

asio::awaitable<chunk> pooled_stream::attempt() {
  if (is_over_) co_return chunk{};
  if (!connection_) {
    ++attempts_;
    std::shared_ptr<wire::session> lent = co_await from_->acquire();
    connection_ = pooled_connection{from_, std::move(lent)};
    rows_ = co_await connection_->stream(what_, options_);
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

bool pooled_stream::is_worth_another(const error& failure) const {
  if (has_rows_ || attempts_ >= retry_.attempts) return false;
  const bool was_forgotten = failure.sqlstate() == "26000" || failure.sqlstate() == "0A000";  // a prepared statement
  return failure.retryable() || was_forgotten;
}

asio::awaitable<leaving> pooled_stream::cancel() {
  is_over_ = true;
  const leaving how = co_await rows_.cancel();
  connection_.release();
  co_return how;
}

}  // namespace sluice
