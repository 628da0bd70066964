// The result cache on a real server: calls that wait for one another's query, and queries that end early.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/asio_errors.hpp>
#include <string>
#include <utility>

#include "caching.hpp"

namespace cache_flights_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::cache_use;
using sluice::errc;
using sluice::sql;

sluice::query slow(int which) { return sql("select to_json($1::int) from pg_sleep(0.2)", which).as_document(); }
cache_use vouched() {
  cache_use how;
  how.only_reads = true;
  how.tag = "slow";
  return how;
}

/// Starts that many calls of one query and waits for all.
asio::awaitable<int> storm(place& at, int count, const std::string& expected) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  int done = 0;
  int left = count;
  asio::steady_timer end{on, asio::steady_timer::time_point::max()};
  const auto one = [](place& where, std::string wanted, int& good) -> asio::awaitable<void> {
    const std::string text = co_await all_of(where.cache.stream(slow(7), vouched()));
    good += text == wanted;
  };
  for (int i = 0; i < count; ++i)
    asio::co_spawn(on, one(at, expected, done), [&](std::exception_ptr) {
      if (--left == 0) end.cancel();
    });
  try {
    co_await end.async_wait(asio::use_awaitable);
  } catch (const sluice::wire::asio_failure&) {  // all are done
  }
  co_return done;
}

asio::awaitable<void> ask_once(place& at) {
  const int done = co_await storm(at, 64, "7;");
  EXPECT_EQ(done, 64);
  EXPECT_EQ(at.cache.stats().misses, 1U);
  EXPECT_EQ(at.cache.stats().wait_hits, 63U);
  EXPECT_EQ(at.cache.stats().bypasses, 0U);
}
TEST(ResultCache, AsksOnceForSixtyFourTasks) { with_cache({}, ask_once); }

asio::awaitable<void> do_not_wait(place& at) {
  const int done = co_await storm(at, 4, "7;");
  EXPECT_EQ(done, 4);
  EXPECT_EQ(at.cache.stats().wait_hits, 0U);
  EXPECT_EQ(at.cache.stats().misses + at.cache.stats().bypasses, 4U);
}
TEST(ResultCache, DoesNotWaitIfToldSo) { with_cache({.max_wait = 0ms}, do_not_wait); }

asio::awaitable<void> wait_in_vain(place& at) {
  const auto began = std::chrono::steady_clock::now();
  sluice::pooled_stream leader = at.cache.stream(documents(1, 1));
  const sluice::chunk first = co_await leader.next();
  EXPECT_TRUE(first);
  const std::string text = co_await all_of(at.cache.stream(documents(1, 1)));  // the leader does not go on
  EXPECT_EQ(text, "1;");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 30ms);
  EXPECT_EQ(at.cache.stats().bypasses, 1U);
  const sluice::query_options limited{.timeout = 5ms};
  try {
    sluice::pooled_stream late = at.cache.stream(documents(1, 1), {}, limited);
    (void)co_await late.next();
    ADD_FAILURE() << "its time was over";
  } catch (const sluice::error& why) {
    EXPECT_EQ(why.code(), errc::deadline_exceeded);
  }
}
TEST(ResultCache, WaitsNoLongerThanAllowed) { with_cache({.max_wait = 30ms}, wait_in_vain); }

