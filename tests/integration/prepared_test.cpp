// The cache of prepared statements.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "watching.hpp"

namespace prepared_test {
namespace {

using namespace sluice::test;
using sluice::sql;

/// The number of prepared statements that the server holds for this session.
std::string held(sluice::client& db) {
  return answer(db,
                sql("select to_json(count(*)) from pg_prepared_statements where name like 'sluice_%'").as_document());
}

class Prepared : public testing::Test {
 protected:
  sluice::client connect(std::size_t statements) {
    sluice::connection_options options;
    options.statement_cache = statements;
    options.watch = &seen_;
    return sluice::client{dsn(), options};
  }
  /// Whether the cache had the last query's statement.
  [[nodiscard]] bool hit() const { return seen_.queries.back().was_prepared; }

  recorder seen_;
};

TEST_F(Prepared, AreFoundTheSecondTime) {
  sluice::client db = connect(8);
  for (const auto& what : {sql("select to_json($1::int)", 7).as_document(), sql("select $1::int as n", 7).as_object(),
                           sql("select to_json($1::int)", 7), sql("select $1::int as n, 2 as m", 7)}) {
    SCOPED_TRACE(what.text());
    const std::string first = answer(db, what);
    EXPECT_FALSE(hit());
    EXPECT_EQ(answer(db, what), first);
    EXPECT_TRUE(hit());
    EXPECT_EQ(answer(db, what), first);
  }
  EXPECT_EQ(held(db), "5") << "these, and the one that asks";
}

TEST_F(Prepared, KeepColumnsAndTheirTypes) {
  sluice::client db = connect(8);
  for (int i = 0; i < 3; ++i) {
    for (const sluice::row row : db.stream(sql("select 1::int8 as a, 'x'::text as b").as_columns())) {
      EXPECT_EQ(row.get<std::int64_t>(0), 1);
      EXPECT_EQ(row.get<std::string>(1), "x");
      EXPECT_EQ(row.columns()[1].name, "b");
    }
  }
  EXPECT_TRUE(hit());
}

TEST_F(Prepared, TellStatementsWithOtherTypesApart) {
  sluice::client db = connect(8);
  EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", std::int64_t{1}).as_document()), "\"bigint\"");
  EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", true).as_document()), "\"boolean\"");
  EXPECT_FALSE(hit());
}

TEST_F(Prepared, AreForgottenLeastRecentlyUsedFirst) {
  sluice::client db = connect(2);
  const auto one = sql("select to_json(1)").as_document();
  const auto two = sql("select to_json(2)").as_document();
  const auto three = sql("select to_json(3)").as_document();
  for (const auto& each : {one, two, one, three}) (void)answer(db, each);
  EXPECT_EQ(answer(db, one), "1");
  EXPECT_TRUE(hit());
  EXPECT_EQ(answer(db, two), "2");
  EXPECT_FALSE(hit());
  EXPECT_EQ(held(db), "2");
}

TEST_F(Prepared, AreForgottenWhenTheirPlanMayNotChange) {
  sluice::client db = connect(8);
  db.execute("create temporary table t (n int); insert into t values (1)");
  const auto what = sql("select * from t").as_columns();
  const auto read = [&] {
    std::string all;
    for (const sluice::row row : db.stream(what)) all += std::to_string(row.columns().size());
    return all;
  };
  EXPECT_EQ(read(), "1");
  db.execute("alter table t add column m int default 2");
  try {
    (void)read();
    ADD_FAILURE() << "the server says that the result has another type";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "0A000") << e.what();
  }
  EXPECT_EQ(read(), "2");
  EXPECT_EQ(read(), "2");
  EXPECT_TRUE(hit());
}

TEST_F(Prepared, AreForgottenWhenTheServerHasThemNoMore) {
  sluice::client db = connect(8);
  const auto what = sql("select to_json(1)").as_document();
  (void)answer(db, what);
  for (const char* const statement : {"discard all", "deallocate all"}) {
    db.execute(statement);
    EXPECT_EQ(answer(db, what), "1") << statement;
    EXPECT_FALSE(hit());
  }
  db.execute("do $$ begin deallocate all; end $$");  // the client does not see this
  EXPECT_NE(answer(db, what).find("does not exist"), std::string::npos);
  EXPECT_EQ(answer(db, what), "1");
}

TEST_F(Prepared, OutliveAnErrorOfTheirExecution) {
  sluice::client db = connect(8);
  const auto what = [](int n) { return sql("select to_json(1 / $1::int)", n).as_document(); };
  for (const int n : {0, 1, 0, 1}) EXPECT_EQ(answer(db, what(n)) == "1", n == 1);
  EXPECT_TRUE(hit());
  EXPECT_NE(answer(db, sql("selec").as_document()).find("syntax"), std::string::npos);
  EXPECT_NE(answer(db, sql("selec").as_document()).find("syntax"), std::string::npos);
  EXPECT_FALSE(hit());
}

TEST_F(Prepared, WorkInPagesAndInPipelines) {
  sluice::client db = connect(8);
  for (int i = 0; i < 3; ++i) {
    int count = 0;
    const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 10};
    for (const sluice::row row : db.stream(sql("select n from generate_series(1, 35) n"), in_pages))
      count += row.is_null() ? 0 : 1;
    EXPECT_EQ(count, 35);
  }
  EXPECT_TRUE(hit());
}

asio::awaitable<void> twice_in_a_pipeline() {
  sluice::connection_options options;
  options.statement_cache = 4;
  sluice::connection db = co_await sluice::connect(dsn(), options);
  for (int round = 0; round < 2; ++round) {
    const std::vector<sluice::query> queries(3, sql("select to_json(1)").as_document());
    sluice::pipeline results = co_await db.send(queries);
    while (results.has_next()) {
      sluice::row_stream stream = co_await results.next();
      const sluice::chunk chunk = co_await stream.next();
      EXPECT_TRUE(chunk);
      const sluice::chunk end = co_await stream.next();
      EXPECT_FALSE(end);
    }
  }
}

TEST_F(Prepared, AreNotPreparedTwiceByOnePipeline) { run(twice_in_a_pipeline()); }

/// The server has prepared the statement, but the client does not know that.
TEST_F(Prepared, AreClosedWhenTheirQueryWasCancelledBeforeItBegan) {
  sluice::client db = connect(8);
  const sluice::query two = sql("select 1 as a, 2 as b");
  for (int i = 0; i < 3; ++i) {
    sluice::row_range rows = db.stream(two);
    (void)rows.cancel();
  }
  for (int i = 0; i < 2; ++i) EXPECT_EQ(answer(db, two), R"({"a":1,"b":2})");
  EXPECT_TRUE(hit());
}

TEST_F(Prepared, AreOffUnlessAskedFor) {
  sluice::client db{dsn()};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(held(db), "0");
}

}  // namespace
}  // namespace prepared_test
