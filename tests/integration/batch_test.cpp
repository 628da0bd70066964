// One statement for many rows of values: what is run, what a refused row means, and what a batch leaves behind.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <sluice/sluice.hpp>
#include <sluice/stream/batch.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "failures.hpp"

namespace batch_test {
namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::sql;

using refused_rows = std::vector<std::pair<std::uint64_t, std::string>>;

sluice::batch_options noting(refused_rows& into, std::size_t rows = 1'000) {
  return {.rows = rows, .on_failure = [&into](std::uint64_t row, const sluice::error& why) {
            into.emplace_back(row, why.sqlstate());
          }};
}

bool says(const std::optional<sluice::error>& why, std::string_view what) {
  return why && std::string_view{why->what()}.find(what) != std::string_view::npos;
}

/// A table `batch_rows`, anew for each test; with and without statements that stay prepared.
class Batch : public testing::TestWithParam<std::size_t> {
 protected:
  static void SetUpTestSuite() {
    psql("create table batch_rows (id int primary key check (id <> 13), t text, n numeric)");
  }
  static void TearDownTestSuite() { psql("drop table batch_rows"); }
  void SetUp() override { psql("truncate batch_rows"); }
  static std::string count() { return psql("select count(*) from batch_rows"); }
  static std::string all() {
    return psql("select coalesce(string_agg(b::text, ' ' order by id), '') from batch_rows b");
  }
  void expect_usable() { EXPECT_EQ(answer(db, sql("select to_json(1)").as_document()), "1"); }

