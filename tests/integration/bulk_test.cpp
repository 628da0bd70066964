// Bulk mode against a real server: a query gives the same rows as in plain mode, with its bound values, and what bulk
// mode cannot carry is refused.
#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <sluice/stream/columns.hpp>
#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace bulk_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::bind_value;
using sluice::errc;
using sluice::fetch_mode;
using sluice::from;
using sluice::leaving;
using sluice::sql;

const sluice::query_options bulk{.mode = fetch_mode::bulk};

template <class Face>
class Bulk : public testing::Test {
 protected:
  static void expect_the_same(const sluice::query& what) {
    SCOPED_TRACE(what.text());
    const outcome in_plain = Face::ask(dsn(), what);
    const outcome in_bulk = Face::ask(dsn(), what, bulk);
    EXPECT_EQ(in_bulk.rows, in_plain.rows);
    EXPECT_EQ(in_bulk.stats.bytes, in_plain.stats.bytes);
    EXPECT_EQ(in_bulk.failure.has_value(), in_plain.failure.has_value());
    if (in_bulk.failure && in_plain.failure) {
      EXPECT_EQ(in_bulk.failure->sqlstate(), in_plain.failure->sqlstate()) << in_bulk.failure->what();
    }
    EXPECT_TRUE(in_bulk.usable);
  }
};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(Bulk, faces);

TYPED_TEST(Bulk, GivesTheRowsOfPlainMode) {
  psql(R"(drop table if exists b1; create table b1 (id int, data jsonb, plain json);
          insert into b1 select n, jsonb_build_object('n', n, 's', repeat('x', n)), json_build_object('n', n)
            from generate_series(1, 500) n;
          insert into b1 values (501, null, null), (502, '"text"', '[ ]'))");
  for (const sluice::query& each : std::vector<sluice::query>{
           from("b1"),
           from("b1").column("plain"),
           from("b1").where(sluice::field("n") >= 7 && sluice::field("s") != "xxx").limit(20).offset(3),
           from("b1").order_by(sluice::desc(sluice::field("n").as_numeric())).select("n"),
           from("b1").where(sluice::field("n") == -1),
           sql("select * from b1 order by id"),
           sql("select id from b1; "),
           sql("select id from b1 -- a comment"),
           sql("select 'plain' || id from b1").as_document(),
           sql("select id from b1").as_document(),
           sql("select '{}'::json as a").as_object(),
           sql("values (1), (2)"),
           sql("with q as (select 1 as a) select * from q"),
           sql("select to_json(n) from generate_series(1, 100000) n"),
           sql("select to_json(repeat('x', 300000)) from generate_series(1, 3)"),
       })
    this->expect_the_same(each);
}

// Only a plain table is copied directly; everything else is copied as a query.
TYPED_TEST(Bulk, GivesTheRowsOfWholeRelations) {
  psql(R"(drop schema if exists "whole .'""\" cascade; create schema "whole .'""\"; set search_path = "whole .'""\";
          create table "Plain" (id int, "the 'doc'" json, kind text, data jsonb);
          insert into "Plain" select n, json_build_object('n', n), 'k' || n, to_jsonb(n) from generate_series(1, 300) n;
          alter table "Plain" drop column id;
          create table parent (data json); create table child (more int) inherits (parent);
          insert into parent values ('1'); insert into child values ('2');
          create table parts (data json, n int) partition by list (n);
          create table part_1 partition of parts for values in (1); insert into parts values ('{}', 1);
          create table made (source text, data json generated always as (source::json) stored);
          insert into made values ('1'), ('2');
          create view seen as select "the 'doc'" as data from "Plain";
          create materialized view snapshot_of_seen as select data from seen;)");
  const std::string schema = R"("whole .'""\".)";
  for (const sluice::relation& each : {
           from(schema + "\"Plain\"").column("the 'doc'"),
           from(schema + "\"Plain\"").column("kind"),
           from(schema + "\"Plain\""),
           from(schema + "\"Plain\"").column("none"),
           from(schema + "\"Plain\"").column("ctid"),
           from(schema + "parent"),
           from(schema + "child"),
           from(schema + "parts"),
           from(schema + "part_1"),
           from(schema + "made"),
           from(schema + "seen"),
           from(schema + "snapshot_of_seen"),
           from(schema + "nothing"),
           from("no_schema.at_all"),
           from("pg_catalog.pg_class").column("relname"),
       })
    this->expect_the_same(each);
}

