// A pool on a real server: the order of waiters, the clean state of returned connections, and what happens when the
// server goes away.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <sluice/sluice.hpp>
#include <string>
#include <thread>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace pool_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::errc;
using sluice::pool;
using sluice::pooled_connection;
using sluice::sql;

asio::awaitable<void> pause(std::chrono::milliseconds time = 1ms) {
  asio::steady_timer timer{co_await asio::this_coro::executor, time};
  co_await timer.async_wait(asio::use_awaitable);
}

/// Runs a test's body with its own pool.
void with_pool(sluice::pool_options options, asio::awaitable<void> (*body)(pool&), const std::string& conninfo = dsn(),
               sluice::connection_options each = {}) {
  asio::io_context context{1};
  const auto work = [](asio::io_context& on, const std::string& where, const sluice::pool_options& sizes,
                       const sluice::connection_options& bounds,
                       asio::awaitable<void> (*what)(pool&)) -> asio::awaitable<void> {
    pool lent{on.get_executor(), where, sizes, bounds};
    co_await what(lent);
  };
  auto done = asio::co_spawn(context, work(context, conninfo, options, each, body), asio::use_future);
  context.run();
  done.get();
}

/// The error of an acquire, or nullopt.
asio::awaitable<std::optional<sluice::error>> refusal(pool& from) {
  try {
    const pooled_connection lent = co_await from.acquire();
  } catch (const sluice::error& why) {
    co_return why;
  }
  co_return std::nullopt;
}

TEST(Pool, LendsTheSameConnectionAgain) {
  with_pool({}, [](pool& from) -> asio::awaitable<void> {
    std::set<std::uint32_t> pids;
    for (int i = 0; i < 5; ++i) {
      pooled_connection lent = co_await from.acquire();
      pids.insert(lent->backend_pid());
      EXPECT_EQ(co_await answer(*lent, sql("select to_json(1)")), "1");
      EXPECT_EQ(from.stats().lent, 1U);
    }
    EXPECT_EQ(pids.size(), 1U);
    const sluice::pool_stats now = from.stats();
    EXPECT_EQ(now.idle, 1U);
    EXPECT_EQ(now.lent, 0U);
    EXPECT_EQ(now.acquired, 5U);
    EXPECT_EQ(now.reused, 4U);
    EXPECT_EQ(now.opened, 1U);
  });
}

TEST(Pool, OpensNoMoreThanItMay) {
  with_pool({.min_size = 2, .max_size = 2, .acquire_timeout = 20ms}, [](pool& from) -> asio::awaitable<void> {
    co_await from.warm_up();  // so that connecting does not count against the timeout
    const pooled_connection one = co_await from.acquire();
    const pooled_connection two = co_await from.acquire();
    const auto why = co_await refusal(from);
    EXPECT_TRUE(why && why->code() == errc::deadline_exceeded);
    EXPECT_NE(std::string{why->what()}.find("all 2 are in use"), std::string::npos) << why->what();
    EXPECT_EQ(from.stats().timed_out, 1U);
    EXPECT_EQ(from.stats().waiting, 0U);
  });
}

asio::awaitable<void> note_turn(pool& from, std::vector<int>& order, int number) {
  const pooled_connection lent = co_await from.acquire();
  order.push_back(number);
  co_await pause();
}

TEST(Pool, ServesThoseWhoWaitInTheirOrder) {
  with_pool({.max_size = 1}, [](pool& from) -> asio::awaitable<void> {
    std::vector<int> order;
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    {
      const pooled_connection lent = co_await from.acquire();
      for (int i = 0; i < 10; ++i) asio::co_spawn(on, note_turn(from, order, i), asio::detached);
      co_await pause();
      EXPECT_EQ(from.stats().waiting, 10U);
    }
    // The connection is reserved for a waiter: a newcomer does not overtake.
    const pooled_connection last = co_await from.acquire();
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  });
}

/// Throws what the query throws.
asio::awaitable<std::string> one_text(sluice::connection& db) {
  sluice::row_stream rows = co_await db.stream(sql("select to_json(1)"));
  std::string text;
  while (const sluice::chunk some = co_await rows.next()) text += (*some.begin()).text();
  co_return text;
}

