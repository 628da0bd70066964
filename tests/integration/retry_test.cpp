// Queries on a pool that are sent again, and those that are not; a server that is restarted under them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <map>
#include <string>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "shell.hpp"

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

/// Statements whose first runs go wrong, each in its own way.
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

/// As whoever runs the server.
finished as_server(const std::string& command) {
  const std::string user = cluster_value("SLUICE_TEST_SERVER_USER");
  const std::string change =
      ::geteuid() == 0 ? "setpriv --reuid=" + user + " --regid=\"$(id -g " + user + ")\" --clear-groups -- " : "";
  return shell("cd / && " + change + command + " >/dev/null 2>&1");
}

struct tally {
  std::size_t whole{};
  std::map<std::string, int> errors;
  int running{};
};

/// Every result is whole, with the right sum, or an error.
asio::awaitable<void> task(pool& from, tally& to, const bool& over) {
  while (!over) {
    const auto what = sql("select to_json(n) from generate_series(1, 2000) n").as_document();
    sluice::pooled_stream rows = from.stream(what);
    std::string failure;
    try {
      std::int64_t sum = 0;
      for (sluice::chunk chunk = co_await rows.next(); chunk; chunk = co_await rows.next())
        for (const sluice::row row : chunk) sum += std::stoll(std::string{row.text()});
      EXPECT_EQ(sum, 2'001'000);
      ++to.whole;
    } catch (const sluice::error& e) {
      failure = e.kind() == sluice::condition::sql ? std::string{e.sqlstate()} : std::string{to_string(e.kind())};
    }
    if (failure.empty()) continue;
    ++to.errors[failure];
    asio::steady_timer pause{co_await asio::this_coro::executor, 5ms};
    co_await pause.async_wait(asio::use_awaitable);
  }
  --to.running;
}

asio::awaitable<void> restarting(pool& from) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  asio::steady_timer timer{on};
  tally seen;
  bool over = false;
  for (; seen.running < 16; ++seen.running) asio::co_spawn(on, task(from, seen, over), asio::detached);
  for (const std::string mode : {"fast", "immediate"}) {
    const std::size_t before = seen.whole;
    while (seen.whole < before + 50) {
      timer.expires_after(1ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    const std::string data = cluster_value("SLUICE_TEST_DATA_DIR");
    const std::string log = cluster_value("SLUICE_TEST_LOG");
    const std::string command = cluster_value("SLUICE_TEST_PG_BINDIR") + "/pg_ctl restart -D " + data + " -m " + mode +
                                " -w -s -t 60 -l " + log;
    const finished restart = as_server(command);
    EXPECT_EQ(restart.status, 0) << mode;
    const std::size_t after = seen.whole;
    while (seen.whole < after + 50) {
      timer.expires_after(1ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
  }
  over = true;
  while (seen.running != 0) {
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
  int errors = 0;
  for (const auto& [kind, count] : seen.errors) {
    EXPECT_TRUE(kind == "connection" || kind.starts_with("57P")) << kind << ": " << count;
    errors += count;
  }
  EXPECT_GT(errors, 0) << "no task was hit";
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
