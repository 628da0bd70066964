// Rows of several columns as objects: of any statement, in one round trip once their columns are known, and never
// misread when these change.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "relay.hpp"

namespace objects_test {
namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::fetch_mode;
using sluice::from;
using sluice::sql;
using texts = std::vector<std::string>;

texts documents(sluice::client& db, const sluice::query& what, const sluice::query_options& how = {}) {
  texts all;
  for (const sluice::row each : db.stream(what, how)) all.emplace_back(each.is_null() ? "NULL" : each.text());
  return all;
}

errc code_of(sluice::client& db, const sluice::query& what, const sluice::query_options& how = {}) {
  try {
    (void)documents(db, what, how);
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.connection_usable(), e.code() != errc::stream_too_large) << e.what();
    return static_cast<errc>(e.code().value());
  }
  return {};
}

TEST(Objects, AreMadeOfWhateverReturnsRows) {
  psql("drop table if exists any_statement; create table any_statement (id int, name text)");
  sluice::client db{dsn()};
  (void)db.execute("prepare stated (int) as select $1 as a, 'x' as b");
  EXPECT_EQ(documents(db, sql("show application_name")), texts{R"({"application_name":"sluice"})"});
  EXPECT_EQ(documents(db, sql("execute stated (5)")), texts{R"({"a":5,"b":"x"})"});
  EXPECT_EQ(documents(db, sql("values (1, true), (2, null)")),
            (texts{R"({"column1":1,"column2":true})", R"({"column1":2,"column2":null})"}));
  EXPECT_EQ(documents(db, sql("insert into any_statement values (1, 'a'), (2, 'b') returning *")),
            (texts{R"({"id":1,"name":"a"})", R"({"id":2,"name":"b"})"}));
  EXPECT_EQ(
      documents(db, sql("with gone as (delete from any_statement where id = $1 returning *) select * from gone", 1)),
      texts{R"({"id":1,"name":"a"})"});
  EXPECT_EQ(documents(db, sql("update any_statement set name = 'c' returning id, name")),
            texts{R"({"id":2,"name":"c"})"});
  EXPECT_EQ(documents(db, sql("select from any_statement")), texts{"{}"});
  EXPECT_EQ(documents(db, sql("select 1 as a, 2 as a")), texts{R"({"a":1,"a":2})"});
  EXPECT_EQ(documents(db, sql("select 1 as \"a \"\"b\"\"\\\", 2 as \"\xc3\xa4\"")),
            texts{"{\"a \\\"b\\\"\\\\\":1,\"\xc3\xa4\":2}"});
  EXPECT_TRUE(documents(db, sql("explain select 1")).front().starts_with(R"({"QUERY PLAN":"Result)"));
  EXPECT_TRUE(documents(db, sql("create temporary table none ()")).empty());
  EXPECT_TRUE(documents(db, sql("select 1, 2 where false")).empty());
}

// A CTE around it would have made the server spool all of it to a temporary file first.
TEST(Objects, OfVolatileAndLockingQueriesNeedNoTemporaryFile) {
  psql(
      "drop table if exists locked_rows; create table locked_rows as select n, repeat('x', 100) as text from "
      "generate_series(1, 50000) n");
  sluice::client db{dsn() + " options='-c temp_file_limit=1MB -c work_mem=64kB'"};
  for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk}) {
    for (const char* text : {"select random(), clock_timestamp(), n, text from locked_rows",
                             "select n, text from locked_rows for key share skip locked"}) {
      const sluice::query_options how{.mode = mode};
      if (mode == fetch_mode::bulk && std::string_view{text}.find("for key") != std::string_view::npos) continue;
      EXPECT_EQ(documents(db, sql(text), how).size(), 50'000U) << text;
    }
  }
}

/// How often a client and its server wait for each other until this query's first row.
class ObjectsRoundTrips : public testing::Test {
 protected:
  int until_the_first_row(sluice::client& db, const sluice::query& what, const sluice::query_options& how = {}) {
    const int before = between_.flights();
    sluice::row_range rows = db.stream(what, how);
    EXPECT_TRUE(rows.next());
    const int trips = between_.flights() - before;
    while (rows.next()) {
    }
    return trips;
  }
  std::string way() const { return as_user("trust_user") + " sslmode=disable port=" + std::to_string(between_.port()); }

