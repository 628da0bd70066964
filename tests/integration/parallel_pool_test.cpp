// Parallel reading over the connections of a pool, which gets all of them back, clean, however the reading ends.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <sluice/sluice.hpp>
#include <sluice/wire/asio_errors.hpp>

#include "cluster.hpp"
#include "faces.hpp"

namespace parallel_pool_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::from;
using sluice::pool;
using sluice::sql;

constexpr int rows_of_all = 20'000;

class ParallelPool : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(
        "drop table if exists read_by_a_pool; create table read_by_a_pool as select jsonb_build_object('n', n, 's', "
        "repeat(md5(n::text), 8)) as data from generate_series(1, " +
        std::to_string(rows_of_all) + ") n");
  }
};

sluice::relation all() { return from("read_by_a_pool"); }
sluice::parallel_options over(std::uint32_t connections) { return {.connections = connections}; }

/// Every connection is back, none is in a transaction, and the pool can be used.
asio::awaitable<void> expect_all_back(pool& of) {
  for (std::size_t i = 0; i < of.stats().max; ++i) {
    sluice::pooled_connection lent = co_await of.acquire();
    std::string text;
    sluice::row_stream asked = co_await lent->stream(sql("select to_json(current_setting('transaction_isolation'))"));
    while (const sluice::chunk some = co_await asked.next()) text = (*some.begin()).text();
    EXPECT_EQ(text, R"("read committed")");
  }
  const bool came_back = co_await of.drain(10s);
  EXPECT_TRUE(came_back);
}

template <class Body>
void with_pool(std::size_t size, Body body) {
  const auto whole = [](std::size_t most, Body does) -> asio::awaitable<void> {
    pool of{co_await asio::this_coro::executor, dsn(), {.max_size = most}};
    asio::awaitable<void> done = does(of);
    co_await std::move(done);
    asio::awaitable<void> checked = expect_all_back(of);
    co_await std::move(checked);
  };
  run(whole(size, body));
}

asio::awaitable<std::set<std::string>> all_of(sluice::parallel_stream rows) {
  std::set<std::string> seen;
  int count = 0;
  while (const sluice::chunk some = co_await rows.next())
    for (const sluice::row each : some) {
      seen.emplace(each.text());
      ++count;
    }
  EXPECT_EQ(count, rows_of_all);
  co_return seen;
}

TEST_F(ParallelPool, GivesEachRowOnceOverConnectionsThatAreKept) {
  with_pool(3, [](pool& of) -> asio::awaitable<void> {
    for (int round = 0; round < 3; ++round) {
      sluice::parallel_stream rows = co_await sluice::stream_in_parallel(of, all(), over(3));
      EXPECT_EQ(of.stats().lent, 3U);
      asio::awaitable<std::set<std::string>> read = all_of(std::move(rows));
      const std::set<std::string> seen = co_await std::move(read);
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(rows_of_all));
      EXPECT_EQ(of.stats().opened, 3U) << "no connection was made for the second round";
    }
  });
}

TEST_F(ParallelPool, TakesNoMoreThanThePoolMayHave) {
  with_pool(2, [](pool& of) -> asio::awaitable<void> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(of, all(), over(64));
    EXPECT_EQ(rows.progress().connections, 2U);
    asio::awaitable<std::set<std::string>> read = all_of(std::move(rows));
    (void)co_await std::move(read);
  });
}

