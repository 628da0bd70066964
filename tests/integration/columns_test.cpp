// Columns by position in the binary format: every type from a real server, and the types that are refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <sluice/stream/columns.hpp>
#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace columns_test {
namespace {

using namespace sluice::test;
using namespace std::chrono;
using sluice::fetch_mode;
using sluice::sql;

/// The first column of the only row.
template <class T>
T value(const std::string& expression) {
  sluice::client db{dsn()};
  std::optional<T> got;
  for (const sluice::row row : db.stream(sql("select " + expression).as_columns())) got = row.get<T>(0);
  return *got;
}

/// Without what it was read as, which compilers spell in their own ways.
std::string without_cpp_type(const std::string& said) {
  const std::size_t begin = said.find(", ");
  const std::size_t end = std::min(said.find(": expected "), said.find(": it is "));
  return begin < end && end != said.npos ? said.substr(0, begin) + said.substr(end) : said;
}

std::string refusal(const std::string& expression, auto take) {
  sluice::client db{dsn()};
  std::string said;
  for (const sluice::row row : db.stream(sql("select " + expression + " as c").as_columns())) {
    try {
      take(row);
      said = "accepted";
    } catch (const sluice::error& e) {
      EXPECT_TRUE(e.connection_usable());
      EXPECT_EQ(e.code(), sluice::condition::usage);
      said = without_cpp_type(e.what());
    }
  }
  EXPECT_TRUE(db.is_idle());
  return said;
}

TEST(Columns, GiveIntegersOfEveryWidth) {
  EXPECT_EQ(value<int>("7::int2"), 7);
  EXPECT_EQ(value<std::int16_t>("(-32768)::int2"), -32768);
  EXPECT_EQ(value<int>("(-2147483648)::int4"), std::numeric_limits<int>::min());
  EXPECT_EQ(value<std::int64_t>("9223372036854775807::int8"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(value<unsigned>("42::int8"), 42U);
  EXPECT_EQ(value<std::uint32_t>("4294967295::oid"), 4294967295U);
}

TEST(Columns, GiveOtherScalars) {
  EXPECT_EQ(value<float>("1.5::float4"), 1.5F);
  EXPECT_EQ(value<double>("1.5::float4"), 1.5);
  EXPECT_EQ(value<double>("5e-324::float8"), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::isnan(value<double>("'nan'::float8")));
  EXPECT_TRUE(value<bool>("true"));
  EXPECT_FALSE(value<bool>("false"));
  EXPECT_EQ(value<std::string>("'it''s \xce\xb1'::text"), "it's \xce\xb1");
  EXPECT_EQ(value<std::string>("'ab'::char(4)"), "ab  ");
  EXPECT_EQ(value<std::string>("'ab'::varchar"), "ab");
  EXPECT_EQ(value<std::string>("'ab'"), "ab");
  EXPECT_EQ(value<std::string>("current_user"), "sluice");
  EXPECT_EQ(value<std::string>(R"('{"b":1, "a":2}'::json)"), R"({"b":1, "a":2})");
  EXPECT_EQ(value<std::string>(R"('{"b":1, "a":2}'::jsonb)"), R"({"a": 2, "b": 1})");
  EXPECT_EQ(value<std::vector<std::byte>>("'\\x00ff'::bytea"), (std::vector{std::byte{0}, std::byte{255}}));
  EXPECT_EQ(value<std::vector<std::byte>>("''::bytea"), std::vector<std::byte>{});
  EXPECT_EQ(value<sluice::uuid>("'123e4567-e89b-12d3-a456-426614174000'::uuid").to_string(),
            "123e4567-e89b-12d3-a456-426614174000");
}

TEST(Columns, GiveEnumerationsByTheirNames) {
  sluice::client db{dsn()};
  db.execute("drop type if exists mood; create type mood as enum ('sad', 'happy')");
  EXPECT_EQ(value<std::string>("'happy'::mood"), "happy");
  EXPECT_EQ(value<std::vector<std::string>>("enum_range(null::mood)"), (std::vector<std::string>{"sad", "happy"}));
}

TEST(Columns, GiveMoments) {
  EXPECT_EQ(value<sys_time<microseconds>>("'2024-02-29 12:34:56.789012+02'::timestamptz"),
            sys_days{2024y / February / 29} + 10h + 34min + 56s + 789012us);
  EXPECT_EQ(value<system_clock::time_point>("'1969-12-31 23:59:59.5Z'::timestamptz"), sys_days{1970y / 1 / 1} - 500ms);
  EXPECT_EQ(value<sys_seconds>("'1969-12-31 23:59:59.5Z'::timestamptz"), sys_days{1970y / 1 / 1} - 1s);
  EXPECT_EQ(value<local_time<microseconds>>("'2000-01-01 00:00:00.000001'::timestamp").time_since_epoch(),
            sys_days{2000y / 1 / 1}.time_since_epoch() + 1us);
  EXPECT_EQ(value<sys_days>("'4713-01-01 BC'::date"), sys_days{-4712y / 1 / 1});
  EXPECT_EQ(value<year_month_day>("'1999-12-31'::date"), 1999y / 12 / 31);
  EXPECT_EQ(value<microseconds>("'23:59:59.999999'::time"), 24h - 1us);
  EXPECT_EQ(value<sluice::time_with_zone>("'12:00:00+05:30'::timetz"), (sluice::time_with_zone{12h, 5h + 30min}));
  EXPECT_EQ(value<sluice::interval>("'1 year -2 days 3 seconds'::interval"), (sluice::interval{12, -2, 3s}));
}

TEST(Columns, GiveInfinity) {
  EXPECT_EQ(value<sys_time<microseconds>>("'infinity'::timestamptz"), sys_time<microseconds>::max());
  EXPECT_EQ(value<sys_time<microseconds>>("'-infinity'::timestamptz"), sys_time<microseconds>::min());
  EXPECT_EQ(value<sys_days>("'infinity'::date"), sys_days::max());
  EXPECT_EQ(value<double>("'-infinity'::float8"), -std::numeric_limits<double>::infinity());
}

TEST(Columns, GiveNumericAsItsText) {
  for (const std::string text :
       {"0", "1", "-1", "10000", "99990000", "0.1", "-0.0001", "0.00001", "123456789.987654321", "1.10", "0.0000",
        "12345678901234567890123456789012345678901234567890.5", "NaN", "1e-1000", "1e1000", "100000000.00000001"}) {
    const std::string expected = psql("select '" + text + "'::numeric");
    EXPECT_EQ(value<std::string>("'" + text + "'::numeric"), expected);
  }
  sluice::client db{dsn()};
  int checked = 0;
  const auto random =
      sql("select n, n::text from (select ((random() - 0.5) * 10 ^ (random() * 40 - 20))::numeric * 1.000001 as n "
          "from generate_series(1, 2000)) as q");
  for (const sluice::row row : db.stream(sluice::query{random}.as_columns())) {
    const auto [number, text] = row.get<std::string, std::string_view>();
    EXPECT_EQ(number, text);
    ++checked;
  }
  EXPECT_EQ(checked, 2000);
}

TEST(Columns, GiveArrays) {
  EXPECT_EQ(value<std::vector<int>>("array[1, 2, -3]"), (std::vector{1, 2, -3}));
  EXPECT_EQ(value<std::vector<int>>("'{}'::int[]"), std::vector<int>{});
  EXPECT_EQ(value<std::vector<std::string>>("array['a', '', '\"']"), (std::vector<std::string>{"a", "", "\""}));
  EXPECT_EQ((value<std::vector<std::optional<double>>>("array[1.5, null]::float8[]")),
            (std::vector<std::optional<double>>{1.5, std::nullopt}));
  EXPECT_EQ(value<std::vector<std::string>>("array[1.10, 2]::numeric[]"), (std::vector<std::string>{"1.10", "2"}));
  EXPECT_EQ(value<std::vector<bool>>("array[true, false]"), (std::vector<bool>{true, false}));
  EXPECT_EQ(value<std::vector<sys_days>>("array['2000-01-02'::date]"), std::vector{sys_days{2000y / 1 / 2}});
}

TEST(Columns, GiveNullToOptionalsOnly) {
  EXPECT_EQ(value<std::optional<int>>("null::int"), std::nullopt);
  EXPECT_EQ(value<std::optional<int>>("5"), 5);
  EXPECT_EQ(refusal("null::int", [](auto row) { (void)row.template get<int>(0); }),
            "column 0 (c): it is NULL: take it as a std::optional");
  EXPECT_NE(refusal("array[1, null]", [](auto row) { (void)row.template get<std::vector<int>>(0); }).find("NULL"),
            std::string::npos);
}

TEST(Columns, RefuseAnotherTypeRangeOrColumn) {
  EXPECT_EQ(refusal("'x'::text", [](auto row) { (void)row.template get<int>(0); }),
            "column 0 (c): expected an integer, found text");
  EXPECT_EQ(refusal("1", [](auto row) { (void)row.template get<std::string_view>(0); }),
            "column 0 (c): expected text, found int4: cast it to text in the query");
  EXPECT_EQ(refusal("1", [](auto row) { (void)row.template get<double>(0); }),
            "column 0 (c): expected float4, float8 or numeric, found int4");
  EXPECT_EQ(refusal("1.5", [](auto row) { (void)row.template get<float>(0); }),
            "column 0 (c): expected float4, found numeric");
  EXPECT_EQ(refusal("1.5", [](auto row) { (void)row.template get<int>(0); }), "column 0 (c): it is not a whole number");
  EXPECT_EQ(refusal("1e400::numeric", [](auto row) { (void)row.template get<double>(0); }),
            "column 0 (c): it is out of the range of the C++ type");
  EXPECT_EQ(refusal("128.0", [](auto row) { (void)row.template get<std::int8_t>(0); }),
            "column 0 (c): it is out of the range of the C++ type");
  EXPECT_EQ(refusal("now()", [](auto row) { (void)row.template get<local_time<microseconds>>(0); }),
            "column 0 (c): expected timestamp, found timestamptz");
  EXPECT_EQ(refusal("40000", [](auto row) { (void)row.template get<std::int16_t>(0); }),
            "column 0 (c): it is out of the range of the C++ type");
  EXPECT_EQ(refusal("-1", [](auto row) { (void)row.template get<unsigned>(0); }),
            "column 0 (c): it is out of the range of the C++ type");
  EXPECT_EQ(
      refusal("'5000-01-01Z'::timestamptz", [](auto row) { (void)row.template get<system_clock::time_point>(0); }),
      "column 0 (c): it is out of the range of the C++ type");
  EXPECT_EQ(refusal("array[[1, 2], [3, 4]]", [](auto row) { (void)row.template get<std::vector<int>>(0); }),
            "column 0 (c): expected an array of one dimension, found int4[]");
  EXPECT_EQ(refusal("1", [](auto row) { (void)row.template get<int>(1); }), "there is no column 1: the result has 1");
  EXPECT_EQ(refusal("1", [](auto row) { (void)row.template get<int, int>(); }),
            "there is no column 1: the result has 1");
}

// Each value is read as text, or the error names its type. It is never given as bytes in another format. As strings
// that own their memory, some are read as psql shows them.
TEST(Columns, OfAnyTypeAreTextOrAnErrorThatNamesIt) {
  for (const auto& [expression, type] :
       std::vector<std::pair<std::string, std::string>>{{"row(1, 'x')", "record"},
                                                        {"int4range(1, 5)", "int4range"},
                                                        {"'{[1,2)}'::int4multirange", "int4multirange"},
                                                        {"1::money", "money"},
                                                        {"b'101'", "bit"},
                                                        {"b'101'::varbit", "varbit"},
                                                        {"'08:00:2b:01:02:03'::macaddr", "macaddr"},
                                                        {"'(1,2)'::point", "point"},
                                                        {"'{1,2,3}'::line", "line"},
                                                        {"to_tsvector('a')", "tsvector"},
                                                        {"'a'::tsquery", "tsquery"},
                                                        {"'a'::\"char\"", "\"char\""},
                                                        {"'127.0.0.1'::inet", "inet"},
                                                        {"interval '1 day'", "interval"},
                                                        {"'$.a'::jsonpath", "jsonpath"},
                                                        {"pg_current_wal_lsn()", "pg_lsn"},
                                                        {"'pg_class'::regclass", "regclass"},
                                                        {"array[1, 2]", "int4[]"},
                                                        {"array['a']", "text[]"},
                                                        {"array[int4range(1, 2)]", "int4range[]"},
                                                        {"'1 2'::int2vector", "int2vector"},
                                                        {"bytea 'abc'", "bytea"}}) {
    const std::string says = "column 0 (c): expected text, found " + type + ": cast it to text in the query";
    const bool is_shown = std::set<std::string>{"bit", "varbit", "macaddr", "point", "line", "inet"}.contains(type);
    EXPECT_EQ(refusal(expression, [](auto row) { (void)row.template get<std::string>(0); }),
              is_shown ? "accepted" : says);
    EXPECT_EQ(refusal(expression, [](auto row) { (void)row.template get<std::optional<std::string_view>>(0); }), says);
  }
}

TEST(Columns, OfTheDatabasesOwnTypesAreTextOrAnErrorThatSaysHowToLookThemUp) {
  psql(
      "drop schema if exists own cascade; create schema own; set search_path = own, public;"
      "create extension if not exists hstore with schema public; create extension if not exists ltree with schema "
      "public; create extension if not exists citext with schema public; create extension if not exists cube with "
      "schema public; create type own.mood as enum ('sad', 'so so', 'open'); create type own.pair as (a int, b text);"
      "create type own.floats as range (subtype = float8); create domain own.positive as int check (value > 0);"
      "create type own.one as (a text)");
  for (const char* expression :
       {"row(1, 'x')::own.pair", "row('a')::own.one", "'a=>1'::hstore", "''::hstore", "own.floats(1, 2)",
        "own.floats(null, 2)", "'empty'::own.floats", "'{[1,2]}'::own.floats_multirange", "'a.b'::ltree",
        "'a.*'::lquery", "'a & b'::ltxtquery", "'(1,2)'::cube", "array['sad']::own.mood[]",
        "array[row(1, 'x')]::own.pair[]"}) {
    const std::string seen = refusal(expression, [](auto row) { (void)row.template get<std::string>(0); });
    EXPECT_TRUE(seen.starts_with("column 0 (c): expected text, found a type of the database's own (select "))
        << expression << ": " << seen;
    EXPECT_TRUE(seen.ends_with("::regtype names it): cast it to text in the query")) << seen;
    if (std::string_view{expression}.starts_with("array['sad']")) continue;
    EXPECT_THROW((void)value<std::vector<std::string>>(expression), sluice::error) << expression;
  }
  EXPECT_EQ(value<std::string>("'so so'::own.mood"), "so so");
  EXPECT_EQ(value<std::string>("E'a\tb\u20ac'::citext"), "a\tb\xe2\x82\xac");
  EXPECT_EQ(value<std::string>("''::citext"), "");
  EXPECT_EQ(value<int>("5::own.positive"), 5);
  EXPECT_EQ(value<std::vector<std::string>>("array['sad', 'open']::own.mood[]"),
            (std::vector<std::string>{"sad", "open"}));
}

TEST(Columns, OfNumericAreNumbersThatHoldThem) {
  EXPECT_EQ(value<std::uint64_t>("18446744073709551615::numeric"), UINT64_MAX);
  EXPECT_EQ(value<std::int64_t>("-9223372036854775808::numeric"), INT64_MIN);
  EXPECT_EQ(value<int>("12.000"), 12);
  EXPECT_EQ(value<double>("0.1"), 0.1);
  EXPECT_TRUE(std::isinf(value<double>("'-infinity'::numeric")));
}

TEST(Columns, AreNamedAndOutliveTheStreamWhenDetached) {
  sluice::client db{dsn()};
  sluice::owned_chunk kept;
  {
    sluice::row_range rows =
        db.stream(sql("select i, i::text as name, null from generate_series(1, 3) as i").as_columns());
    kept = rows.next().detach();
    EXPECT_FALSE(rows.next());
    EXPECT_EQ(rows.stats().bytes, 3U * (4 + 1));
  }
  int i = 0;
  for (const sluice::row row : kept) {
    ASSERT_EQ(row.columns().size(), 3U);
    EXPECT_EQ(row.columns()[1].name, "name");
    ++i;
    EXPECT_EQ((row.get<int, std::string>()), (std::tuple{i, std::to_string(i)}));
    EXPECT_EQ(row.get<std::optional<std::string>>(2), std::nullopt);
  }
  EXPECT_EQ(i, 3);
}

asio::awaitable<std::int64_t> sum_of_a_million() {
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query what = sql("select generate_series(1, 1000000), 'x'::text").as_columns();
  sluice::row_stream rows = co_await db.stream(what);
  std::int64_t sum = 0;
  while (const sluice::chunk chunk = co_await rows.next())
    for (const sluice::row row : chunk) sum += std::get<0>(row.get<std::int64_t, std::string_view>());
  co_return sum;
}

TEST(Columns, ComeInCoroutines) { EXPECT_EQ(run(sum_of_a_million()), 500'000'500'000); }

TEST(Columns, MayBeNoneAndRowsToo) {
  sluice::client db{dsn()};
  int rows = 0;
  for (const sluice::row row : db.stream(sql("select from generate_series(1, 3)").as_columns())) {
    EXPECT_TRUE(row.columns().empty());
    ++rows;
  }
  EXPECT_EQ(rows, 3);
  for ([[maybe_unused]] const sluice::row row : db.stream(sql("create temp table no_columns ()").as_columns())) ++rows;
  EXPECT_EQ(rows, 3);
  EXPECT_TRUE(db.is_idle());
}

constexpr const char* of_many_types =
    "select 1 as a, 1.50::numeric as b, null::int as c, '{\"x\": 1}'::jsonb as d, array[1, null] as e, interval '1 "
    "day' "
    "as f, row(1, 'x') as g, 'b'::char(3) as h, true as i";

TEST(TextColumns, AreWhatPsqlShowsInEveryMode) {
  const std::string shown = psql(of_many_types);
  sluice::client db{dsn()};
  for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk}) {
    std::string all;
    for (const sluice::row row : db.stream(sql(of_many_types).as_text_columns(), {.mode = mode}))
      for (const sluice::binary_field& field : row.fields()) {
        EXPECT_EQ(field.is_null, field.index == 2);
        all += (field.index == 0 ? "" : "|") + row.get<std::optional<std::string>>(field.index).value_or("");
      }
    EXPECT_EQ(all, shown);
  }
}

TEST(TextColumns, KeepTheirTypesAndAreReadAsText) {
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(sql(of_many_types).as_text_columns());
  EXPECT_TRUE(rows.columns().empty()) << "before next";
  for (const sluice::row row : rows.next().detach()) {
    EXPECT_EQ(row.columns()[0], (sluice::result_column{.name = "a", .type = 23, .is_text = true}));
    EXPECT_EQ((row.get<std::string_view, std::string, std::optional<std::string>>()),
              (std::tuple{"1", "1.50", std::nullopt}));
    EXPECT_THROW((void)row.get<int>(0), sluice::error);
  }
}

TEST(TextColumns, AreNamedWithoutRows) {
  sluice::client db{dsn()};
  for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk}) {
    sluice::row_range rows = db.stream(sql("select 1 as a, 'x' as b where false").as_text_columns(), {.mode = mode});
    EXPECT_FALSE(rows.next());
    ASSERT_EQ(rows.columns().size(), 2U);
    EXPECT_EQ(rows.columns()[1].name, "b");
  }
  sluice::row_range documents = db.stream(sql("select '{}'::json"));
  EXPECT_TRUE(documents.next());
  EXPECT_TRUE(documents.columns().empty());
}

asio::awaitable<std::string> text_through(sluice::row_stream& rows) {
  std::string all;
  while (const sluice::chunk chunk = co_await rows.next())
    for (const sluice::row row : chunk) all += row.get<std::string>(0);
  co_return all + ' ' + rows.columns()[0].name;
}
asio::awaitable<void> through_connection_and_pool() {
  const sluice::query what = sql("select n as number from generate_series(1, 3) n").as_text_columns();
  sluice::connection db = co_await sluice::connect(dsn());
  sluice::row_stream rows = co_await db.stream(what);
  EXPECT_EQ(co_await text_through(rows), "123 number");
  sluice::pool many{co_await asio::this_coro::executor, dsn(), {}};
  sluice::pooled_stream pooled = many.stream(what);
  EXPECT_TRUE(pooled.columns().empty());
  while (co_await pooled.next()) continue;
  EXPECT_EQ(pooled.columns()[0].name, "number");
}

TEST(TextColumns, ComeInCoroutines) { run(through_connection_and_pool()); }

TEST(TextColumns, OfRelationsAreTheirDocumentsOrTheirColumns) {
  psql(
      "drop table if exists text_columns_of; create table text_columns_of (id int, day date); "
      "insert into text_columns_of values (1, '2024-02-29'), (2, null)");
  sluice::client db{dsn()};
  std::string all;
  for (const sluice::row row :
       db.stream(sluice::from("text_columns_of").where(sluice::column("id") < 2).build().as_text_columns()))
    for (const sluice::binary_field& field : row.fields()) all += row.get<std::string>(field.index) + ';';
  EXPECT_EQ(all, "1;2024-02-29;");
}

TEST(Columns, AreNotForDocumentsNorDocumentsForColumns) {
  sluice::client db{dsn()};
  for (const sluice::row row : db.stream(sql("select '{}'::json"))) {
    EXPECT_THROW((void)row.get<int>(0), sluice::error);
    EXPECT_THROW((void)row.fields(), sluice::error);
    EXPECT_TRUE(row.columns().empty());
  }
  sluice::query split = sluice::from("t").where((sluice::field("a") == 1).on_client());
  EXPECT_THROW((void)std::move(split).as_columns(), sluice::error);
}

}  // namespace
}  // namespace columns_test
