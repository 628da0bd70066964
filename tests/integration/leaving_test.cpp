// Streams that are left before their end: the server's query ends, too, and the connection takes the next one.
#include <gtest/gtest.h>

#include <string>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace leaving_test {
namespace {

using namespace sluice::test;
using sluice::leaving;
using sluice::sql;

TEST(Leaving, EndsTheQueryOnTheServerAndKeepsTheConnection) {
  sluice::client db{dsn()};
  {
    int count = 0;
    for (const sluice::row row : db.stream(sql("select to_json(generate_series(1, 3000000)) as leaving_test")))
      if (!row.is_null() && ++count == 10) break;
    EXPECT_EQ(count, 10);
  }
  EXPECT_TRUE(db.is_idle());
  EXPECT_FALSE(is_running("leaving_test"));
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(Leaving, TakesTheLongerKeyOfANewerProtocolWhereThereIsOne) {
  sluice::client db{dsn() + " max_protocol_version=3.2"};  // servers before 18 negotiate it down
  {
    sluice::row_range rows = db.stream(sql("select to_json(generate_series(1, 2000000000)) as newer_test"));
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(rows.cancel(), leaving::cancelled);
  }
  EXPECT_FALSE(is_running("newer_test"));
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(Leaving, FailsTheTransactionThatTheQueryWasIn) {
  sluice::client db{dsn()};
  db.execute("begin");
  {
    sluice::row_range rows = db.stream(sql("select to_json(generate_series(1, 100000000))"));
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(rows.cancel(), leaving::cancelled);
  }
  EXPECT_NE(answer(db, sql("select to_json(1)")).find("current transaction is aborted"), std::string::npos);
  db.execute("rollback");
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(Leaving, NeedNotWaitForARow) {
  sluice::client db{dsn()};
  for (const auto& [query, words] :
       {std::pair{sql("select to_json(pg_sleep(600)::text) as sleeping_flight").as_document(), "sleeping_flight"},
        std::pair{sql("select pg_sleep(600)::text as sleeping_object"), "sleeping_object"}}) {
    SCOPED_TRACE(words);
    sluice::row_range rows = db.stream(query);
    EXPECT_NE(rows.cancel(), leaving::closed);
    EXPECT_FALSE(is_running(words));
    EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  }
}

TEST(Leaving, BeforeTheFirstLookRunsNothingWhoseColumnsWereStillToBeAsked) {
  psql("drop table if exists untouched; create table untouched (a int)");
  sluice::client db{dsn()};
  EXPECT_NE(db.stream(sql("insert into untouched values (1) returning a")).cancel(), leaving::closed);
  EXPECT_NE(db.stream(sql("insert into untouched values (2)")).cancel(), leaving::closed);
  EXPECT_EQ(psql("select count(*) from untouched"), "0");
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(Leaving, NeverHitsTheNextQuery) {
  sluice::client db{dsn()};
  for (int i = 0; i < 200; ++i) {
    {
      sluice::row_range rows =
          db.stream(sql("select to_json(n) from generate_series(1, $1) n", 100 * (i % 40)).as_document());
      (void)rows.next();
      EXPECT_NE(rows.cancel(), leaving::closed);
    }
    ASSERT_EQ(answer(db, sql("select to_json($1::int)", i).as_document()), std::to_string(i)) << "after " << i;
  }
}

asio::awaitable<void> drop_and_ask(std::string conninfo) {
  sluice::connection db = co_await sluice::connect(conninfo);
  for (int i = 0; i < 200; ++i) {
    {
      const sluice::query many = sql("select to_json(n) from generate_series(1, $1) n", 100 * (i % 40)).as_document();
      sluice::row_stream rows = co_await db.stream(many);
      if (i % 3 != 0) (void)co_await rows.next();  // every third one is dropped before its first rows are read
    }
    const sluice::query next = sql("select to_json($1::int)", i).as_document();
    const std::string got = co_await answer(db, next);
    EXPECT_EQ(got, std::to_string(i)) << "after " << i;
    if (got != std::to_string(i)) co_return;
  }
}

TEST(Dropping, AStreamInACoroutineNeverHitsTheNextQuery) {
  run(drop_and_ask(dsn()));
  run(drop_and_ask(tcp_dsn()));
}

asio::awaitable<std::string> drop_and_leave(std::string words) {
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query endless = sql("select to_json(pg_sleep(600)::text) as " + words).as_document();
  const sluice::row_stream rows = co_await db.stream(endless);
  wait_until_running(words);
  co_return words;
}

TEST(Dropping, AStreamWithItsConnectionEndsTheQueryOnTheServer) {
  EXPECT_FALSE(is_running(run(drop_and_leave("dropped_with_all"))));
}

asio::awaitable<leaving> leave_twice() {
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query many = sql("select to_json(generate_series(1, 100000000))");
  sluice::row_stream rows = co_await db.stream(many);
  const sluice::chunk some = co_await rows.next();
  EXPECT_TRUE(some);
  const leaving first = co_await rows.cancel();
  const leaving second = co_await rows.cancel();
  EXPECT_EQ(second, leaving::drained) << "nothing is left to do";
  EXPECT_TRUE(db.is_idle());
  const sluice::query next = sql("select to_json(1)");
  const std::string got = co_await answer(db, next);
  EXPECT_EQ(got, "1");
  co_return first;
}

TEST(Leaving, TellsACoroutineHowItWent) { EXPECT_EQ(run(leave_twice()), leaving::cancelled); }

}  // namespace
}  // namespace leaving_test
