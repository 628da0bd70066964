// Several queries in one write.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "relay.hpp"

namespace pipeline_test {
namespace {

using namespace sluice::test;
using sluice::sql;

sluice::query number(int n) { return sql("select to_json($1::int)", n).as_document(); }

asio::awaitable<std::vector<std::string>> rows_of(sluice::row_stream rows) {
  std::vector<std::string> all;
  for (sluice::chunk chunk = co_await rows.next(); chunk; chunk = co_await rows.next())
    for (const sluice::row row : chunk) all.emplace_back(row.text());
  co_return all;
}

asio::awaitable<void> in_order() {
  sluice::connection db = co_await sluice::connect(dsn());
  std::vector<sluice::query> queries;
  for (int i = 0; i < 100; ++i) queries.push_back(number(i));
  sluice::pipeline results = co_await db.send(queries);
  EXPECT_EQ(results.remaining(), 100U);
  for (int i = 0; results.has_next(); ++i) {
    sluice::row_stream stream = co_await results.next();
    const std::vector<std::string> rows = co_await rows_of(std::move(stream));
    EXPECT_EQ(rows, std::vector{std::to_string(i)});
  }
  EXPECT_TRUE(db.is_idle());
}

TEST(Pipeline, GivesResultsInOrder) { run(in_order()); }

asio::awaitable<void> with_errors() {
  sluice::connection db = co_await sluice::connect(dsn());
  std::vector<sluice::query> queries{number(1),
                                     sql("selec").as_document(),
                                     number(2),
                                     sql("select to_json(1 / (3 - n)) from generate_series(1, 5) n").as_document(),
                                     sql("create temporary table t (n int)").as_document(),
                                     number(3)};
  sluice::pipeline results = co_await db.send(queries);
  std::vector<std::string> seen;
  while (results.has_next()) {
    sluice::row_stream stream = co_await results.next();
    try {
      const std::vector<std::string> rows = co_await rows_of(std::move(stream));
      seen.push_back(std::to_string(rows.size()));
    } catch (const sluice::error& e) {
      seen.emplace_back(e.sqlstate());
      EXPECT_TRUE(e.connection_usable());
    }
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "42601", "1", "22012", "0", "1"}));
  EXPECT_TRUE(db.is_idle());
}

TEST(Pipeline, KeepsAnErrorToItsOwnQuery) { run(with_errors()); }