// A column that is a parameter is named after its cast or not at all, and not after the expression that replaces it.
TYPED_TEST(Bulk, CallsColumnsThatAreParametersAsPlainModeDoes) {
  for (const sluice::query& each : std::vector<sluice::query>{
           sql("select $1::int", 5), sql("select $1", "a"), sql("select $1, $2", "a", "b"),
           sql("select $1::regclass", "pg_class"), sql("select $1 collate \"C\"", "a"),
           sql("select q.* from (select $1) q", "a"), sql("select int4 from (select $1::int) q", 5),
           sql("select n as \"a \"\"b\"\", c\", $1::int from generate_series(1, 2) n", 5),
           sql("select $1::int as_null", nullptr)})
    this->expect_the_same(each);
}

// Types whose casts to and from text differ from their output and input functions.
TYPED_TEST(Bulk, ReadsAndWritesTypesByTheirOwnText) {
  psql(
      "drop table if exists odd_types; create table odd_types (b bool, c char(5), i inet, n cidr, \"char\" \"char\", v "
      "varbit);"
      "insert into odd_types values (true, 'ab', '10.0.0.1', '10.0.0.0/8', 'x', '101'), (null, null, null, null, null, "
      "null)");
  for (const char* column : {"b", "c", "i", "n", "char", "v"}) this->expect_the_same(from("odd_types").column(column));
  this->expect_the_same(sql("select odd_types from odd_types").as_document());
  this->expect_the_same(sql("select row(null, null)").as_document());
  this->expect_the_same(sql("select relname from pg_class where oid = $1::regclass", "1259"));
}

TEST(BulkStream, CopiesATableItself) {
  psql(
      "drop table if exists long_copied; create table long_copied (data json, as_text text);"
      "insert into long_copied select to_json(repeat('x', 5000)) from generate_series(1, 5000)");
  const auto what_runs = [](const sluice::query& what) {
    sluice::client db{dsn(), {.buffer_bytes = std::size_t{64} * 1024}};
    sluice::row_range rows = db.stream(what, {.server_timeout = 60s, .mode = fetch_mode::bulk});
    EXPECT_TRUE(rows.next());
    return psql("select query from pg_stat_activity where query ilike 'copy%long_copied%' and pid <> pg_backend_pid()");
  };
  EXPECT_EQ(what_runs(from("long_copied")), "copy \"long_copied\" (\"data\") to stdout (format binary)");
  EXPECT_NE(what_runs(from("long_copied").limit(4999)).find("select"), std::string::npos);
}

TEST(BulkStream, ObeysThePoliciesOfATable) {
  psql(
      "drop table if exists guarded; drop role if exists bulk_reader; create role bulk_reader;"
      "create table guarded (data json); insert into guarded values ('1'), ('2'); grant select on guarded to "
      "bulk_reader;"
      "alter table guarded enable row level security; create policy one on guarded using (data::text = '1')");
  sluice::client db{dsn()};
  db.execute("set role bulk_reader");
  std::string seen;
  for (const sluice::row row : db.stream(from("guarded"), bulk)) seen += row.text();
  EXPECT_EQ(seen, "1");
}

TYPED_TEST(Bulk, TakesWhatOtherCommandsReturn) {
  psql("drop table if exists b2; create table b2 (id int, data jsonb)");
  const outcome written = TypeParam::ask(
      dsn(), sql("insert into b2 select n, to_jsonb(n) from generate_series(1, 3) n returning data"), bulk);
  EXPECT_EQ(written.rows, (std::vector<std::string>{"1", "2", "3"}))
      << (written.failure ? written.failure->what() : "");
  EXPECT_EQ(psql("select count(*) from b2"), "3");
}

TYPED_TEST(Bulk, EndsAsPlainModeDoesAtAnError) {
  this->expect_the_same(sql("select nonsense"));
  this->expect_the_same(sql("select 1; select 2"));
  this->expect_the_same(sql("select to_json(1 / (n - 5)) from generate_series(1, 9) n").as_document());
  this->expect_the_same(sql("select $1::int4", "no number"));
}