asio::awaitable<void> leader_leaves(place& at) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  std::optional<sluice::pooled_stream> leader{at.cache.stream(documents(1, 1))};
  const sluice::chunk first = co_await leader->next();
  EXPECT_TRUE(first);
  std::string seen;
  asio::co_spawn(on, all_of(at.cache.stream(documents(1, 1))),
                 [&](std::exception_ptr, const std::string& text) { seen = text; });
  asio::steady_timer pause{on, 10ms};
  co_await pause.async_wait(asio::use_awaitable);
  EXPECT_EQ(seen, "");
  leader.reset();
  for (int i = 0; i < 5'000 && seen.empty(); ++i) {
    pause.expires_after(2ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
  EXPECT_EQ(seen, "1;");
  EXPECT_EQ(at.cache.stats().misses, 2U);
  EXPECT_EQ(at.cache.stats().discarded, 1U);
  EXPECT_EQ(at.cache.stats().entries, 1U);
}
TEST(ResultCache, LetsTheNextOneLeadWhenTheFirstLeaves) { with_cache({}, leader_leaves); }

asio::awaitable<void> leader_fails(place& at) {
  for (int i = 0; i < 2; ++i) {
    try {
      (void)co_await all_of(
          at.cache.stream(sql("select to_json(1 / (n - 2)) from generate_series(1, 3) n").as_document()));
      ADD_FAILURE() << "divided by zero";
    } catch (const sluice::error& why) {
      EXPECT_EQ(why.sqlstate(), "22012");
    }
  }
  EXPECT_EQ(at.cache.stats().misses, 2U);
  EXPECT_EQ(at.cache.stats().entries, 0U);
  EXPECT_EQ(at.cache.stats().bytes, 0U);
}
TEST(ResultCache, StoresNothingOfAFailedQuery) { with_cache({}, leader_fails); }

asio::awaitable<void> cancel_a_waiter(place& at) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::pooled_stream leader = at.cache.stream(documents(1, 1));
  const sluice::chunk first = co_await leader.next();
  EXPECT_TRUE(first);
  asio::cancellation_signal signal;
  std::string how;
  const auto tell = [&](std::exception_ptr why, const std::string&) {
    try {
      if (why) std::rethrow_exception(why);
    } catch (const sluice::error& failure) {
      how += failure.code() == errc::cancelled ? "cancelled;" : "?;";
    }
  };
  asio::co_spawn(on, all_of(at.cache.stream(documents(1, 1))), asio::bind_cancellation_slot(signal.slot(), tell));
  std::optional<sluice::pooled_stream> dropped{at.cache.stream(documents(1, 1))};
  asio::co_spawn(on, dropped->next(), [&](std::exception_ptr why, sluice::chunk) { tell(std::move(why), {}); });
  asio::steady_timer pause{on, 5ms};
  co_await pause.async_wait(asio::use_awaitable);
  signal.emit(asio::cancellation_type::terminal);
  dropped.reset();
  pause.expires_after(5ms);
  co_await pause.async_wait(asio::use_awaitable);
  EXPECT_EQ(how, "cancelled;cancelled;");
  const sluice::chunk end = co_await leader.next();
  EXPECT_FALSE(end);
  EXPECT_EQ(at.cache.stats().entries, 1U);
}
TEST(ResultCache, EndsTheWaitOfACallThatIsCancelledOrDropped) { with_cache({}, cancel_a_waiter); }

asio::awaitable<void> invalidate_in_flight(place& at) {
  sluice::pooled_stream leader = at.cache.stream(documents(1, 1), tagged("t"));
  const sluice::chunk first = co_await leader.next();
  EXPECT_TRUE(first);
  at.cache.invalidate("t");
  const sluice::chunk end = co_await leader.next();
  EXPECT_FALSE(end);
  EXPECT_EQ(at.cache.stats().entries, 0U);
  EXPECT_EQ(at.cache.stats().discarded, 1U);
}
TEST(ResultCache, DiscardsWhatWasAskedBeforeAnInvalidation) { with_cache({}, invalidate_in_flight); }

asio::awaitable<void> be_stale(place& at) {
  cache_use brief = vouched();
  brief.ttl = 10ms;
  (void)co_await all_of(at.cache.stream(slow(1), brief));
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  std::string refreshed;
  asio::co_spawn(on, all_of(at.cache.stream(slow(1), brief)),
                 [&](std::exception_ptr, const std::string& text) { refreshed = text; });
  asio::steady_timer pause{on, 20ms};
  co_await pause.async_wait(asio::use_awaitable);
  const std::string stale = co_await all_of(at.cache.stream(slow(1), brief));
  EXPECT_EQ(stale, "1;");
  EXPECT_EQ(refreshed, "") << "it is still on its way";
  EXPECT_EQ(at.cache.stats().stale_hits, 1U);
  for (int i = 0; i < 5'000 && refreshed.empty(); ++i) {
    pause.expires_after(2ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
  EXPECT_EQ(refreshed, "1;");
  EXPECT_EQ(at.cache.stats().misses, 2U);
}
TEST(ResultCache, ServesStaleResultsWhileOneRefreshes) { with_cache({.serve_stale = 10s}, be_stale); }

}  // namespace
}  // namespace cache_flights_test