TEST(Pool, ReplacesAConnectionThatTheServerHasEnded) {
  with_pool({}, [](pool& from) -> asio::awaitable<void> {
    std::uint32_t first = 0;
    {
      pooled_connection lent = co_await from.acquire();
      first = lent->backend_pid();
    }
    psql("select pg_terminate_backend(" + std::to_string(first) + ", 5000)");
    std::string said;
    for (int tries = 0; said.empty() && tries < 2; ++tries) {
      pooled_connection lent = co_await from.acquire();
      const bool is_the_same = lent->backend_pid() == first;  // lent unseen, because it came back a moment ago
      asio::awaitable<std::string> asked = one_text(*lent);
      try {
        said = co_await std::move(asked);
        EXPECT_FALSE(is_the_same);
      } catch (const sluice::error& e) {
        EXPECT_TRUE(e.retryable()) << e.what();
        EXPECT_TRUE(is_the_same);
      }
    }
    EXPECT_EQ(said, "1");
    EXPECT_EQ(from.stats().found_dead, 1U);
  });
}

TEST(Pool, TellsThatAQueryMayBeRunAgainWhenTheServerHasEndedItsConnectionJustBefore) {
  with_pool({.max_size = 2}, [](pool& from) -> asio::awaitable<void> {
    pooled_connection killer = co_await from.acquire();
    for (int round = 0; round < 20; ++round) {
      pooled_connection victim = co_await from.acquire();
      const std::int64_t pid = victim->backend_pid();
      victim.release();
      (void)co_await killer->execute(sql("select pg_terminate_backend($1::int, 5000)", pid));
      std::string said;
      for (int tries = 0; said.empty() && tries < 2; ++tries) {
        pooled_connection lent = co_await from.acquire();
        asio::awaitable<std::string> asked = one_text(*lent);
        try {
          said = co_await std::move(asked);
        } catch (const sluice::error& e) {
          EXPECT_TRUE(e.retryable()) << e.what();
        }
      }
      EXPECT_EQ(said, "1") << "in round " << round;
    }
    EXPECT_EQ(from.stats().found_dead, 20U);
  });
}

TEST(Pool, TakesWhatTheServerSaidWhileAConnectionWasIdle) {
  with_pool({}, [](pool& from) -> asio::awaitable<void> {
    {
      pooled_connection lent = co_await from.acquire();
      (void)co_await lent->execute("listen news");
    }
    psql("notify news, 'x'");
    pooled_connection lent = co_await from.acquire();
    EXPECT_EQ(co_await answer(*lent, sql("select to_json(2)")), "2");
    EXPECT_EQ(from.stats().found_dead, 0U);
  });
}

TEST(Pool, RollsBackWhatWasLeftOpen) {
  with_pool({.max_size = 1}, [](pool& from) -> asio::awaitable<void> {
    for (const char* left : {"begin; create table left_behind ()", "begin; select 1/0"}) {
      {
        pooled_connection lent = co_await from.acquire();
        try {
          (void)co_await lent->execute(left);
        } catch (const sluice::error& e) {
          EXPECT_EQ(e.sqlstate(), "22012");
        }
      }
      pooled_connection lent = co_await from.acquire();
      EXPECT_EQ(co_await answer(*lent, sql("select to_json(to_regclass('left_behind') is null)")), "true");
      EXPECT_EQ(from.stats().opened, 1U);
    }
  });
}

TEST(Pool, ResetsTheSessionWhenAsked) {
  with_pool({.max_size = 1, .reset_statements = "discard all"}, [](pool& from) -> asio::awaitable<void> {
    {
      pooled_connection lent = co_await from.acquire();
      (void)co_await lent->execute("set work_mem = '77MB'");
    }
    pooled_connection lent = co_await from.acquire();
    EXPECT_NE(co_await answer(*lent, sql("select to_json(current_setting('work_mem'))")), "\"77MB\"");
    EXPECT_EQ(from.stats().opened, 1U);
  });
}

