// Timeouts of every size, how they bound a query that is sent again, and which query an error names.
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/this_coro.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "watching.hpp"

namespace deadlines_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::errc;
using sluice::query;
using sluice::sql;
using std::chrono::milliseconds;

struct very_long {
  const char* name;
  milliseconds time;
};

class VeryLong : public testing::TestWithParam<very_long> {};

TEST_P(VeryLong, TimeoutsOfAQueryDoNotPass) {
  const milliseconds time = GetParam().time;
  const query one = sql("select to_json(1)");
  for (const sluice::query_options& how :
       {sluice::query_options{.timeout = time}, sluice::query_options{.first_row_timeout = time},
        sluice::query_options{.stall_timeout = time},
        sluice::query_options{.timeout = time, .timeout_counts_pauses = true},
        sluice::query_options{.server_timeout = time}}) {
    const outcome in_a_thread = blocking_face::ask(dsn(), one, how);
    EXPECT_FALSE(in_a_thread.failure) << in_a_thread.failure->what();
    EXPECT_EQ(in_a_thread.rows, std::vector<std::string>{"1"});
    const outcome in_a_coroutine = coroutine_face::ask(dsn(), one, how);
    EXPECT_FALSE(in_a_coroutine.failure) << in_a_coroutine.failure->what();
    EXPECT_EQ(in_a_coroutine.rows, std::vector<std::string>{"1"});
  }
}