TEST_F(ParallelPool, IsSharedByReadingsThatTogetherWantMoreThanItHas) {
  with_pool(3, [](pool& of) -> asio::awaitable<void> {
    int finished = 0;
    const auto read = [&](sluice::relation what) -> asio::awaitable<void> {
      asio::awaitable<sluice::parallel_stream> begun = sluice::stream_in_parallel(of, std::move(what), over(2));
      asio::awaitable<std::set<std::string>> rows = all_of(co_await std::move(begun));
      const std::set<std::string> seen = co_await std::move(rows);
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(rows_of_all));
      ++finished;
    };
    asio::steady_timer all_are{co_await asio::this_coro::executor, asio::steady_timer::time_point::max()};
    constexpr int readings = 6;
    int running = readings;
    for (int i = 0; i < readings; ++i) {
      sluice::relation what = all();
      if (i % 2 == 0) what.order_by(sluice::field("n").as_numeric());
      asio::co_spawn(co_await asio::this_coro::executor, read(std::move(what)), [&](std::exception_ptr failed) {
        EXPECT_FALSE(failed);
        if (--running == 0) all_are.cancel();
      });
    }
    sluice::wire::asio_code cancelled;
    co_await all_are.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    EXPECT_EQ(finished, readings);
  });
}

TEST_F(ParallelPool, ReadsOverOneConnectionWithoutATransaction) {
  with_pool(1, [](pool& of) -> asio::awaitable<void> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(of, all(), over(1));
    asio::awaitable<std::set<std::string>> read = all_of(std::move(rows));
    (void)co_await std::move(read);
  });
}

TEST_F(ParallelPool, GivesConnectionsBackWhenItIsCancelled) {
  with_pool(2, [](pool& of) -> asio::awaitable<void> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(of, all(), over(2));
    const sluice::chunk first = co_await rows.next();
    EXPECT_TRUE(first);
    const sluice::leaving how = co_await rows.cancel();
    EXPECT_EQ(how, sluice::leaving::cancelled);
    EXPECT_EQ(of.stats().found_dead, 0U);
  });
}

TEST_F(ParallelPool, GivesConnectionsBackWhenItIsDropped) {
  with_pool(2, [](pool& of) -> asio::awaitable<void> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(of, all(), over(2));
    const sluice::chunk first = co_await rows.next();
    EXPECT_TRUE(first);
  });
}

TEST_F(ParallelPool, GivesBackWhatIsLeftWhenAServerProcessEnds) {
  with_pool(2, [](pool& of) -> asio::awaitable<void> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(of, all(), over(2));
    psql(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like '%read_by_a_pool%' and pid <> "
        "pg_backend_pid() limit 1");
    std::optional<sluice::error> failure;
    try {
      while (co_await rows.next()) continue;
    } catch (const sluice::error& e) {
      failure = e;
    }
    EXPECT_TRUE(failure);
  });
}

TEST_F(ParallelPool, SaysWhatItCannotReadAndGivesTheConnectionBack) {
  with_pool(2, [](pool& of) -> asio::awaitable<void> {
    std::optional<sluice::error> failure;
    try {
      (void)co_await sluice::stream_in_parallel(of, from("no_such_relation"), over(2));
    } catch (const sluice::error& e) {
      failure = e;
    }
    EXPECT_TRUE(failure && failure->sqlstate() == "42P01") << (failure ? failure->what() : "nothing");
  });
}

TEST_F(ParallelPool, GivesAConsumerForEachConnectionItsRows) {
  with_pool(3, [](pool& of) -> asio::awaitable<void> {
    std::set<std::string> seen;
    const auto use = [&seen](sluice::chunk rows, std::uint32_t connection) -> asio::awaitable<void> {
      EXPECT_LT(connection, 3U);
      for (const sluice::row each : rows) seen.emplace(each.text());
      co_return;
    };
    const sluice::parallel_progress done = co_await sluice::for_each_in_parallel(of, all(), use, over(3));
    EXPECT_EQ(done.rows, static_cast<std::uint64_t>(rows_of_all));
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(rows_of_all));
  });
}

TEST_F(ParallelPool, NeedNotOutliveTheStream) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::parallel_stream rows;
    {
      pool of{co_await asio::this_coro::executor, dsn(), {.max_size = 2}};
      rows = co_await sluice::stream_in_parallel(of, all(), over(2));
    }
    asio::awaitable<std::set<std::string>> read = all_of(std::move(rows));
    (void)co_await std::move(read);
  };
  run(body());
}

}  // namespace
}  // namespace parallel_pool_test
