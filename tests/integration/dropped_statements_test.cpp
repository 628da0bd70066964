// Statements whose rows are not read, or not all of them: one that may write runs to its end, a read is cancelled.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "watching.hpp"

namespace dropped_statements_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::errc;
using sluice::leaving;
using sluice::query;
using sluice::sql;

constexpr int many = 20;

void make_table() { psql("drop table if exists kept; create table kept (a int primary key)"); }
std::string count() { return psql("select count(*) from kept"); }

/// The same write in every form that a query can take.
struct spelling {
  const char* name;
  query (*of)(int);
};
const std::vector<spelling> spellings{
    {"Plain", [](int i) { return sql("insert into kept values ($1::int)", i); }},
    {"AsDocument",
     [](int i) { return sql("insert into kept values ($1::int) returning to_json(a)", i).as_document(); }},
    {"AsObject", [](int i) { return sql("insert into kept values ($1::int) returning a", i).as_object(); }},
    {"AsColumns", [](int i) { return sql("insert into kept values ($1::int) returning a", i).as_columns(); }},
    {"Returning", [](int i) { return sql("INSERT INTO kept VALUES ($1::int) RETURNING a", i); }},
    {"InWith",
     [](int i) {
       return sql("with w as (insert into kept values ($1::int) returning a) select a from w", i).as_columns();
     }},
    {"BehindAComment", [](int i) { return sql("/* select */ -- select\n insert into kept values ($1::int)", i); }},
};

class Dropped : public testing::TestWithParam<spelling> {
 protected:
  void SetUp() override { make_table(); }
};

TEST_P(Dropped, WritesAreDoneInAThread) {
  sluice::client db{dsn()};
  for (int i = 0; i < many; ++i) {
    const sluice::row_range unread = db.stream(GetParam().of(i));
  }
  EXPECT_TRUE(db.is_idle());
  EXPECT_EQ(count(), "20");
}

asio::awaitable<void> write_and_drop(query (*of)(int), bool in_block, bool read_first) {
  sluice::connection db = co_await sluice::connect(dsn());
  if (in_block) (void)co_await db.execute("begin");
  for (int i = 0; i < many; ++i) {
    const query what = of(i);
    sluice::row_stream rows = co_await db.stream(what);
    if (read_first) (void)co_await rows.next();
    const sluice::row_stream moved = std::move(rows);
  }
  if (in_block) (void)co_await db.execute("commit");
}

TEST_P(Dropped, WritesAreDoneInACoroutine) {
  run(write_and_drop(GetParam().of, false, false));
  EXPECT_EQ(count(), "20");
}

TEST_P(Dropped, WritesAreDoneInATransaction) {
  run(write_and_drop(GetParam().of, true, false));
  EXPECT_EQ(count(), "20") << "it was neither cancelled nor aborted";
}

TEST_P(Dropped, WritesOfWhichSomeIsReadAreDone) {
  run(write_and_drop(GetParam().of, false, true));
  EXPECT_EQ(count(), "20");
}

TEST_P(Dropped, WritesInPagesAreDone) {
  sluice::client db{dsn()};
  const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 1};
  for (int i = 0; i < many; ++i) {
    const sluice::row_range unread = db.stream(GetParam().of(i), in_pages);
  }
  EXPECT_EQ(count(), "20");
}

asio::awaitable<void> drop_in_a_pool(query (*of)(int)) {
  sluice::pool pool{co_await asio::this_coro::executor, dsn(), {.max_size = 2}};
  for (int i = 0; i < many; ++i) {
    const query what = of(i);
    sluice::pooled_connection db = co_await pool.acquire();
    const sluice::row_stream unread = co_await db->stream(what);
  }
}

TEST_P(Dropped, WritesInAPoolThatIsClosedAtOnceAreDone) {
  run(drop_in_a_pool(GetParam().of));
  EXPECT_EQ(count(), "20");
}

asio::awaitable<void> drop_streams_of_a_pool(query (*of)(int)) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::pool pool{on, dsn(), {.max_size = 1}};
  for (int i = 0; i < many; ++i) {
    const query what = of(i);
    const sluice::pooled_stream unread = pool.stream(what);
  }
  co_await asio::post(on, asio::use_awaitable);
  const sluice::pooled_connection last_in_the_queue = co_await pool.acquire();
}