TEST(Pool, ClosesAConnectionThatCannotBeCleaned) {
  with_pool({.max_size = 1, .reset_statements = "select 1/0"}, [](pool& from) -> asio::awaitable<void> {
    std::uint32_t first = 0;
    {
      pooled_connection lent = co_await from.acquire();
      first = lent->backend_pid();
    }
    const pooled_connection lent = co_await from.acquire();
    EXPECT_NE(const_cast<pooled_connection&>(lent)->backend_pid(), first);
  });
}

const char* const endless = "select jsonb_build_object('n', generate_series(1, 1000000000))";

/// The nightly sweeps raise it.
int times_to_cancel() {
  const char* const text = std::getenv("SLUICE_CANCELS");
  return text == nullptr ? 200 : std::atoi(text);
}

TEST(Pool, CancelsAStreamThatWasLeft) {
  const auto body = [](pool& from) -> asio::awaitable<void> {
    const int times = times_to_cancel();
    for (int i = 0; i < times; ++i) {
      {
        pooled_connection lent = co_await from.acquire();
        const sluice::query what = sql(endless).as_document();
        sluice::row_stream rows = co_await lent->stream(what);
        EXPECT_TRUE(co_await rows.next());
      }
      pooled_connection lent = co_await from.acquire();
      EXPECT_EQ(co_await answer(*lent, sql("select to_json(1)").as_document()), "1");
    }
    EXPECT_EQ(from.stats().opened, 1U);
    EXPECT_EQ(from.stats().reused, static_cast<std::uint64_t>(2 * times - 1));
  };
  with_pool({.max_size = 1}, body, without_jit());
}