asio::awaitable<void> with_large_results() {
  sluice::connection db = co_await sluice::connect(dsn());
  std::vector<sluice::query> queries;
  for (int i = 0; i < 5; ++i)
    queries.push_back(sql("select to_json(repeat('x', 1000)) from generate_series(1, 20000)").as_document());
  sluice::pipeline results = co_await db.send(queries);
  while (results.has_next()) {
    sluice::row_stream stream = co_await results.next();
    const std::vector<std::string> rows = co_await rows_of(std::move(stream));
    EXPECT_EQ(rows.size(), 20'000U);
  }
}

TEST(Pipeline, DoesNotHoldWhatIsNotReadYet) { run(with_large_results()); }

asio::awaitable<void> with_dropped_results() {
  sluice::connection db = co_await sluice::connect(dsn());
  std::vector<sluice::query> queries{sql("select to_json(n) from generate_series(1, 100000) n").as_document(),
                                     number(1), number(2), number(3)};
  sluice::pipeline results = co_await db.send(queries);
  for (int i = 0; i < 3; ++i) {
    sluice::row_stream stream = co_await results.next();
    const sluice::chunk chunk = co_await stream.next();
    EXPECT_TRUE(chunk);
  }
  sluice::row_stream last = co_await results.next();
  const std::vector<std::string> rows = co_await rows_of(std::move(last));
  EXPECT_EQ(rows, std::vector<std::string>{"3"});
  EXPECT_TRUE(db.is_idle());
}

TEST(Pipeline, GoesOnBehindAResultThatWasDropped) { run(with_dropped_results()); }

asio::awaitable<void> dropped_whole() {
  sluice::connection db = co_await sluice::connect(dsn());
  {
    std::vector<sluice::query> queries;
    for (int i = 0; i < 5; ++i)
      queries.push_back(sql("select to_json(pg_sleep(600)::text) as pipelined").as_document());
    sluice::pipeline results = co_await db.send(queries);
    sluice::row_stream stream = co_await results.next();
  }
  const std::string one = co_await answer(db, sql("select to_json(1)"));
  EXPECT_EQ(one, "1");
  EXPECT_FALSE(is_running("pipelined"));
}

TEST(Pipeline, IsCancelledWholeWhenItIsDropped) { run(dropped_whole()); }

asio::awaitable<void> with_what_cannot_be_sent() {
  sluice::connection db = co_await sluice::connect(dsn());
  for (const auto& bad : {sql("select 1"), sql(std::string{"select 1\0", 9}).as_document()}) {
    const std::vector<sluice::query> queries{number(1), bad, number(2)};
    bool refused = false;
    try {
      sluice::pipeline results = co_await db.send(queries);
    } catch (const sluice::error& e) {
      refused = e.code() == sluice::errc::bad_query;
    }
    EXPECT_TRUE(refused);
    EXPECT_TRUE(db.is_idle());
    const std::string one = co_await answer(db, sql("select to_json(1)"));
    EXPECT_EQ(one, "1");
  }
}

TEST(Pipeline, SendsNothingWhenOneCannotBeSent) { run(with_what_cannot_be_sent()); }

asio::awaitable<void> with_the_stream_before_open() {
  sluice::connection db = co_await sluice::connect(dsn());
  const std::vector<sluice::query> queries{number(1), number(2)};
  sluice::pipeline results = co_await db.send(queries);
  sluice::row_stream first = co_await results.next();
  bool refused = false;
  try {
    sluice::row_stream second = co_await results.next();
  } catch (const sluice::error& e) {
    refused = e.code() == sluice::errc::bad_state;
  }
  EXPECT_TRUE(refused);
  const std::vector<std::string> rows = co_await rows_of(std::move(first));
  EXPECT_EQ(rows, std::vector<std::string>{"1"});
  sluice::row_stream second = co_await results.next();
  const std::vector<std::string> more = co_await rows_of(std::move(second));
  EXPECT_EQ(more, std::vector<std::string>{"2"});
}

TEST(Pipeline, GivesOneResultAtATime) { run(with_the_stream_before_open()); }

asio::awaitable<void> copying_in() {
  sluice::connection db = co_await sluice::connect(dsn());
  (void)co_await db.execute("create temporary table t (n int)");
  const std::vector<sluice::query> queries{sql("copy t from stdin").as_document(), number(2)};
  sluice::pipeline results = co_await db.send(queries);
  sluice::row_stream first = co_await results.next();
  bool refused = false;
  try {
    (void)co_await rows_of(std::move(first));
  } catch (const sluice::error& e) {
    refused = true;
  }
  EXPECT_TRUE(refused);
  EXPECT_TRUE(db.is_closed()) << "the server has skipped a Sync: nobody can tell which answers come";
}

TEST(Pipeline, ClosesTheConnectionWhenAStatementCopiesIn) { run(copying_in()); }

TEST(Pipeline, IsForTheBlockingFaceToo) {
  sluice::client db{dsn()};
  const std::vector<sluice::query> queries{number(1), sql("selec").as_document(), number(2), number(3)};
  std::vector<sluice::row_range> results = db.send(queries);
  ASSERT_EQ(results.size(), 4U);
  EXPECT_THROW((void)results[2].next(), sluice::error) << "out of turn";
  std::string seen;
  for (sluice::row_range& rows : results) {
    try {
      for (const sluice::row row : rows) seen += row.text();
    } catch (const sluice::error& e) {
      seen += e.sqlstate();
    }
  }
  EXPECT_EQ(seen, "14260123");
  EXPECT_TRUE(db.is_idle());
  results = db.send(queries);
  results.clear();
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1") << "all of them were dropped";
}

}  // namespace
}  // namespace pipeline_test