  relay between_{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT")))};
};

TEST_F(ObjectsRoundTrips, AreOneOnceTheColumnsAreKnown) {
  sluice::client db{way()};
  EXPECT_EQ(until_the_first_row(db, sql("select 1 as a, 'x' as b")), 2);
  EXPECT_EQ(until_the_first_row(db, sql("select 1 as a, 'x' as b")), 1);
  EXPECT_EQ(until_the_first_row(db, sql("select $1::int as a, 'x' as b", 5)), 2);
  EXPECT_EQ(until_the_first_row(db, sql("select $1::int as a, 'x' as b", 6)), 1);
  EXPECT_EQ(until_the_first_row(db, sql("select to_json(1)")), 2);
  EXPECT_EQ(until_the_first_row(db, sql("select to_json(1)")), 1);
}

TEST_F(ObjectsRoundTrips, AreOneWithoutADescription) {
  sluice::client db{way()};
  EXPECT_EQ(until_the_first_row(db, sql("select 1 as a, 'x' as b").as_object()), 1);
  EXPECT_EQ(until_the_first_row(db, sql("select 1 as a, 'x' as b").as_object()), 1);
}

TEST_F(ObjectsRoundTrips, AreOneForAPreparedStatement) {
  sluice::client db{way(), {.statement_cache = 10}};
  EXPECT_EQ(until_the_first_row(db, sql("select 1 as a, 'x' as b")), 2);
  EXPECT_EQ(until_the_first_row(db, sql("select 1 as a, 'x' as b")), 1);
}

TEST_F(ObjectsRoundTrips, AreOneMoreForTypesOfTheDatabaseOnce) {
  psql("drop type if exists mood_once; create type mood_once as enum ('well')");
  sluice::client db{way()};
  EXPECT_EQ(until_the_first_row(db, sql("select 'well'::mood_once as a, 1 as b")), 3);
  EXPECT_EQ(until_the_first_row(db, sql("select 'well'::mood_once as a, 2 as b")), 2);
  EXPECT_EQ(until_the_first_row(db, sql("select 'well'::mood_once as a, 2 as b")), 1);
}

constexpr const char* own_types =
    "drop type if exists own_pair, own_mood cascade; drop domain if exists own_count; "
    "create type own_mood as enum ('well', 'tired'); create domain own_count as int; "
    "create type own_pair as (id own_count, moods own_mood[])";
constexpr const char* of_own_types =
    "select n, 'tired'::own_mood as mood, row(n, '{well,NULL}')::own_pair as pair, array[row(1, null)::own_pair] as "
    "pairs from generate_series(1, 3) n";

TEST(ObjectsOfOwnTypes, AreTheServersInEveryMode) {
  psql(own_types);
  for (const std::size_t cache : {0U, 10U}) {
    sluice::client db{dsn(), {.statement_cache = cache}};
    const texts theirs = documents(db, sql("select row_to_json(q) from (" + std::string{of_own_types} + ") q"));
    ASSERT_EQ(theirs.front(),
              R"({"n":1,"mood":"tired","pair":{"id":1,"moods":["well",null]},"pairs":[{"id":1,"moods":null}]})");
    for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk})
      for (int times = 0; times < 3; ++times) {
        EXPECT_EQ(documents(db, sql(of_own_types), {.mode = mode, .page_rows = 2}), theirs);
        EXPECT_EQ(documents(db, sql(of_own_types).as_object(), {.mode = mode, .page_rows = 2}), theirs);
      }
  }
}

// The rows are on their way before the types are asked about.
TEST(ObjectsOfOwnTypes, WaitForTheAnswerWhenTheyWereNotDescribed) {
  psql(own_types);
  const sluice::query undescribed = sql(of_own_types).as_object();
  sluice::client reference{dsn()};
  const texts theirs = documents(reference, sql(of_own_types));
  for (const std::uint32_t page : {1U, 2U, 3U, 100U}) {
    sluice::client db{dsn()};
    EXPECT_EQ(documents(db, undescribed, {.mode = fetch_mode::paged, .page_rows = page}), theirs) << page;
  }
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(undescribed);
  EXPECT_EQ(rows.stats().rows, 0U);
  texts ours;
  while (const sluice::chunk batch = rows.next())
    for (const sluice::row each : batch) ours.emplace_back(each.text());
  EXPECT_EQ(ours, theirs);
  EXPECT_EQ(rows.stats().rows, 3U);
  EXPECT_TRUE(db.is_idle());

  sluice::client failing{dsn()};
  ours.clear();
  std::optional<sluice::error> failure;
  try {
    for (const sluice::row each : failing.stream(
             sql("select 'well'::own_mood as a, row(1 / (n - 3), null)::own_pair from generate_series(1, 4) n")
                 .as_object()))
      ours.emplace_back(each.text());
  } catch (const sluice::error& e) {
    failure = e;
  }
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->sqlstate(), "22012");
  EXPECT_EQ(ours.size(), 2U) << "the rows before the error";
  EXPECT_EQ(answer(failing, sql("select to_json(1)")), "1");
}