TEST_P(Dropped, StreamsOfAPoolThatWereNeverReadAreSent) {
  run(drop_streams_of_a_pool(GetParam().of));
  EXPECT_EQ(count(), "20");
}

asio::awaitable<void> drop_and_close(recorder& seen) {
  sluice::pool pool{co_await asio::this_coro::executor, dsn(), {}, {.watch = &seen}};
  const query what = sql("insert into kept values (1)");
  const sluice::pooled_stream unread = pool.stream(what);
}

TEST(DroppedStatement, ThatAClosedPoolCannotSendIsToldToTheObserver) {
  recorder seen;
  run(drop_and_close(seen));
  ASSERT_EQ(seen.ends.size(), 1U);
  EXPECT_EQ(seen.ends[0].failure, errc::bad_state);
}

INSTANTIATE_TEST_SUITE_P(Of, Dropped, testing::ValuesIn(spellings), [](const auto& of) { return of.param.name; });

std::vector<query> pipelined(int first, int last) {
  std::vector<query> all;
  for (int i = first; i < last; ++i) all.push_back(sql("insert into kept values ($1::int) returning a", i).as_object());
  return all;
}

asio::awaitable<void> drop_pipelines() {
  sluice::connection db = co_await sluice::connect(dsn());
  std::vector<query> wanted = pipelined(0, 5);
  {
    const sluice::pipeline unread = co_await db.send(wanted);
  }
  wanted = pipelined(5, 10);
  {
    sluice::pipeline some = co_await db.send(wanted);
    const sluice::row_stream first = co_await some.next();
  }
  // A read that precedes a write is not cancelled: the CancelRequest might hit the write.
  wanted = pipelined(10, 15);
  wanted.insert(wanted.begin(), sql("select n from generate_series(1, 100000) n").as_object());
  {
    const sluice::pipeline unread = co_await db.send(wanted);
  }
  // A result outlives its pipeline.
  wanted = pipelined(15, 20);
  sluice::row_stream first;
  {
    sluice::pipeline some = co_await db.send(wanted);
    first = co_await some.next();
  }
  for (sluice::chunk rows = co_await first.next(); rows; rows = co_await first.next()) {
  }
}

TEST(DroppedPipeline, DoesItsWrites) {
  make_table();
  run(drop_pipelines());
  EXPECT_EQ(count(), "20");
}