// Each value arrives unchanged, wherever the parameter is.
TYPED_TEST(Bulk, CarriesEveryValue) {
  const std::vector<std::string> texts{
      "",
      "'",
      "''; drop table x; --",
      "\\'; select 1 --",
      "\\",
      "\\\\'",
      "$1",
      "$$ $tag$ $tag$",
      "E'\\x27'",
      "%s %1$I",
      "\xe2\x82\xac \xf0\x9f\x90\x98",
      "\xc2\xbf'\xc2\x9c",
      "line\nline\r\ttab\x01\x7f",
      "/* -- */",
      "current_setting('sluice.parameter_1')",
      std::string(200'000, '\''),
  };
  for (const std::string& text : texts) {
    this->expect_the_same(sql("select to_json($1::text), '$1 ''$1', e'\\'$1', $q$ $1 $q$ /* $1 */ -- $1\n", text));
    this->expect_the_same(sql("select jsonb_build_object($1::text, $2::text, 'again', $1)", "k" + text, text));
    this->expect_the_same(sql("select 1 as \"$1\" where $1 = $2", text, text));
  }
  this->expect_the_same(sql("select to_json($1::text), $2::int4 as n, $3::jsonb as j", nullptr, nullptr, nullptr));
  this->expect_the_same(
      sql("select json_build_array($1, $2, $3, -$4::int8, $5::int8 - $6)", 42, true, -0.5, -7, 1, -1));
  this->expect_the_same(sql("select $1 as x, $2 as y", std::int64_t{-1}, std::uint64_t{18446744073709551615U}));
  this->expect_the_same(sql("select $1 as b, length($1)", bind_value::bytes(std::as_bytes(std::span{"a\0'\\"}))));
  this->expect_the_same(sql("select $1 as j, $2 as u, $3 as n, $4 as t", bind_value::json(R"({"a": "\\'"})"),
                            bind_value::uuid("123e4567-e89b-12d3-a456-426614174000"), bind_value::numeric("1e-20"),
                            bind_value::timestamptz("2020-01-01 00:00:00+05")));
  this->expect_the_same(sql("select n from generate_series(1, 9) n where n = any($1)", std::vector<int>{1, 3, 100}));
  this->expect_the_same(
      sql("select 'abc' like $1 as a, 'x'::char(3) = $2 as b, date '2020-01-01' < $3 as c", "a%", "x", "2021-01-01"));
  this->expect_the_same(sql("select n from generate_series(1, 9) n order by n limit $1 offset $2", 3, 2));
}

TYPED_TEST(Bulk, CarriesValuesWhateverTheSettings) {
  for (const char* settings : {"-c standard_conforming_strings=off -c backslash_quote=on", "-c bytea_output=escape",
                               "-c DateStyle=German", "-c search_path=pg_temp"})
    for (const std::string text : {"it's \\' $1", "\\", "'"}) {
      const std::string where = dsn() + " options='" + settings + "'";
      const sluice::query what = sql("select json_build_array($1::text, $2, length($2))", text,
                                     bind_value::bytes(std::as_bytes(std::span{"\0'\\"})));
      const outcome in_plain = TypeParam::ask(where, what);
      const outcome in_bulk = TypeParam::ask(where, what, bulk);
      EXPECT_EQ(in_bulk.rows, in_plain.rows) << settings << (in_bulk.failure ? in_bulk.failure->what() : "");
      EXPECT_EQ(in_bulk.rows.size(), 1U);
    }
}

// A bound value's type is named in the SQL. The names of built-in types are known; the server is asked for the others.
TYPED_TEST(Bulk, CarriesValuesOfEveryType) {
  psql(R"(drop schema if exists "my 'own'" cascade; create schema "my 'own'"; set search_path = "my 'own'";
          create type "the mood" as enum ('sad', 'it''s ok'); create domain positive as int check (value > 0);
          create type pair as (a int, b text); create type floats as range (subtype = float8);
          create domain label as "the mood";
          create extension if not exists ltree with schema public; create extension if not exists citext with schema
          public; create extension if not exists hstore with schema public;
          drop table if exists public.own; create table public.own (data jsonb, path public.ltree, ci public.citext,
            mood "the mood", labels "the mood"[], h public.hstore, at date, addr inet);
          insert into public.own values ('{"path": "a.b", "ip": "10.1.2.3"}', 'a.b', 'ABC', 'sad', '{sad}', 'a=>1',
            '2024-02-29', '10.1.2.3'), ('{"path": "c"}', 'c', 'd', 'it''s ok', '{}', '', null, null))");
  const std::string own = R"("my 'own'".)";
  for (const sluice::query& each : std::vector<sluice::query>{
           sql("select $1::" + own + "\"the mood\" as m, $2::" + own + "\"the mood\"[] as l", "it's ok", "{sad}"),
           sql("select $1::" + own + "\"the mood\" as m", "none of them"),
           sql("select $1::" + own + "\"the mood\" as m, $1 as n", nullptr),
           sql("select $1::" + own + "positive as p", 5),
           sql("select $1::" + own + "positive as p", "-5"),
           sql("select $1::" + own + "label as l", "sad"),
           sql("select $1::" + own + "pair as p", "(1,\"a,b\")"),
           sql("select $1::" + own + "floats as f", "[1.5,)"),
           sql("select $1::int4range as r, $2::money as m, $3::point as p, $4::\"char\" as c, $5::bit(3) as b", "[1,3)",
               "1.50", "(1,2)", "x", "101"),
           sql("select $1::macaddr as a, $2::tsquery as q, $3::xid as x, $4::regclass as r, $5::bit varying as v",
               "08:00:2b:01:02:03", "a & b", "7", "pg_class", "1"),
           sql("select $1::time[] as t, $2::interval[] as i, $3::char(3)[] as c, $4::numrange[] as r", "{10:00}",
               "{1 day}", "{a,b}", "{\"[1,2)\"}"),
           sql("select h from own where h = $1", "a=>1"),
           sql("select data from own where ci = $1", "abc"),
           sql("select data from own where mood = $1 and $2 = any(labels)", "sad", "sad"),
           sql("select data from own where at = $1", std::chrono::sys_days{std::chrono::year{2024} / 2 / 29}),
           sql("select $1 as a, $2 as b, $3 as c, $4 as d", 1, 2L, 0.5, std::vector{0.1, 2.0}),
           from("own").where(sluice::field("path").descendant_of("a")),
           from("own").where(sluice::field("path").matches_lquery("a.*")),
           from("own").where(sluice::field("path").matches_any_lquery({"x", "c"})),
           from("own").where(sluice::field("path").matches_ltxtquery("a")),
           from("own").where(sluice::field("path").lca_of({"a.b.c", "a.b.d"})),
           from("own").where(sluice::field("ip").in_subnet("10.0.0.0/8")),
           from("own").where(sluice::field("path").jsonpath_exists("$")),
           from("own").where(sluice::column("path").ancestor_of("a.b.c")),
           from("own").where(sluice::column("ci") == "abc"),
           from("own").where(sluice::column("ci").in({"abc", "d"})),
           from("own").where(sluice::column("mood") == "sad"),
           from("own").where(sluice::column("labels").has("sad")),
           from("own").where(sluice::column("addr").is_private()),
       })
    this->expect_the_same(each);
}

TYPED_TEST(Bulk, RefusesWhatItCannotCarry) {
  const auto refused = [](const sluice::query& what, errc code, std::string_view words) {
    SCOPED_TRACE(what.text());
    const outcome seen = TypeParam::ask(dsn(), what, bulk);
    ASSERT_TRUE(seen.failure);
    EXPECT_EQ(seen.failure->code(), code) << seen.failure->what();
    EXPECT_NE(std::string_view{seen.failure->what()}.find(words), std::string_view::npos) << seen.failure->what();
    EXPECT_TRUE(seen.usable);
    EXPECT_TRUE(seen.rows.empty());
  };
  refused(sql("listen nothing"), errc::unsupported_result, "gives rows");
  refused(sql("select 1, 2").as_document(), errc::unsupported_result, "2 columns");
  refused(sql("show work_mem"), errc::unsupported_result, "in another mode");
  refused(sql("/* all of it */ explain (format json) select 1"), errc::unsupported_result, "in another mode");
}

TEST(BulkStream, RefusesBackslashesThatMayMeanTwoThings) {
  sluice::client db{dsn() + " options='-c standard_conforming_strings=off'"};
  EXPECT_THROW((void)db.stream(sql("select '\\' as a, $1::text as b --'", "x"), bulk), sluice::error);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TYPED_TEST(Bulk, LeavesNoTraceOfValuesBehind) {
  sluice::client db{dsn()};
  for (const sluice::row row : db.stream(sql("select to_json($1::text)", "a secret"), bulk))
    EXPECT_EQ(row.text(), "\"a secret\"");
  EXPECT_EQ(answer(db, sql("select to_json(current_setting('sluice.parameter_1', true))")), "\"\"");
}

TEST(BulkColumns, AreThoseOfPlainMode) {
  sluice::client db{dsn()};
  const sluice::query what =
      sql("select n, n::text || 'x' as name, null::int4 as none, array[n, 2 * n] as both, now() = "
          "now() as yes from generate_series(1, 2000) n where n >= $1",
          5)
          .as_columns();
  std::int32_t expected = 5;
  for (const sluice::row row : db.stream(what, bulk)) {
    const auto [n, name, none, both, yes] =
        row.get<std::int32_t, std::string, std::optional<int>, std::vector<int>, bool>();
    EXPECT_EQ(n, expected++);
    EXPECT_EQ(name, std::to_string(n) + "x");
    EXPECT_FALSE(none);
    EXPECT_EQ(both, (std::vector<int>{n, 2 * n}));
    EXPECT_TRUE(yes);
    EXPECT_EQ(row.columns()[1].name, "name");
  }
  EXPECT_EQ(expected, 2001);
}

TEST(BulkStream, IsLeftEarly) {
  sluice::client db{dsn()};
  for (const std::size_t wanted : {std::size_t{0}, std::size_t{1}, std::size_t{1'000}}) {
    sluice::row_range rows = db.stream(sql("select to_json(generate_series(1, 20000000)) as bulk_left"), bulk);
    for (std::size_t seen = 0; seen < wanted;)
      for (const sluice::row row : rows.next()) seen += row.is_null() ? 0U : 1U;
    EXPECT_NE(rows.cancel(), leaving::closed);
    EXPECT_FALSE(is_running("bulk_left"));
    EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  }
}

TEST(BulkStream, ObeysItsDeadlinesAndLimits) {
  sluice::client db{dsn()};
  const auto end_of = [&](const sluice::query& what, sluice::query_options options) {
    options.mode = fetch_mode::bulk;
    try {
      for ([[maybe_unused]] const sluice::row row : db.stream(what, options)) continue;
    } catch (const sluice::error& e) {
      return e.code();
    }
    return std::error_code{};
  };
  EXPECT_EQ(end_of(sql("select pg_sleep(600)::text"), {.timeout = 100ms}), errc::deadline_exceeded);
  EXPECT_EQ(end_of(sql("select pg_sleep(600)::text"), {.server_timeout = 100ms}), errc::server_error);
  EXPECT_EQ(end_of(sql("select to_json(generate_series(1, 1000000))"), {.max_stream_bytes = 1'000}),
            errc::stream_too_large);
  sluice::client small{dsn(), {.max_row_bytes = 1'000}};
  EXPECT_THROW(
      {
        for ([[maybe_unused]] const sluice::row row : small.stream(sql("select to_json(repeat('x', 2000))"), bulk))
          continue;
      },
      sluice::error);
  EXPECT_TRUE(small.is_closed());
}

TEST(BulkStream, RunsInTransactionsAndAfterOthers) {
  sluice::client db{dsn(), {.statement_cache = 8}};
  db.execute("begin");
  for (int turn = 0; turn < 3; ++turn) {
    const sluice::query what = sql("select to_json($1::int4 + n) from generate_series(1, 2) n", turn);
    std::string seen;
    for (const sluice::row row : db.stream(what, {.server_timeout = 60s, .mode = fetch_mode::bulk})) seen += row.text();
    EXPECT_EQ(seen, answer(db, what));
  }
  EXPECT_EQ(answer(db, sql("select to_json(current_setting('statement_timeout'))")), "\"0\"");
  db.execute("commit");
}

TEST(BulkStream, HasNoPlaceInAPipeline) {
  sluice::client db{dsn()};
  EXPECT_THROW((void)db.send({sql("select 1").as_document(), sql("select 2").as_document()}, bulk), sluice::error);
}

}  // namespace
}  // namespace bulk_test