TEST(ObjectsOfOwnTypes, AreKeptWithinBoundsWhileTheyWait) {
  psql(own_types);
  sluice::client db{dsn()};
  const sluice::query large =
      sql("select row(1, null)::own_pair as a, repeat('x', 1000) as b from generate_series(1, 100000)").as_object();
  EXPECT_EQ(code_of(db, large, {.page_bytes = 100'000}), errc::stream_too_large);
}

TEST(ObjectsOfOwnTypes, CanBeDroppedAnywhere) {
  psql(own_types);
  for (const int calls : {0, 1, 2, 3}) {
    sluice::client db{dsn()};
    for (const bool undescribed : {false, true}) {
      sluice::query what = undescribed ? sql(of_own_types).as_object() : sql(of_own_types);
      sluice::row_range rows = db.stream(what, {.mode = fetch_mode::paged, .page_rows = 1});
      for (int i = 0; i < calls; ++i) (void)rows.next();
    }
    EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  }
}

TEST(ObjectsOfOwnTypes, WithACastToJsonAreMadeByTheServer) {
  psql("create extension if not exists hstore");
  sluice::client db{dsn()};
  const char* const text = "select 1 as a, 'x=>1, y=>NULL'::hstore as b";
  for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk})
    for (int times = 0; times < 3; ++times)
      EXPECT_EQ(documents(db, sql(text), {.mode = mode}), texts{R"({"a":1,"b":{"x": "1", "y": null}})"});
  psql("drop table if exists with_store; create table with_store (a int, b hstore)");
  EXPECT_EQ(documents(db, sql("insert into with_store values ($1, 'k=>v') returning *", 7)),
            texts{R"({"a":7,"b":{"k": "v"}})"});
  EXPECT_EQ(documents(db, sql("with w as (insert into with_store values (8, 'k=>v') returning *) select * from w")),
            texts{R"x({"a":8,"b":"\"k\"=>\"v\""})x"})
      << "which cannot stand in another query";
}

// Statements that are run inside of another one.
TEST(Objects, OfStatementsThatEndWithSemicolonsAndComments) {
  psql("create extension if not exists hstore");
  sluice::client db{dsn()};
  for (const char* end : {";", "; -- done", " -- done", "; /* done; */ ;\n"})
    for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk}) {
      EXPECT_EQ(documents(db, sql(std::string{"select 1 as a, 'x=>1'::hstore as b"} + end), {.mode = mode}),
                texts{R"({"a":1,"b":{"x": "1"}})"})
          << end;
      EXPECT_EQ(documents(db, sql(std::string{"select 1 as a, '1 day'::interval as b"} + end), {.mode = mode}),
                texts{R"({"a":1,"b":"1 day"})"})
          << end;
    }
}

TEST(ObjectsThatChange, AreNeverMisread) {
  const auto create = [](const std::string& columns) {
    psql("drop table if exists changing; create table changing (" + columns + "); insert into changing values (1, 2)");
  };
  for (const std::size_t cache : {0U, 10U}) {
    create("a int, b int");
    sluice::client db{dsn(), {.statement_cache = cache}};
    const sluice::query what = sql("select * from changing");
    ASSERT_EQ(documents(db, what), texts{R"({"a":1,"b":2})"});
    for (const char* columns : {"a int8, b int", "a int, c int", "a text, b text", "a int, b int, c int default 3"}) {
      create(columns);
      std::optional<sluice::error> failure;
      try {
        (void)documents(db, what);
      } catch (const sluice::error& e) {
        failure = e;
      }
      ASSERT_TRUE(failure) << columns;
      EXPECT_TRUE(failure->connection_usable());
      if (cache == 0) {
        EXPECT_EQ(failure->code(), errc::result_changed) << columns;
        EXPECT_TRUE(failure->retryable());
      } else {
        EXPECT_EQ(failure->sqlstate(), "0A000");
      }
      EXPECT_EQ(documents(db, what).size(), 1U) << columns;
    }
  }
}

