// Queries on a pool that are sent again, queries that are not, and a server that restarts while they run.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <string>

#include "asking.hpp"
#include "checked_streams.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace retry_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::pool;
using sluice::retry_options;
using sluice::sql;

constexpr retry_options thrice{.attempts = 3, .backoff = 1ms, .max_backoff = 10ms};

struct result {
  std::string text;
  std::string sqlstate;
  int attempts{};
  std::size_t rows{};
};

asio::awaitable<result> ask(pool& from, sluice::query what, retry_options retry) {
  sluice::pooled_stream rows = from.stream(what, {}, retry);
  result seen;
  try {
    for (sluice::chunk chunk = co_await rows.next(); chunk; chunk = co_await rows.next())
      for (const sluice::row row : chunk) {
        seen.text = row.text();
        ++seen.rows;
      }
  } catch (const sluice::error& e) {
    seen.text = e.what();
    seen.sqlstate = e.sqlstate();
  }
  seen.attempts = rows.attempts();
  co_return seen;
}

/// Statements whose first runs fail, each in its own way.
class Retry : public testing::Test {
 protected:
  Retry() {
    psql(
        "drop sequence if exists runs; create sequence runs; "
        "create or replace function bad_luck(state text, times int) returns text language plpgsql as $$ begin "
        "if nextval('runs') <= times then "
        "if state = 'kill' then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); end if; "
        "raise exception 'bad luck' using errcode = state; end if; return 'good luck'; end $$");
  }
  static result run_on_a_pool(const sluice::query& what, retry_options retry, sluice::connection_options each = {}) {
    asio::io_context context{1};
    pool from{context.get_executor(), dsn(), {.max_size = 2}, each};
    result seen;
    asio::co_spawn(
        context,
        [](pool& on, sluice::query query, retry_options how, result& to) -> asio::awaitable<void> {
          to = co_await ask(on, std::move(query), how);
          on.close();
        }(from, what, retry, seen),
        asio::detached);
    context.run();
    return seen;
  }
  static sluice::query unlucky(const std::string& state, int times) {
    return sql("select to_json(bad_luck($1, $2::int))", state, times).as_document();
  }
};

TEST_F(Retry, SendsAgainWhatMayGoWellAnotherTime) {
  for (const char* const state : {"40001", "40P01", "57P03", "kill"}) {
    psql("alter sequence runs restart");
    const result seen = run_on_a_pool(unlucky(state, 2), thrice);
    EXPECT_EQ(seen.text, "\"good luck\"") << state;
    EXPECT_EQ(seen.attempts, 3) << state;
  }
}

TEST_F(Retry, GivesUpInTheEnd) {
  const result seen = run_on_a_pool(unlucky("40001", 100), thrice);
  EXPECT_EQ(seen.sqlstate, "40001");
  EXPECT_EQ(seen.attempts, 3);
}

TEST_F(Retry, IsOffUnlessAskedFor) {
  const result seen = run_on_a_pool(unlucky("40001", 1), {});
  EXPECT_EQ(seen.sqlstate, "40001");
  EXPECT_EQ(seen.attempts, 1);
}

TEST_F(Retry, DoesNotTryWhatCannotGetBetter) {
  const result seen = run_on_a_pool(unlucky("22012", 1), thrice);
  EXPECT_EQ(seen.sqlstate, "22012");
  EXPECT_EQ(seen.attempts, 1);
}

TEST_F(Retry, NeverGivesARowTwice) {
  const auto what = sql("select case when n < 50000 then to_json(n) else to_json(bad_luck('40001', 1)) end "
                        "from generate_series(1, 50000) n")
                        .as_document();
  const result seen = run_on_a_pool(what, thrice);
  EXPECT_EQ(seen.sqlstate, "40001");
  EXPECT_EQ(seen.attempts, 1);
  EXPECT_GT(seen.rows, 0U);
}

TEST_F(Retry, MendsAForgottenStatement) {
  sluice::connection_options options;
  options.statement_cache = 4;
  const auto what = sql("select to_json(1)").as_document();
  asio::io_context context{1};
  pool from{context.get_executor(), dsn(), {.max_size = 1}, options};
  const auto work = [](pool& on, sluice::query query) -> asio::awaitable<void> {
    (void)co_await ask(on, query, {});
    const sluice::query forget = sql("do $$ begin deallocate all; end $$").as_document();
    (void)co_await ask(on, forget, {});
    const result seen = co_await ask(on, query, thrice);
    EXPECT_EQ(seen.text, "1");
    EXPECT_EQ(seen.attempts, 2);
    on.close();
  };
  asio::co_spawn(context, work(from, what), asio::detached);
  context.run();
}

asio::awaitable<void> restarting(pool& from) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  checked_streams seen;
  bool over = false;
  seen.start(16, from, on, over);
  for (const std::string mode : {"fast", "immediate"}) {
    co_await seen.more(50);
    EXPECT_EQ(pg_ctl("restart -m " + mode + " -w -t 60 -l " + cluster_value("SLUICE_TEST_LOG")).status, 0) << mode;
    co_await seen.more(50);
  }
  over = true;
  co_await seen.all_have_ended();
  seen.expect_only_lost_servers();
  EXPECT_EQ(from.stats().lent, 0U);
  EXPECT_EQ(from.stats().waiting, 0U);
  from.close();
}

TEST(Restart, OfTheServerLosesNoTask) {
  asio::io_context context{1};
  pool from{context.get_executor(), dsn(), {.max_size = 8, .backoff = 5ms, .max_backoff = 50ms}};
  asio::co_spawn(context, restarting(from), asio::detached);
  context.run();
}

}  // namespace
}  // namespace retry_test