  static sluice::connection_options options() { return {.statement_cache = GetParam()}; }
  sluice::client db{dsn(), options()};
};
INSTANTIATE_TEST_SUITE_P(Caches, Batch, testing::Values(0, 10));

constexpr std::string_view insert{"insert into batch_rows values ($1, $2, $3)"};

TEST_P(Batch, RunsEachRow) {
  for (const std::size_t rows : {1U, 2U, 7U, 20U, 21U, 1000U}) {
    psql("truncate batch_rows");
    sluice::blocking_batch_writer to = db.batch("insert into batch_rows (id, t) values ($1, $2)", {.rows = rows});
    for (int i = 0; i < 20; ++i) to.write(i + 20, "text " + std::to_string(i));
    EXPECT_EQ(to.rows(), 20U);
    const sluice::batch_result done = to.finish();
    EXPECT_EQ(done.rows, 20U);
    EXPECT_EQ(done.failed, 0U);
    EXPECT_EQ(done.affected_rows, 20U);
    EXPECT_EQ(psql("select count(*), sum(id), max(t) from batch_rows"), "20|590|text 9");
  }
  sluice::blocking_batch_writer update = db.batch("update batch_rows set t = $1 where id > $2");
  update.write("x", 30);
  update.write(std::tuple{"y", 38});
  EXPECT_EQ(update.finish().affected_rows, 10U);
  expect_usable();
}

TEST_P(Batch, OfNoRowsSendsNothing) {
  sluice::blocking_batch_writer to = db.batch("no sql at all");
  EXPECT_EQ(to.finish().rows, 0U);
  expect_usable();
}

TEST_P(Batch, OfRowsWithoutValues) {
  sluice::blocking_batch_writer to =
      db.batch("insert into batch_rows select coalesce(max(id), 20) + 1 from batch_rows");
  for (int i = 0; i < 5; ++i) to.write();
  EXPECT_EQ(to.finish().affected_rows, 5U);
  EXPECT_EQ(psql("select max(id) from batch_rows"), "25");
}

TEST_P(Batch, BindsAsSqlDoes) {
  sluice::blocking_batch_writer to = db.batch(insert);
  to.write(1, nullptr, nullptr);
  to.write(2, "it's", 1.5);
  to.write(3, std::optional<std::string>{}, std::numeric_limits<std::int64_t>::min());
  to.write(std::int64_t{4}, std::string(100'000, 'x'), sluice::bind_value::numeric("1e100"));
  to.write(5, std::nullopt, 1);
  EXPECT_EQ(to.finish().rows, 5U);
  EXPECT_EQ(
      psql("select string_agg(concat_ws('/', id, left(t, 4), left(n::text, 20)), ' ' order by id) from batch_rows"),
      "1 2/it's/1.5 3/-9223372036854775808 4/xxxx/10000000000000000000 5/1");
}

TEST_P(Batch, MayReturnRowsThatNobodyReads) {
  sluice::blocking_batch_writer to =
      db.batch("insert into batch_rows (id, t) values ($1, $2) returning repeat(t, 1000)");
  for (int i = 20; i < 2'520; ++i) to.write(i, "some text");  // 22 MB come back
  EXPECT_EQ(to.finish().affected_rows, 2'500U);
  sluice::blocking_batch_writer read = db.batch("select generate_series(1, $1::int)");
  for (int i = 0; i < 10; ++i) read.write(i);
  EXPECT_EQ(read.finish().affected_rows, 45U);
  expect_usable();
}

TEST_P(Batch, ByThemselvesOthersAreRun) {
  for (const std::size_t rows : {1U, 2U, 3U, 100U}) {
    psql("truncate batch_rows");
    refused_rows refused;
    sluice::blocking_batch_writer to =
        db.batch("insert into batch_rows (id, t) values ($1, $2)", noting(refused, rows));
    for (const char* const id : {"10", "11", "11", "13", "x", "14", "10"}) to.write(id, "t");
    const sluice::batch_result done = to.finish();
    EXPECT_EQ(refused, (refused_rows{{3, "23505"}, {4, "23514"}, {5, "22P02"}, {7, "23505"}}));
    EXPECT_EQ(done.rows, 7U);
    EXPECT_EQ(done.failed, 4U);
    EXPECT_EQ(done.affected_rows, 3U);
    EXPECT_EQ(psql("select string_agg(id::text, ' ' order by id) from batch_rows"), "10 11 14");
    expect_usable();
  }
}

TEST_P(Batch, TellsTheFirstRefusedRowWithoutAHandler) {
  sluice::blocking_batch_writer to = db.batch("insert into batch_rows (id) values ($1)", {.rows = 3});
  for (const int id : {1, 2, 3, 4}) to.write(id);
  to.write(2);
  const auto why = failure_of([&] { to.write(6); });
  ASSERT_TRUE(says(why, "(row 5 of the batch)"));
  EXPECT_EQ(why->sqlstate(), "23505");
  EXPECT_TRUE(why->connection_usable());
  EXPECT_EQ(psql("select string_agg(id::text, ' ' order by id) from batch_rows"), "1 2 3 4 6");
  EXPECT_EQ(failure_of([&] { to.write(7); })->code(), errc::bad_state);
  EXPECT_EQ(failure_of([&] { (void)to.finish(); })->code(), errc::bad_state);
  expect_usable();
}

TEST_P(Batch, InATransactionIsAllOrNothing) {
  {
    sluice::blocking_transaction tx = db.begin();
    sluice::blocking_batch_writer to = tx.batch("insert into batch_rows (id) values ($1)", {.rows = 2});
    for (int i = 20; i < 25; ++i) to.write(i);
    EXPECT_EQ(to.finish().affected_rows, 5U);
    EXPECT_EQ(count(), "0");
    tx.commit();
  }
  EXPECT_EQ(count(), "5");
  for (const std::size_t rows : {1U, 2U, 3U, 4U, 5U, 100U}) {
    sluice::blocking_transaction tx = db.begin();
    sluice::blocking_batch_writer to = tx.batch("insert into batch_rows (id) values ($1)", {.rows = rows});
    const auto why = failure_of([&] {
      for (const int id : {1, 2, 3, 13, 4, 5, 13}) to.write(id);
      to.finish();
    });
    ASSERT_TRUE(says(why, "(row 4 of the batch)")) << rows;
    EXPECT_EQ(why->sqlstate(), "23514");
    EXPECT_EQ(failure_of([&] { tx.commit(); })->code(), errc::rolled_back);
  }
  EXPECT_EQ(count(), "5");
  expect_usable();
  sluice::blocking_transaction tx = db.begin();
  refused_rows refused;
  EXPECT_EQ(failure_of([&] { (void)tx.batch("select 1", noting(refused)); })->code(), errc::bad_state);
}

TEST_P(Batch, InASavepointCanBeTakenBack) {
  sluice::blocking_transaction tx = db.begin();
  tx.execute(sql("insert into batch_rows (id) values (1)"));
  {
    sluice::blocking_transaction point = tx.begin();
    sluice::blocking_batch_writer to = point.batch("insert into batch_rows (id) values ($1)");
    EXPECT_EQ(failure_of([&] {
                tx.batch("select 1").write();
                tx.execute("select 1");
              })->code(),
              errc::bad_state);
    to.write(2);
    to.write(1);
    EXPECT_EQ(failure_of([&] { (void)to.finish(); })->sqlstate(), "23505");
  }
  tx.commit();
  EXPECT_EQ(psql("select string_agg(id::text, ' ') from batch_rows"), "1");
}

TEST_P(Batch, OfAStatementThatCannotBeRun) {
  refused_rows refused;
  for (const auto& [statement, sqlstate] : {std::pair{"insert into no_such_table values ($1)", "42P01"},
                                            {"insert into batch_rows (id) valuez ($1)", "42601"}}) {
    sluice::blocking_batch_writer plain = db.batch(statement);
    for (int i = 0; i < 3; ++i) plain.write(i);
    EXPECT_EQ(failure_of([&] { (void)plain.finish(); })->sqlstate(), sqlstate);
    sluice::blocking_transaction tx = db.begin();
    sluice::blocking_batch_writer to = tx.batch(statement);
    for (int i = 0; i < 3; ++i) to.write(i);
    EXPECT_EQ(failure_of([&] { (void)to.finish(); })->sqlstate(), sqlstate);
  }
  EXPECT_EQ(failure_of([&] {
              sluice::blocking_batch_writer to = db.batch("insert into batch_rows (id) values ($1, $2)");
              to.write(1);
              to.write(2);
              (void)to.finish();
            })->kind(),
            sluice::condition::sql);
  expect_usable();
}

TEST_P(Batch, RefusesAnotherNumberOfValues) {
  sluice::blocking_batch_writer to = db.batch("insert into batch_rows (id, t) values ($1, $2)");
  to.write(1, "a");
  const auto why = failure_of([&] { to.write(2); });
  EXPECT_EQ(why->code(), errc::bad_query);
  EXPECT_TRUE(says(why, "row 2 of the batch has 1 values, the rows before have 2")) << why->what();
  to.write(3, "c");
  EXPECT_EQ(to.finish().rows, 2U);
  EXPECT_EQ(psql("select string_agg(id::text, ' ' order by id) from batch_rows"), "1 3");
}

TEST_P(Batch, OfACopyIsRefused) {
  sluice::blocking_batch_writer to = db.batch("copy batch_rows from stdin");
  to.write();
  to.write();
  const auto why = failure_of([&] { (void)to.finish(); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::unsupported_result) << why->what();
  EXPECT_FALSE(why->connection_usable());
}

TEST_P(Batch, LetsOtherQueriesInBetween) {
  sluice::blocking_batch_writer to = db.batch("insert into batch_rows (id) values ($1)", {.rows = 10});
  int next = 20;
  {
    const auto pages = sql("select to_json(n) from generate_series(1, 100) n").as_document();
    for (const sluice::row each : db.stream(pages, {.mode = sluice::fetch_mode::paged, .page_rows = 7})) {
      (void)each;
      to.write(next++);
    }
  }
  expect_usable();
  EXPECT_EQ(to.finish().affected_rows, 100U);
  EXPECT_EQ(count(), "100");
}

TEST_P(Batch, DroppedDoesNotSendItsLastRows) {
  {
    sluice::blocking_batch_writer to = db.batch("insert into batch_rows (id) values ($1)", {.rows = 3});
    for (int i = 20; i < 25; ++i) to.write(i);
    sluice::blocking_batch_writer moved = std::move(to);
    EXPECT_EQ(to.rows(), 0U);
    EXPECT_EQ(moved.rows(), 5U);
    EXPECT_EQ(failure_of([&] { to.write(1); })->code(), errc::bad_state);
  }
  EXPECT_EQ(count(), "3");
}

TEST_P(Batch, HandlerMayThrow) {
  sluice::blocking_batch_writer to = db.batch(
      "insert into batch_rows (id) values ($1)",
      {.on_failure = [](std::uint64_t row, const sluice::error&) { throw std::runtime_error{std::to_string(row)}; }});
  for (const int id : {1, 13, 2}) to.write(id);
  try {
    (void)to.finish();
    FAIL();
  } catch (const std::runtime_error& mine) {
    EXPECT_STREQ(mine.what(), "2");
  }
  EXPECT_EQ(failure_of([&] { (void)to.finish(); })->code(), errc::bad_state);
  EXPECT_EQ(count(), "2");
  expect_usable();
}

TEST_P(Batch, TellsHowFarALostConnectionGot) {
  sluice::blocking_batch_writer to = db.batch(
      "insert into batch_rows (id, t) select $1, case when $1 = 24 then pg_terminate_backend(pg_backend_pid())::text "
      "end");
  for (int i = 20; i < 30; ++i) to.write(i);
  const auto why = failure_of([&] { (void)to.finish(); });
  ASSERT_TRUE(says(why, "4 of 10 rows of the batch that were sent have been answered"));
  EXPECT_EQ(why->sqlstate(), "57P01");
  EXPECT_EQ(why->rows(), 4U);
  EXPECT_FALSE(why->connection_usable());
  EXPECT_EQ(count(), "4");
}

TEST_P(Batch, EndsAtItsDeadline) {
  sluice::blocking_batch_writer to = db.batch("insert into batch_rows (id) select $1 from pg_sleep($1::int / 1000)",
                                              {.timeout = std::chrono::milliseconds{200}});
  for (const int id : {1, 2, 30'000, 3}) to.write(id);
  const auto why = failure_of([&] { (void)to.finish(); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::deadline_exceeded);
  EXPECT_TRUE(says(why, "2 of 4 rows of the batch")) << why->what();
  EXPECT_EQ(failure_of([&] { (void)to.finish(); })->code(), errc::bad_state);
  expect_usable();
}

TEST_P(Batch, FindsAForgottenStatementAgain) {
  refused_rows refused;
  sluice::blocking_batch_writer to = db.batch("insert into batch_rows (id) values ($1)", noting(refused, 2));
  for (int i = 20; i < 22; ++i) to.write(i);
  db.execute("deallocate all");
  for (int i = 22; i < 24; ++i) to.write(i);
  EXPECT_EQ(to.finish().affected_rows, 4U);
  EXPECT_EQ(refused, refused_rows{});
}

/// What `write` returns need not be awaited at once: then more is collected.
TEST_P(Batch, OfRowsOfDifferentTypesKeepsTheirOrder) {
  const auto body = [](sluice::connection_options bounds) -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn(), bounds);
    sluice::batch_writer to = conn.batch("insert into batch_rows (id, t) values ($1, $2::text)");
    std::vector<asio::awaitable<void>> later;
    later.push_back(to.write(20, "a"));
    later.push_back(to.write("21", "b"));
    later.push_back(to.write(22, "c"));
    later.push_back(to.write("23", nullptr));
    later.push_back(to.write(24, "e"));
    const sluice::batch_result done = co_await to.finish();
    EXPECT_EQ(done.affected_rows, 5U);
  };
  run(body(options()));
  EXPECT_EQ(psql("select string_agg(id || coalesce(t, '-'), ' ' order by id) from batch_rows"), "20a 21b 22c 23- 24e");
}

TEST_P(Batch, InACoroutine) {
  const auto body = [](sluice::connection_options bounds) -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn(), bounds);
    refused_rows refused;
    sluice::batch_writer to = conn.batch("insert into batch_rows (id, t) values ($1, $2)", noting(refused, 100));
    for (int i = 0; i < 1'000; ++i) co_await to.write(i, "some text");
    const sluice::batch_result done = co_await to.finish();
    EXPECT_EQ(done.rows, 1'000U);
    EXPECT_EQ(done.affected_rows, 999U);
    EXPECT_EQ(refused, (refused_rows{{14, "23514"}}));
    sluice::transaction tx = co_await conn.begin();
    sluice::batch_writer all = tx.batch("update batch_rows set n = $2 where id = $1", {.rows = 7});
    for (int i = 0; i < 100; ++i) co_await all.write(i, 1.5 * i);
    const sluice::batch_result updated = co_await all.finish();
    EXPECT_EQ(updated.affected_rows, 99U);
    co_await tx.commit();
    sluice::batch_writer none;
    EXPECT_EQ(failure_of([&] { (void)none.finish(); })->code(), errc::bad_state);
  };
  run(body(options()));
  EXPECT_EQ(psql("select count(n), sum(n) from batch_rows"), "99|7405.5");
}

/// It is nobody else's while rows may follow, whoever lent it, and whatever became of the object it was borrowed with.
TEST_P(Batch, KeepsItsConnection) {
  const auto body = [](sluice::connection_options bounds) -> asio::awaitable<void> {
    sluice::pool shared{co_await asio::this_coro::executor, dsn(), {.max_size = 1}, bounds};
    sluice::batch_writer to;
    {
      sluice::pooled_connection lent = co_await shared.acquire();
      to = lent->batch("insert into batch_rows (id) values ($1)");
    }
    EXPECT_EQ(shared.stats().lent, 1U);
    co_await to.write(1);
    (void)co_await to.finish();
    sluice::transaction tx = co_await shared.begin();
    EXPECT_EQ(failure_of([&] { (void)to.write(2); })->code(), errc::bad_state);
    co_await tx.rollback();
    {
      sluice::pooled_connection lent = co_await shared.acquire();
      to = lent->batch("insert into batch_rows (id) values ($1)");
    }
    to = {};
    const sluice::command_result done = co_await shared.execute(sql("select 1"));
    EXPECT_EQ(done.affected_rows, 1U);
    {
      sluice::connection conn = co_await sluice::connect(dsn(), bounds);
      to = conn.batch("insert into batch_rows (id) values ($1)");
    }
    co_await to.write(3);
    (void)co_await to.finish();
    shared.close();
  };
  run(body(options()));
  EXPECT_EQ(psql("select string_agg(id::text, ' ' order by id) from batch_rows"), "1 3");
}

TEST_P(Batch, ThatFailedGivesItsConnectionBack) {
  const auto body = [](sluice::connection_options bounds) -> asio::awaitable<void> {
    sluice::pool shared{co_await asio::this_coro::executor, dsn(), {.max_size = 1}, bounds};
    sluice::batch_writer to;
    {
      sluice::pooled_connection lent = co_await shared.acquire();
      to = lent->batch("insert into batch_rows (id) values ($1)", {.rows = 1});
    }
    std::optional<sluice::error> failure;
    try {
      co_await to.write(13);
    } catch (const sluice::error& why) {
      failure = why;
    }
    EXPECT_EQ(failure->sqlstate(), "23514");
    const sluice::command_result done = co_await shared.execute(sql("select 1"));
    EXPECT_EQ(done.affected_rows, 1U);
    shared.close();
  };
  run(body(options()));
}

}  // namespace
}  // namespace batch_test