TEST(ObjectsThatChange, AreAskedAboutAgain) {
  psql("drop type if exists altered cascade; create type altered as (a int, b text)");
  sluice::client db{dsn()};
  const sluice::query what = sql("select row(1, 'x')::altered as v, 1 as one");
  ASSERT_EQ(documents(db, what), texts{R"({"v":{"a":1,"b":"x"},"one":1})"});
  psql("alter type altered alter attribute a type bigint");
  EXPECT_EQ(code_of(db, what), errc::result_changed);
  EXPECT_EQ(documents(db, what), texts{R"({"v":{"a":1,"b":"x"},"one":1})"});
}

TEST(ObjectsThatChange, AreNeverTextsThatPassForJson) {
  psql(
      "drop type if exists altered, altered_mood cascade; create type altered_mood as enum ('x'); create type altered "
      "as (m altered_mood, n "
      "int)");
  sluice::client db{dsn()};
  const sluice::query what = sql("select $$(x,1)$$::altered as v, 1 as one");
  ASSERT_EQ(documents(db, what), texts{R"({"v":{"m":"x","n":1},"one":1})"});
  psql("alter type altered alter attribute n type text");
  EXPECT_EQ(code_of(db, sql(R"(select $$(x,"1,""inject"":2")$$::altered as v, 1 as one)")), errc::result_changed);
  EXPECT_EQ(documents(db, sql("select $$(x,0123)$$::altered as v, 1 as one")),
            texts{R"({"v":{"m":"x","n":"0123"},"one":1})"});
}

TEST(ObjectsThatChange, AreNotBlamedForAParameterThatIsMissing) {
  sluice::client db{dsn()};
  for (int times = 0; times < 2; ++times)
    for (const sluice::query& what : {sql("select $1"), sql("select $1").as_object(), sql("select $1, $2", "a")}) {
      EXPECT_EQ(code_of(db, what), errc::server_error) << times;
    }
}

TEST(Objects, HonourTheSettingsOfTheSession) {
  sluice::client db{dsn() + " options='-c timezone=UTC'"};
  const sluice::query what = sql("select '2024-07-01 12:00+00'::timestamptz as at, '2024-07-01'::date as day");
  EXPECT_EQ(documents(db, what), texts{R"({"at":"2024-07-01T12:00:00+00:00","day":"2024-07-01"})"});
  for (const char* zone : {"Europe/Berlin", "Asia/Kolkata", "UTC"})
    for (const char* style : {"German", "SQL, MDY", "ISO"}) {
      (void)db.execute(std::string{"set timezone = '"} + zone + "'; set datestyle = '" + style + '\'');
      const texts theirs = documents(db, sql("select row_to_json(q) from (" + what.text() + ") q"));
      for (int times = 0; times < 2; ++times)
        for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk})
          EXPECT_EQ(documents(db, what, {.mode = mode}), theirs) << zone << ' ' << style;
    }
}