TEST(DroppedPipeline, DoesItsWritesInAThreadWhicheverGoesFirst) {
  make_table();
  sluice::client db{dsn()};
  {
    std::vector<sluice::row_range> results = db.send(pipelined(0, 10));
    while (!results.empty()) results.pop_back();
  }
  {
    const std::vector<sluice::row_range> results = db.send(pipelined(10, 20));
  }
  EXPECT_EQ(count(), "20");
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(DroppedStatement, IsDoneWhenItsClientGoesAtOnce) {
  make_table();
  {
    sluice::client db{dsn()};
    const sluice::row_range unread = db.stream(sql("insert into kept select n from generate_series(1, 20) n"));
  }
  EXPECT_EQ(count(), "20");
}

TEST(DroppedStatement, IsWaitedForBeyondTheTimeOfLeaving) {
  make_table();
  sluice::client db{dsn(), {.leave_timeout = 50ms}};
  {
    const sluice::row_range unread = db.stream(sql("insert into kept select 1 from pg_sleep(0.4)"));
  }
  EXPECT_EQ(count(), "1");
  EXPECT_FALSE(db.is_closed());
}

asio::awaitable<std::string> ask_behind_a_slow_write() {
  sluice::connection db = co_await sluice::connect(dsn(), {.leave_timeout = 50ms});
  {
    const query slow = sql("insert into kept select 1 from pg_sleep(0.4)");
    const sluice::row_stream unread = co_await db.stream(slow);
  }
  const query next = sql("select to_json(count(*)) from kept");
  const std::string got = co_await answer(db, next);
  co_return got;
}

TEST(DroppedStatement, IsWaitedForByTheNextQuery) {
  make_table();
  EXPECT_EQ(run(ask_behind_a_slow_write()), "1");
}

TEST(DroppedStatement, IsCancelledWhenItsOwnDeadlinePassesAndTheObserverIsTold) {
  make_table();
  recorder seen;
  sluice::client db{dsn(), {.watch = &seen}};
  {
    const sluice::row_range unread = db.stream(sql("insert into kept select 1 from pg_sleep(600)"), {.timeout = 100ms});
  }
  EXPECT_EQ(count(), "0");
  ASSERT_EQ(seen.ends.size(), 1U);
  EXPECT_TRUE(seen.ends[0].was_left);
  EXPECT_EQ(seen.ends[0].failure, errc::server_error);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(DroppedStatement, CanBeInterrupted) {
  make_table();
  sluice::client db{dsn()};
  std::thread other;
  {
    const sluice::row_range unread = db.stream(sql("insert into kept select 1 from pg_sleep(600) /* interrupted */"));
    other = std::thread{[&] {
      wait_until_running("pg_sleep(600) /* interrupted");
      db.interrupt();
    }};
  }
  other.join();
  EXPECT_EQ(count(), "0");
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

asio::awaitable<void> drop_a_failing_write(recorder& seen) {
  sluice::connection db = co_await sluice::connect(dsn(), {.watch = &seen});
  {
    const query twice = sql("insert into kept values (1), (1)");
    const sluice::row_stream unread = co_await db.stream(twice);
  }
  const query next = sql("select to_json(1)");
  const std::string got = co_await answer(db, next);
  EXPECT_EQ(got, "1");
}

TEST(DroppedStatement, ThatFailsIsToldToTheObserver) {
  make_table();
  recorder seen;
  run(drop_a_failing_write(seen));
  ASSERT_GE(seen.ends.size(), 1U);
  EXPECT_TRUE(seen.ends[0].was_left);
  EXPECT_EQ(seen.ends[0].failure, errc::server_error);
  ASSERT_EQ(seen.leaves.size(), 1U);
  EXPECT_EQ(seen.leaves[0].outcome, leaving::drained);
  EXPECT_EQ(seen.leaves[0].requests, 0);
}

TEST(DroppedStatement, WhoseConnectionIsLostIsToldToTheObserver) {
  make_table();
  recorder seen;
  sluice::client db{dsn(), {.watch = &seen}};
  std::thread other;
  {
    const sluice::row_range unread = db.stream(sql("insert into kept select 1 from pg_sleep(600) /* lost */"));
    other = std::thread{[&] {
      wait_until_running("pg_sleep(600) /* lost");
      psql("select pg_terminate_backend(" + std::to_string(db.backend_pid()) + ")");
    }};
  }
  other.join();
  ASSERT_EQ(seen.ends.size(), 1U);
  EXPECT_TRUE(seen.ends[0].failure.has_value());
}

TEST(DroppedSelect, ThatNobodyReadMayHaveBeenForItsFunction) {
  psql(
      "drop table if exists called; create table called (a int);"
      "create or replace function note_call(n int) returns int language sql as "
      "'insert into called values (n) returning a'");
  sluice::client db{dsn()};
  for (int i = 0; i < many; ++i) {
    const sluice::row_range unread = db.stream(sql("select note_call($1::int)", i));
  }
  EXPECT_EQ(psql("select count(*) from called"), "20");
}

TEST(DroppedSelect, IsNotReadToItsEndWhenItGivesManyRows) {
  recorder seen;
  sluice::client db{dsn(), {.leave_timeout = 10min, .watch = &seen}};  // leaving must not end because its time is up
  {
    const sluice::row_range unread = db.stream(sql("select to_json(generate_series(1, 2000000000))"));
  }
  ASSERT_EQ(seen.leaves.size(), 1U);
  EXPECT_EQ(seen.leaves[0].outcome, leaving::cancelled);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(DroppedSelect, IsCancelledWhenItDoesNotEnd) {
  recorder seen;
  sluice::client db{dsn(), {.leave_timeout = 10s, .watch = &seen}};
  {
    const sluice::row_range unread = db.stream(sql("select pg_sleep(600) as endless_select"));
  }
  ASSERT_EQ(seen.leaves.size(), 1U);
  EXPECT_EQ(seen.leaves[0].outcome, leaving::cancelled);
  EXPECT_FALSE(is_running("endless_select"));
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

}  // namespace
}  // namespace dropped_statements_test