TEST(Pool, WaitsForAStreamThatOutlivesItsHandle) {
  with_pool({.max_size = 1}, [](pool& from) -> asio::awaitable<void> {
    sluice::row_stream rows;
    {
      pooled_connection lent = co_await from.acquire();
      const sluice::query what = sql("select to_json(i) from generate_series(1, 100000) as i").as_document();
      rows = co_await lent->stream(what);
    }
    int count = 0;
    while (const sluice::chunk chunk = co_await rows.next())
      for (const sluice::row row : chunk) count += row.is_null() ? 0 : 1;
    EXPECT_EQ(count, 100'000);
    EXPECT_EQ(from.stats().lent, 1U);
    rows = sluice::row_stream{};
    pooled_connection lent = co_await from.acquire();
    EXPECT_EQ(co_await answer(*lent, sql("select to_json(1)")), "1");
    EXPECT_EQ(from.stats().opened, 1U);
  });
}

TEST(Pool, LendsNoOldConnections) {
  with_pool({.max_size = 1, .max_lifetime = 1ms}, [](pool& from) -> asio::awaitable<void> {
    std::set<std::uint32_t> pids;
    for (int i = 0; i < 3; ++i) {
      pooled_connection lent = co_await from.acquire();
      pids.insert(lent->backend_pid());
      co_await pause(2ms);
    }
    EXPECT_EQ(pids.size(), 3U);
  });
}

TEST(Pool, KeepsWhatItShallAndClosesTheRest) {
  with_pool({.min_size = 2, .max_size = 4, .idle_timeout = 5ms}, [](pool& from) -> asio::awaitable<void> {
    co_await from.warm_up();
    EXPECT_EQ(from.stats().idle, 2U);
    {
      const pooled_connection one = co_await from.acquire();
      const pooled_connection two = co_await from.acquire();
      const pooled_connection three = co_await from.acquire();
      EXPECT_EQ(from.stats().opened, 3U);
    }
    while (from.stats().idle != 2) co_await pause();
    co_await pause(20ms);
    EXPECT_EQ(from.stats().idle, 2U);
    EXPECT_EQ(from.stats().closed, 1U);
  });
}

TEST(Pool, SaysAtOnceThatTheServerIsDown) {
  with_pool(
      {.connect_attempts = 2, .backoff = 1ms, .max_backoff = 60'000ms},
      [](pool& from) -> asio::awaitable<void> {
        const auto first = co_await refusal(from);
        EXPECT_TRUE(first && first->code() == sluice::condition::connection);
        EXPECT_EQ(from.stats().failed_attempts, 2U);
        // The pauses grow: eventually a call falls into one, and no attempt is made.
        for (std::uint64_t before = 0; before != from.stats().failed_attempts;) {
          before = from.stats().failed_attempts;
          EXPECT_TRUE(co_await refusal(from));
        }
      },
      "host=/nonexistent user=nobody");
}

TEST(Pool, DoesNotTryAgainWhatCannotBeMended) {
  with_pool(
      {.connect_attempts = 5},
      [](pool& from) -> asio::awaitable<void> {
        const auto why = co_await refusal(from);
        EXPECT_TRUE(why && why->code() == sluice::condition::auth);
        EXPECT_EQ(from.stats().failed_attempts, 1U);
      },
      as_user("scram_user") + " password=wrong");
}

TEST(Pool, FindsTheServerAgain) {
  with_pool(
      {.connect_attempts = 1, .backoff = 1ms, .max_backoff = 1ms},
      [](pool& from) -> asio::awaitable<void> {
        psql("alter role trust_user connection limit 0");
        EXPECT_TRUE(co_await refusal(from));
        psql("alter role trust_user connection limit -1");
        while (co_await refusal(from)) co_await pause();
        EXPECT_EQ(from.stats().opened, 1U);
      },
      as_user("trust_user"));
}

TEST(Pool, TellsThoseWhoWaitThatItIsClosed) {
  with_pool({.max_size = 1}, [](pool& from) -> asio::awaitable<void> {
    const pooled_connection lent = co_await from.acquire();
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    std::optional<sluice::error> why;
    const auto wait = [](pool& at, std::optional<sluice::error>& said) -> asio::awaitable<void> {
      said = co_await refusal(at);
    };
    asio::co_spawn(on, wait(from, why), asio::detached);
    co_await pause();
    from.close();
    co_await pause();
    EXPECT_TRUE(why && why->code() == errc::bad_state);
    const auto late = co_await refusal(from);
    EXPECT_TRUE(late && late->code() == errc::bad_state);
  });
}

TEST(Pool, DrainsWhatIsLent) {
  with_pool({.max_size = 2}, [](pool& from) -> asio::awaitable<void> {
    auto lent = std::make_unique<pooled_connection>(co_await from.acquire());
    EXPECT_FALSE(co_await from.drain(1ms));
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    asio::post(on, [&] { lent.reset(); });
    EXPECT_TRUE(co_await from.drain(60'000ms));
    EXPECT_EQ(from.stats().closed, 1U);
  });
}

TEST(Pool, MayGoBeforeItsConnections) {
  with_pool({}, [](pool& from) -> asio::awaitable<void> {
    pooled_connection lent = co_await from.acquire();
    {
      const pool gone = std::move(from);
    }
    EXPECT_EQ(co_await answer(*lent, sql("select to_json(1)")), "1");
  });
}

asio::awaitable<void> hold(pool& from, bool& was_cancelled) {
  try {
    (void)co_await from.acquire();
  } catch (const sluice::error& why) {
    was_cancelled = why.code() == errc::cancelled;
  }
}

TEST(Pool, LetsACallOfAcquireBeCancelled) {
  with_pool({.max_size = 1}, [](pool& from) -> asio::awaitable<void> {
    bool was_cancelled = false;
    asio::cancellation_signal stop;
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    {
      const pooled_connection lent = co_await from.acquire();
      asio::co_spawn(on, hold(from, was_cancelled), asio::bind_cancellation_slot(stop.slot(), asio::detached));
      co_await pause();
      stop.emit(asio::cancellation_type::terminal);
      co_await pause();
      EXPECT_TRUE(was_cancelled);
      EXPECT_EQ(from.stats().waiting, 0U);
    }
    const pooled_connection next = co_await from.acquire();
  });
}

asio::awaitable<void> work(pool& from, int& results, int& errors) {
  for (int i = 0; i < 20; ++i) {
    try {
      pooled_connection lent = co_await from.acquire();
      if (co_await answer(*lent, sql("select to_json(pg_sleep(0.001) is null)").as_document()) == "false")
        ++results;
      else
        ++errors;
    } catch (const sluice::error&) {
      ++errors;
    }
  }
}

TEST(Pool, LosesNoTaskWhenConnectionsAreKilled) {
  with_pool({.max_size = 8, .backoff = 1ms, .max_backoff = 10ms}, [](pool& from) -> asio::awaitable<void> {
    int results = 0;
    int errors = 0;
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    for (int i = 0; i < 64; ++i) asio::co_spawn(on, work(from, results, errors), asio::detached);
    for (int i = 0; i < 3; ++i) {
      co_await pause(20ms);
      psql(
          "select count(pg_terminate_backend(pid)) from pg_stat_activity where query like '%pg_sleep(0.001)%' and "
          "pid <> pg_backend_pid()");
    }
    while (results + errors < 64 * 20) co_await pause();
    EXPECT_GT(results, errors);
    EXPECT_EQ(from.stats().lent, 0U);
    EXPECT_EQ(from.stats().waiting, 0U);
  });
}

asio::awaitable<void> ask_on_a_strand(pool& from, int& answered, std::set<std::thread::id>& threads) {
  for (int i = 0; i < 20; ++i) {
    pooled_connection lent = co_await from.acquire();
    const std::string one = co_await answer(*lent, sql("select to_json(1)").as_document());
    EXPECT_EQ(one, "1");
    ++answered;  // unguarded: the strand runs one handler at a time
    threads.insert(std::this_thread::get_id());
  }
}

TEST(Pool, WorksOnAStrandOfManyThreads) {
  asio::io_context context;
  const auto strand = asio::make_strand(context);
  pool from{strand, dsn(), {.max_size = 4}};
  int answered = 0;
  std::set<std::thread::id> threads;
  for (int i = 0; i < 16; ++i)
    asio::co_spawn(
        strand,
        [&]() -> asio::awaitable<void> {
          co_await ask_on_a_strand(from, answered, threads);
          if (answered == 16 * 20) from.close();
        },
        asio::detached);
  std::vector<std::jthread> running;
  for (int i = 0; i < 4; ++i) running.emplace_back([&] { context.run(); });
  running.clear();
  EXPECT_EQ(answered, 16 * 20);
  EXPECT_GE(threads.size(), 1U);
}

/// A program with several threads uses one pool per thread.
TEST(Pool, IsOnePerThread) {
  std::vector<std::jthread> running;
  std::atomic<int> answered{0};
  for (int i = 0; i < 4; ++i)
    running.emplace_back([&] {
      asio::io_context context{1};
      pool from{context.get_executor(), dsn(), {.max_size = 2}};
      int here = 0;
      std::set<std::thread::id> threads;
      asio::co_spawn(
          context,
          [&]() -> asio::awaitable<void> {
            co_await ask_on_a_strand(from, here, threads);
            from.close();
          },
          asio::detached);
      context.run();
      answered += here;
    });
  running.clear();
  EXPECT_EQ(answered, 4 * 20);
}

TEST(Pool, IsNotDrainedBeforeWhatWasDroppedIsSent) {
  psql("drop table if exists drained; create table drained (n int)");
  with_pool({.max_size = 2}, [](pool& from) -> asio::awaitable<void> {
    for (int i = 0; i < 5; ++i) {
      const sluice::query what = sql("insert into drained values ($1)", i);
      const sluice::pooled_stream dropped = from.stream(what);
    }
    EXPECT_TRUE(co_await from.drain(30s));
  });
  EXPECT_EQ(psql("select count(*) from drained"), "5");
}

TEST(Pool, FailsAgainWhereAQueryCouldNotBeSent) {
  with_pool({}, [](pool& from) -> asio::awaitable<void> {
    const sluice::query bad = sql(std::string{"select 1\0", 9});
    sluice::pooled_stream rows = from.stream(bad);
    for (int i = 0; i < 3; ++i) {
      std::optional<std::error_code> code;
      try {
        (void)co_await rows.next();
      } catch (const sluice::error& e) {
        code = e.code();
      }
      EXPECT_EQ(code, make_error_code(errc::bad_query));
    }
  });
}

}  // namespace
}  // namespace pool_test