TEST(Objects, AreFilteredAndCountedLikeDocuments) {
  psql(
      "drop table if exists counted_rows; create table counted_rows as select n, 'name ' || n as name from "
      "generate_series(1, 1000) n");
  sluice::client db{dsn()};
  const sluice::relation some = from("counted_rows")
                                    .of_columns()
                                    .where(sluice::local([](const sluice::row& each) {
                                      return each.text().find("0\"") != std::string_view::npos;
                                    }))
                                    .order_by(sluice::field("n"))
                                    .offset(2)
                                    .limit(3);
  EXPECT_EQ(documents(db, some),
            (texts{R"({"n":30,"name":"name 30"})", R"({"n":40,"name":"name 40"})", R"({"n":50,"name":"name 50"})"}));
  std::uint64_t bytes = 0;
  sluice::row_range rows = db.stream(sql("select * from counted_rows"));
  while (const sluice::chunk batch = rows.next())
    for (const sluice::row each : batch) bytes += each.text().size();
  EXPECT_EQ(rows.stats().rows, 1000U);
  EXPECT_EQ(rows.stats().bytes, bytes);
  EXPECT_EQ(code_of(db, sql("select * from counted_rows"), {.max_stream_bytes = 1'000}), errc::stream_too_large);
}

TEST(Objects, AreBoundedInSize) {
  sluice::client db{dsn(), {.max_row_bytes = 10'000}};
  try {
    (void)documents(db, sql("select repeat(e'\\n', 9000) as a, 1 as b"));
    FAIL();
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::row_too_large);
  }
}

TEST(Objects, ComeInAPipeline) {
  psql(own_types);
  asio::io_context context;
  const auto work = [&]() -> asio::awaitable<void> {
    sluice::connection db = co_await sluice::connect(dsn());
    EXPECT_EQ(co_await answer(db, sql("select 1 as a, 2 as b").as_object()), R"({"a":1,"b":2})");
  };
  run(work());
}

TEST(Documents, AreJson) {
  sluice::client db{dsn()};
  EXPECT_EQ(documents(db, sql("select '{}'::json").as_document()), texts{"{}"});
  EXPECT_EQ(documents(db, sql("select null::jsonb").as_document()), texts{"NULL"});
  for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk})
    for (const char* text : {"select 'x'::text", "select 1", "select '{}'::json, 1"})
      EXPECT_EQ(code_of(db, sql(text).as_document(), {.mode = mode}), errc::unsupported_result) << text;
}

class OfColumns : public testing::Test {
 protected:
  OfColumns() {
    psql(
        "drop schema if exists of_columns cascade; create schema of_columns; "
        "create table of_columns.orders (id bigint primary key, customer text, total numeric, extra jsonb); "
        "insert into of_columns.orders select n, 'c' || n % 3, n * 1.5, jsonb_build_object('city', 'x' || n) from "
        "generate_series(1, 10) n");
  }
  texts ids(const sluice::query& what, const sluice::query_options& how = {}) {
    texts all;
    for (const std::string& each : documents(db, what, how)) all.push_back(each.substr(0, each.find(',')));
    return all;
  }
  sluice::client db{dsn()};
};

TEST_F(OfColumns, ARelationWithoutDocumentsIsRead) {
  for (int times = 0; times < 2; ++times)
    for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk}) {
      EXPECT_EQ(documents(db, from("of_columns.orders").where(sluice::column("id") == 2), {.mode = mode}),
                texts{R"({"id":2,"customer":"c2","total":3.0,"extra":{"city": "x2"}})"});
      EXPECT_EQ(documents(db, from("of_columns.orders").limit(100), {.mode = mode}).size(), 10U);
    }
}

TEST_F(OfColumns, FieldsAreColumns) {
  using sluice::field;
  EXPECT_EQ(ids(from("of_columns.orders").where(field("id") >= 9)), (texts{R"({"id":9)", R"({"id":10)"}));
  EXPECT_EQ(ids(from("of_columns.orders").where(field("customer") == "c1" && field("total").as_numeric() > 5)).size(),
            3U);
  EXPECT_EQ(ids(from("of_columns.orders").where(field("extra.city") == "x7")), texts{R"({"id":7)"});
  EXPECT_EQ(ids(from("of_columns.orders").order_by(sluice::desc(field("total"))).limit(2)),
            (texts{R"({"id":10)", R"({"id":9)"}));
  EXPECT_EQ(ids(from("of_columns.orders").order_by(field("id")).after({8})), (texts{R"({"id":9)", R"({"id":10)"}));
  EXPECT_EQ(documents(db, from("of_columns.orders").select("total", "id").where(field("id") == 4)),
            texts{R"({"total":6.0,"id":4})"});
  EXPECT_EQ(documents(db, from("of_columns.orders")
                              .select(sluice::projection{"id"}.as("key.number"), "extra.city")
                              .where(field("id") == 4)),
            texts{R"({"key":{"number":4},"extra":{"city":"x4"}})"});
}