TEST_P(VeryLong, TimeForConnectingAndLeavingDoesNotPass) {
  sluice::conninfo info = sluice::conninfo::parse(dsn());
  info.connect_timeout = GetParam().time;
  sluice::client db{info, {.leave_timeout = std::max(GetParam().time, milliseconds{5'000})}};
  {
    sluice::row_range rows = db.stream(sql("select to_json(generate_series(1, 2000000000))"));
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(rows.cancel(), sluice::leaving::cancelled);
  }
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

asio::awaitable<void> use_a_pool(milliseconds time) {
  const sluice::pool_options sizes{.min_size = 0,
                                   .max_size = 1,
                                   .acquire_timeout = time,
                                   .idle_timeout = time,
                                   .max_lifetime = time,
                                   .backoff = time,
                                   .max_backoff = time};
  sluice::pool pool{co_await asio::this_coro::executor, dsn(), sizes};
  for (int i = 0; i < 3; ++i) {
    sluice::pooled_stream rows =
        pool.stream(sql("select to_json(1)"), {.timeout = time}, {.attempts = 2, .backoff = time});
    const sluice::chunk batch = co_await rows.next();
    EXPECT_TRUE(batch);
    const sluice::chunk end = co_await rows.next();
    EXPECT_FALSE(end);
  }
  EXPECT_EQ(pool.stats().opened, 1U) << "none was too old";
  const bool came_back = co_await pool.drain(time.count() > 0 ? time : 5s);
  EXPECT_TRUE(came_back);
}

TEST_P(VeryLong, TimesOfAPoolDoNotPass) { run(use_a_pool(GetParam().time)); }

asio::awaitable<void> pause_for_long(milliseconds limit) {
  sluice::connection db = co_await sluice::connect(dsn());
  const query many = sql("select to_json(n) from generate_series(1, 10) n").as_document();
  const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 3};
  sluice::row_stream rows = co_await db.stream(many, in_pages);
  (void)co_await rows.next();
  co_await rows.pause({.limit = limit, .after_limit = sluice::pause_options::then::cancel});
  const sluice::chunk more = co_await rows.next();
  EXPECT_TRUE(more);
}

TEST_P(VeryLong, PausesDoNotPass) { run(pause_for_long(GetParam().time)); }

INSTANTIATE_TEST_SUITE_P(Of, VeryLong,
                         testing::Values(very_long{"TheLongest", milliseconds::max()},
                                         very_long{"ThreeHundredYears", std::chrono::hours{24 * 365 * 300}},
                                         very_long{"WhatOverflowsNanoseconds", milliseconds{9'223'372'036'855}},
                                         very_long{"None", 0ms}, very_long{"LessThanNone", -1ms},
                                         very_long{"TheLeast", milliseconds::min()}),
                         [](const auto& of) { return of.param.name; });

/// The error of a query that never ends, and how often it was sent.
struct retried {
  std::optional<sluice::error> failure;
  std::size_t sent{0};
};

asio::awaitable<retried> ask_often(sluice::query_options how) {
  recorder seen;
  retried result;
  {
    sluice::pool pool{co_await asio::this_coro::executor, dsn(), {.min_size = 1}, {.watch = &seen}};
    co_await pool.warm_up();
    sluice::pooled_stream rows =
        pool.stream(sql("select pg_sleep(600)").as_object(), how, {.attempts = 3, .backoff = 1ms});
    try {
      (void)co_await rows.next();
    } catch (const sluice::error& e) {
      result.failure = e;
    }
    (void)co_await rows.cancel();
    (void)co_await pool.drain(10s);
  }
  result.sent = seen.queries.size();
  co_return result;
}

TEST(RetryDeadline, SendsNothingAfterTheQuerysOwnDeadline) {
  for (const sluice::query_options& how :
       {sluice::query_options{.timeout = 100ms}, sluice::query_options{.first_row_timeout = 100ms},
        sluice::query_options{.stall_timeout = 100ms}, sluice::query_options{.server_timeout = 100ms}}) {
    const retried seen = run(ask_often(how));
    ASSERT_TRUE(seen.failure);
    EXPECT_EQ(seen.sent, 1U) << seen.failure->what();
  }
}

asio::awaitable<std::optional<sluice::error>> wait_for_a_connection() {
  sluice::pool pool{co_await asio::this_coro::executor, dsn(), {.max_size = 1}};
  const sluice::pooled_connection only = co_await pool.acquire();
  sluice::pooled_stream rows =
      pool.stream(sql("select to_json(1)"), {.timeout = 50ms}, {.attempts = 3, .backoff = 1ms});
  std::optional<sluice::error> failure;
  try {
    (void)co_await rows.next();
  } catch (const sluice::error& e) {
    failure = e;
  }
  co_return failure;
}

TEST(RetryDeadline, HoldsWhileNoConnectionIsFree) {
  const auto failure = run(wait_for_a_connection());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code(), errc::deadline_exceeded);
}

TEST(Error, CountsTheRowsOfItsOwnStream) {
  sluice::client db{dsn()};
  const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 2};
  sluice::row_range bad =
      db.stream(sql("select to_json(10 / (4 - n)) from generate_series(1, 100) n").as_document(), in_pages);
  // More than can be on its way when the other one fails.
  sluice::row_range good = db.stream(sql("select to_json(n) from generate_series(1, 5000) n").as_document(), in_pages);
  /// Counts the rows that `from` gives; an error must report the same count.
  const auto fails = [](sluice::row_range& from, std::uint64_t& rows) {
    try {
      for ([[maybe_unused]] const sluice::row row : from.next()) ++rows;
      return false;
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::server_error);
      EXPECT_EQ(e.rows(), rows) << e.what();
      EXPECT_NE(std::string{e.what()}.find("querying"), std::string::npos) << e.what();
      return true;
    }
  };
  std::uint64_t rows_of_bad = 0;
  std::uint64_t rows_of_good = 0;
  bool bad_failed = false;
  bool good_failed = false;
  for (int i = 0; i < 5'000 && !(bad_failed && good_failed); ++i) {
    if (!good_failed) good_failed = fails(good, rows_of_good);
    if (!good_failed) good_failed = fails(good, rows_of_good);
    if (!bad_failed) bad_failed = fails(bad, rows_of_bad);
  }
  EXPECT_TRUE(bad_failed);
  EXPECT_TRUE(good_failed) << "its transaction has failed";
  EXPECT_NE(rows_of_bad, rows_of_good);
}

TEST(Error, OfWhatWasNeverSentLeavesTheConnectionUsable) {
  sluice::client db{dsn()};
  (void)db.execute("select 1");  // the query that ran last is not the one that fails
  const auto refusal = [&](const query& what, const sluice::query_options& how) -> std::optional<sluice::error> {
    try {
      (void)db.stream(what, how).next();
    } catch (const sluice::error& e) {
      return e;
    }
    return std::nullopt;
  };
  const auto zero_byte = refusal(sql(std::string{"select 1\0", 9}), {});
  ASSERT_TRUE(zero_byte);
  EXPECT_EQ(zero_byte->code(), errc::bad_query);
  EXPECT_TRUE(zero_byte->connection_usable());
  EXPECT_EQ(zero_byte->rows(), 0U);
  EXPECT_NE(std::string{zero_byte->what()}.find("querying"), std::string::npos) << zero_byte->what();
  {
    const sluice::row_range open = db.stream(sql("select to_json(n) from generate_series(1, 100000) n"));
    const auto second = refusal(sql("select 1"), {});
    ASSERT_TRUE(second);
    EXPECT_EQ(second->code(), errc::bad_state);
    EXPECT_TRUE(second->connection_usable());
  }
  db.execute("begin");
  const auto timeout = refusal(sql("select to_json(1)"), {.server_timeout = 1s, .mode = sluice::fetch_mode::paged});
  ASSERT_TRUE(timeout);
  EXPECT_EQ(timeout->code(), errc::bad_query);
  EXPECT_TRUE(timeout->connection_usable());
  db.execute("rollback");
  EXPECT_THROW((void)db.send({sluice::from("t"), sql("select 1")}), sluice::error);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

/// A query's error code, or none.
asio::awaitable<std::optional<std::error_code>> fails_with(sluice::connection& db, sluice::query_options how) {
  std::optional<std::error_code> code;
  try {
    sluice::row_stream rows = co_await db.stream(sql("select to_json(1)"), how);
    (void)co_await rows.next();
  } catch (const sluice::error& e) {
    code = e.code();
  }
  co_return code;
}

asio::awaitable<void> begin_behind_a_dropped_write(sluice::query_options how) {
  sluice::connection db = co_await sluice::connect(dsn());
  (void)co_await db.execute("create temp table written(n int)");
  {
    const sluice::row_stream dropped =
        co_await db.stream(sql("insert into written select 1 from pg_sleep(2) returning n").as_object());
  }
  const auto code = co_await fails_with(db, how);
  EXPECT_EQ(code, make_error_code(errc::deadline_exceeded));
  EXPECT_FALSE(db.is_closed());
  const std::string rows = co_await answer(db, sql("select to_json(count(*)) from written").as_document());
  EXPECT_EQ(rows, "1");
}

TEST(TimeToBegin, IsCountedWhileADroppedWriteGoesOn) {
  run(begin_behind_a_dropped_write({.timeout = 100ms}));
  run(begin_behind_a_dropped_write({.first_row_timeout = 100ms}));
}

/// A paged query that cannot be described until the lock is released.
const char* const behind_a_lock = "select * from locked_while_described";
const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 3};

class WhileDescribed : public testing::Test {
 protected:
  void SetUp() override {
    locker_.execute("drop table if exists locked_while_described; create table locked_while_described(n int)");
    locker_.execute("begin; lock table locked_while_described");
  }
  void TearDown() override { locker_.execute("rollback; drop table if exists locked_while_described"); }

  sluice::client locker_{dsn()};
};

TEST_F(WhileDescribed, TimeToBeginIsCountedInAThread) {
  sluice::client db{dsn()};
  sluice::row_range first = db.stream(sql(behind_a_lock), in_pages);
  try {
    (void)db.stream(sql("select to_json(1)"), {.timeout = 100ms});
    ADD_FAILURE() << "it began";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::deadline_exceeded) << e.what();
  }
  locker_.execute("rollback");
  EXPECT_FALSE(first.next());
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

asio::awaitable<void> begin_while_another_is_described(sluice::client& locker) {
  sluice::connection db = co_await sluice::connect(dsn());
  sluice::row_stream first = co_await db.stream(sql(behind_a_lock), in_pages);
  const auto code = co_await fails_with(db, {.timeout = 100ms});
  EXPECT_EQ(code, make_error_code(errc::deadline_exceeded));
  locker.execute("rollback");
  const sluice::chunk end = co_await first.next();
  EXPECT_FALSE(end);
  const std::string rows = co_await answer(db, sql("select to_json(1)"));
  EXPECT_EQ(rows, "1");
}

TEST_F(WhileDescribed, TimeToBeginIsCountedInACoroutine) { run(begin_while_another_is_described(locker_)); }

}  // namespace
}  // namespace deadlines_test