TEST_F(OfColumns, SelectedOnesAreTheServers) {
  psql(
      "create extension if not exists hstore; create table of_columns.stored (id int, h hstore, extra jsonb); "
      "insert into of_columns.stored values (1, 'a=>1', '{\"x\": 2}')");
  const sluice::relation flat = from("of_columns.stored").select("id", "h");
  const sluice::relation nested = from("of_columns.stored").select(sluice::projection{"h"}.as("in.h"), "extra.x", "h");
  for (int times = 0; times < 3; ++times)
    for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk}) {
      EXPECT_EQ(documents(db, flat, {.mode = mode}), texts{R"({"id":1,"h":{"a": "1"}})"});
      EXPECT_EQ(documents(db, nested, {.mode = mode}),
                texts{R"({"in":{"h":{"a": "1"}},"extra":{"x":2},"h":{"a": "1"}})"});
    }
}

TEST_F(OfColumns, ARelationMayGetDocuments) {
  psql("create table of_columns.later (id int); insert into of_columns.later values (1)");
  EXPECT_EQ(documents(db, from("of_columns.later")), texts{R"({"id":1})"});
  EXPECT_EQ(documents(db, from("of_columns.later")), texts{R"({"id":1})"});
  psql("alter table of_columns.later add data jsonb default '{\"a\": 1}'");
  EXPECT_EQ(code_of(db, from("of_columns.later")), errc::result_changed);
  EXPECT_EQ(documents(db, from("of_columns.later")), texts{R"({"a": 1})"});
}

TEST_F(OfColumns, AnotherColumnThatIsMissingDoesNotSayThatThereAreNoDocuments) {
  psql("create table of_columns.kept (data jsonb); insert into of_columns.kept values ('{\"a\": 1}')");
  const sluice::relation what = from("of_columns.kept").where(sluice::column("metadata") == 1);
  EXPECT_NE(answer(db, what).find("\"metadata\""), std::string::npos);
  psql("alter table of_columns.kept add metadata int default 1");
  EXPECT_EQ(documents(db, what), texts{R"({"a": 1})"});
}

TEST_F(OfColumns, AnIndexOnTheColumnServesAField) {
  psql(
      "insert into of_columns.orders select n, 'c', n, null from generate_series(100, 20000) n; analyze "
      "of_columns.orders");
  const sluice::query what = from("of_columns.orders").of_columns().where(sluice::field("id") == 5000).build();
  const sluice::query explained{"explain " + what.text(), what.parameters(), sluice::query::shape::columns};
  std::string plan;
  for (const sluice::row each : db.stream(explained)) plan += each.get<std::string>(0);
  EXPECT_NE(plan.find("Index Scan using orders_pkey"), std::string::npos) << plan;
}

TEST_F(OfColumns, ErrorsAreThoseOfTheQuery) {
  EXPECT_NE(answer(db, from("of_columns.orders").where(sluice::field("nothing") == 1)).find("\"nothing\""),
            std::string::npos);
  EXPECT_NE(answer(db, from("of_columns.missing")).find("42P01"), std::string::npos);
  EXPECT_NE(answer(db, from("of_columns.orders").column("nothing")).find("42703"), std::string::npos) << "it was named";
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST_F(OfColumns, IsSaidInATransactionBlock) {
  (void)db.execute("begin");
  EXPECT_NE(answer(db, from("of_columns.orders")).find("42703"), std::string::npos);
  (void)db.execute("rollback");
  (void)db.execute("begin");
  EXPECT_EQ(ids(from("of_columns.orders").of_columns()).size(), 10U);
  (void)db.execute("commit");
}

TEST_F(OfColumns, InParallel) {
  psql(
      "insert into of_columns.orders select n, 'c', n, null from generate_series(100, 20000) n; analyze "
      "of_columns.orders");
  for (const bool ordered : {false, true}) {
    sluice::relation what = from("of_columns.orders");
    if (ordered) what.order_by(sluice::field("total"));
    for (const sluice::split_by& how :
         {sluice::split_by::ctid(), sluice::split_by::key("id"), sluice::split_by::hash("id")}) {
      sluice::parallel_range rows{dsn(), what, {.split = how, .connections = 2}};
      std::size_t count = 0;
      while (const sluice::chunk batch = rows.next())
        for (const sluice::row each : batch) {
          EXPECT_TRUE(each.text().starts_with(R"({"id":)")) << each.text();
          ++count;
        }
      EXPECT_EQ(count, 10U + 19'901U);
    }
  }
}

}  // namespace
}  // namespace objects_test
