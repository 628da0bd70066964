// The types with which parameters are sent: which functions, operators and indexes they select, and that a value comes
// back unchanged, whatever the session's TimeZone and DateStyle.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <sluice/stream/columns.hpp>
#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"

namespace parameter_types_test {
namespace {

using namespace std::chrono;
using namespace sluice::test;
using sluice::bind_value;
using sluice::errc;
using sluice::fetch_mode;
using sluice::from;
using sluice::sql;

const std::vector<std::string> settings{
    "-c TimeZone=UTC -c DateStyle=ISO",
    "-c TimeZone=America/New_York -c DateStyle=SQL,MDY",
    "-c TimeZone=Asia/Kolkata -c DateStyle=German",
    "-c TimeZone=Pacific/Apia -c DateStyle=Postgres,DMY",
    "-c TimeZone=America/New_York -c DateStyle=ISO,DMY",
};
std::string dsn_with(const std::string& options) { return dsn() + " options='" + options + "'"; }

template <class T>
T back(sluice::client& db, const sluice::query& what, fetch_mode mode = fetch_mode::plain) {
  std::optional<T> got;
  for (const sluice::row row : db.stream(what, {.mode = mode})) got = row.get<T>(0);
  if (!got) throw std::runtime_error("no row");
  return *got;
}

/// Sends the value through a column of the type, in plain and in bulk mode, alone and in an array.
template <class T>
void expect_back(sluice::client& db, const T& value, const std::string& type) {
  const std::string text = "select $1::" + type;
  EXPECT_EQ(back<T>(db, sql(text, value).as_columns()), value) << type;
  EXPECT_EQ(back<T>(db, sql("select $1", value).as_columns()), value) << type << ", by itself";
  EXPECT_EQ(back<T>(db, sql(text, value).as_columns(), fetch_mode::bulk), value) << type << ", in bulk";
  EXPECT_EQ(back<T>(db, sql(text, std::optional{value}).as_columns()), value) << type << ", optional";
  const std::vector<T> two{value, value};
  EXPECT_EQ((back<std::vector<T>>(db, sql(text + "[]", two).as_columns())), two) << type << "[]";
  EXPECT_EQ((back<std::vector<T>>(db, sql("select $1", two).as_columns(), fetch_mode::bulk)), two) << type << "[]";
  EXPECT_EQ((back<std::optional<T>>(db, sql("select $1", std::optional<T>{}).as_columns())), std::nullopt) << type;
}

template <class Integer>
void expect_integers_back(sluice::client& db, const std::string& type) {
  using limits = std::numeric_limits<Integer>;
  for (const Integer value : {limits::min(), Integer{0}, Integer{1}, limits::max()}) expect_back(db, value, type);
}

TEST(Parameters, OfEveryIntegerComeBack) {
  sluice::client db{dsn()};
  expect_integers_back<std::int8_t>(db, "int2");
  expect_integers_back<std::uint8_t>(db, "int2");
  expect_integers_back<short>(db, "int2");
  expect_integers_back<unsigned short>(db, "int4");
  expect_integers_back<int>(db, "int4");
  expect_integers_back<unsigned>(db, "int8");
  expect_integers_back<long>(db, "int8");
  expect_integers_back<long long>(db, "int8");
  expect_integers_back<std::uint64_t>(db, "numeric");
}

TEST(Parameters, OfDoubleComeBackWithAllTheirDigits) {
  using limits = std::numeric_limits<double>;
  sluice::client db{dsn()};
  for (const double value : {0.1, 0.1 + 0.2, -1e-7, 1234567890123456.7, 9007199254740993.0, 1.2345678901234567e30, 1e22,
                             limits::min(), limits::denorm_min(), limits::max(), limits::lowest()}) {
    expect_back(db, value, "float8");
    expect_back(db, value, "numeric");  // a detour through float8 would lose digits
  }
  for (const double value : {limits::infinity(), -limits::infinity()}) expect_back(db, value, "float8");
  const double zero = back<double>(db, sql("select $1::float8", -0.0).as_columns());
  EXPECT_TRUE(zero == 0 && std::signbit(zero));
  EXPECT_TRUE(std::isnan(back<double>(db, sql("select $1::float8", limits::quiet_NaN()).as_columns())));
  EXPECT_EQ(back<float>(db, sql("select $1::float4", 0.1F).as_columns()), 0.1F);
}

TEST(Parameters, OfAnArrayMayBeNumbersOfSeveralWidths) {
  sluice::client db{dsn()};
  EXPECT_EQ(answer(db, sql("select to_json($1)", std::vector<std::uint64_t>{1, 18446744073709551615U})),
            "[1,18446744073709551615]");
  EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", std::vector{0.5, -0.0})), "\"double precision[]\"");
  EXPECT_EQ(answer(db, sql("select to_json($1)", bind_value::array(std::vector<bind_value>{1, nullptr, 2.5}))),
            "[1,null,2.5]");
  EXPECT_EQ(answer(db, sql("select to_json(cardinality($1))", std::vector<int>{})), "0");
  EXPECT_THROW((void)bind_value::array(std::vector<bind_value>{1, "x"}), sluice::error);
  EXPECT_THROW((void)bind_value::array(std::vector<bind_value>{std::vector{1}}), sluice::error);
}

TEST(Parameters, AreTakenByFunctionsAndOperators) {
  sluice::client db{dsn()};
  const auto gives = [&](const std::string& expression, const std::string& document, auto... values) {
    for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::bulk}) {
      std::string got;
      try {
        for (const sluice::row row : db.stream(sql("select to_jsonb(" + expression + ")", values...), {.mode = mode}))
          got += row.text();
      } catch (const sluice::error& e) {
        got = e.what();
      }
      EXPECT_EQ(got, document) << expression;
    }
  };
  gives("date '2024-02-28' + $1", "\"2024-02-29\"", 1);
  gives("date '2024-02-28' + $1", "\"2024-02-29\"", std::optional{1});
  gives("(date '2024-02-28' + $1) is null", "true", std::optional<int>{});
  gives("left('abc', $1)", "\"ab\"", 2);
  gives("repeat('ab', $1)", "\"abab\"", short{2});
  gives("'[7, 8]'::jsonb -> $1", "8", 1);
  gives("make_interval(days => $1)", "\"3 days\"", 3);
  gives("make_interval(secs => $1)", "\"00:00:00.5\"", 0.5);
  gives("round($1, 1)", "0.3", 0.25);
  gives("interval '1 day' * $1", "\"12:00:00\"", 0.5);
  gives("array(select generate_series($1, $2))", "[1, 2, 3]", 1, 3);
  gives("array(select generate_series($1, $2))", "[1, 2, 3]", 1, 3L);
  gives("(select count(*) from (select from generate_series(1, 9) limit $1 offset $2) q)", "4", std::size_t{4}, 2U);
  gives("$1 + $2", "3", 1, 2);
  gives("$1 * $2", "4000000000000", 2'000'000L, 2'000'000L);  // a long is a bigint, however small its value
  gives("$1 / 2", "1.5000000000000000", 3.0);
  gives("coalesce($1, 5)", "5", std::optional<int>{});
  gives("coalesce($1, 5)", "7", 7L);
  gives("jsonb_build_object('a', $1, 'b', $2, 'c', $3)", R"({"a": 1, "b": 0.5, "c": true})", 1, 0.5, true);
  gives("$1", "5", 5);
  gives("$1", "5", 5U);
  gives("$1", "0.5", 0.5);
  gives("concat($1, $2)", "\"15\"", 1, 5L);
  gives("array[1, 2] @> $1", "true", std::vector{1});
  gives("array[1, 2]::bigint[] @> $1", "true", std::vector{1L});
}

TEST(Parameters, OfAKeyLookupAreServedByItsIndex) {
  psql(
      "drop table if exists keys; create table keys (i2 int2, i4 int4, i8 int8, n numeric, f8 float8, f4 float4);"
      "insert into keys select n % 30000, n, n, n, n, n from generate_series(1, 40000) n;"
      "create index on keys (i2); create index on keys (i4); create index on keys (i8); create index on keys (n);"
      "create index on keys (f8); create index on keys (f4); analyze keys");
  sluice::client db{dsn()};
  const auto by_index = [&](const std::string& column, const bind_value& value) {
    const sluice::query condition =
        from("keys").of_columns().select("f8").where(sluice::column(column) == value).build();
    for (const sluice::query& what :
         {sql("select * from keys where " + column + " = $1", value), condition,
          sql("select * from keys where " + column + " = any($1)", bind_value::array(std::vector{value}))}) {
      const sluice::query explained{"explain " + what.text(), what.parameters(), sluice::query::shape::columns};
      std::string plan;
      for (const sluice::row row : db.stream(explained)) plan += std::string{row.get<std::string_view>(0)} + '\n';
      EXPECT_NE(plan.find("Index Cond"), std::string::npos) << what.text() << '\n' << plan;
    }
    EXPECT_NE(answer(db, sql("select to_json(f8) from keys where " + column + " = $1", value)), "") << column;
  };
  for (const char* column : {"i2", "i4", "i8", "n", "f8"}) {
    by_index(column, 1234);
    by_index(column, short{1234});
    by_index(column, 1234U);
    by_index(column, std::int64_t{1234});
    by_index(column, std::uint64_t{1234});
    by_index(column, std::size_t{1234});
  }
  for (const char* column : {"n", "f8", "f4"}) by_index(column, 1234.0);
  for (const char* column : {"i2", "i4", "i8", "n"}) {
    EXPECT_EQ(answer(db, sql(std::string{"select to_json(1) from keys where "} + column + " = $1", INT64_MAX)), "");
    EXPECT_EQ(answer(db, sql(std::string{"select to_json(1) from keys where "} + column + " = $1", UINT64_MAX)), "");
    EXPECT_EQ(answer(db, sql(std::string{"select to_json(1) from keys where "} + column + " = $1", 1234.5)), "");
    EXPECT_EQ(answer(db, from("keys").of_columns().where(sluice::column(column) == INT64_MAX)), "");
  }
}

TEST(Parameters, OfOtherTypesAreOtherStatements) {
  sluice::client db{dsn(), {.statement_cache = 8}};
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", 1)), "\"integer\"");
    EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", 1L)), "\"bigint\"");
    EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", UINT64_MAX)), "\"numeric\"");
    EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", std::optional<long>{})), "\"bigint\"");
    EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", sys_days{})), "\"date\"");
    EXPECT_EQ(answer(db, sql("select to_json(pg_typeof($1)::text)", sys_seconds{})), "\"timestamp with time zone\"");
  }
}

TEST(Parameters, OfDatesAreDatesInEveryZone) {
  for (const std::string& setting : settings) {
    SCOPED_TRACE(setting);
    sluice::client db{dsn_with(setting)};
    for (const sys_days day :
         {sys_days{2024y / February / 29}, sys_days{2011y / December / 30}, sys_days{1y / January / 2},
          sys_days{0y / March / 1}, sys_days{-43y / March / 15}, sys_days{days{-2'440'588}}, sys_days{days{13'900'000}},
          sys_days{days{54'000'000}}, sys_days{days{2'145'042'905}}, sys_days::max(), sys_days::min()})
      expect_back(db, day, "date");
    for (const year_month_day date : {2024y / February / 29, -4712y / January / 1, year::max() / December / 31})
      expect_back(db, year_month_day{date}, "date");
    const sys_days day{2024y / February / 29};
    db.execute("create temp table born (d date, at timestamptz, local timestamp)");
    (void)answer(db, sql("with q as (insert into born values ($1, $1, $1) returning 1) select to_json(1) from q", day));
    EXPECT_EQ(answer(db, sql("select to_json(to_char(d, 'YYYY-MM-DD')) from born where d = $1", day)),
              "\"2024-02-29\"");
    // In a condition, the column's own type decides: for it, the day begins in UTC.
    db.execute("update born set at = '2024-02-29 00:00:00+00', local = '2024-02-29'");
    db.execute("alter table born add doc json default '\"yes\"'");
    for (const char* column : {"d", "at", "local"}) {
      EXPECT_EQ(answer(db, from("born").column("doc").where(sluice::column(column) == day)), "\"yes\"") << column;
      EXPECT_EQ(answer(db, from("born").column("doc").where(sluice::column(column).in(std::vector{day}))), "\"yes\"");
      EXPECT_EQ(answer(db, from("born").column("doc").where(sluice::column(column) > day)), "") << column;
    }
    db.execute(
        "alter table born add j jsonb default '{\"at\": \"2024-02-29\", \"days\": [\"2024-02-29 00:00:00+00\"]}'");
    EXPECT_EQ(answer(db, from("born").column("j").where(sluice::field("at") == day).select("at")),
              R"({"at":"2024-02-29"})");
  }
}

TEST(Parameters, OfMomentsComeBackInEveryZone) {
  for (const std::string& setting : settings) {
    SCOPED_TRACE(setting);
    sluice::client db{dsn_with(setting)};
    using micro = sys_time<microseconds>;
    for (const micro at : {micro{}, micro{-1us}, micro{sys_days{-4713y / November / 24}}, micro{sys_days{1y / 1 / 1}},
                           micro{1'700'000'000'123'456us}, micro{sys_days{2024y / March / 10}} + 7h + 30min,
                           micro{microseconds::max() - 1us}, micro::max(), micro::min()}) {
      expect_back(db, at, "timestamptz");
      expect_back(db, local_time<microseconds>{at.time_since_epoch()}, "timestamp");
    }
    using nano = sys_time<nanoseconds>;
    for (const nano at : {nano{1us}, nano::max(), nano::min()}) expect_back(db, at, "timestamptz");
    for (const sys_time<hours> at : {sys_time<hours>{1'000'000h}, sys_time<hours>::max(), sys_time<hours>::min()})
      expect_back(db, at, "timestamptz");
    using year_point = sys_time<years>;
    for (const year_point at : {year_point{years{100}}, year_point{years{290'000}}, year_point::max()})
      expect_back(db, at, "timestamptz");
    using real = sys_time<duration<double>>;
    for (const real at : {real{duration<double>{0.5}}, real::max(), real::min()}) expect_back(db, at, "timestamptz");
    // Years beyond the 16-bit range of std::chrono::year.
    EXPECT_EQ(
        answer(db, sql("select to_json(extract(year from $1 at time zone 'UTC'))", sys_days{days{36'000'000}} + 3h)),
        "100534");
    EXPECT_EQ(answer(db, sql("select to_json($1 = 'infinity' and isfinite($2) and $3 = '-infinity')", nano::max(),
                             nano{}, local_time<seconds>::min())),
              "true");
  }
}

TEST(Parameters, OutOfTheServersRangeAreRefused) {
  const auto refused = [](auto value) {
    try {
      (void)bind_value{value};
      return false;
    } catch (const sluice::error& e) {
      return e.code() == errc::bad_query;
    }
  };
  EXPECT_TRUE(refused(sys_days{days{-2'440'589}}));
  EXPECT_TRUE(refused(sys_days{days{2'145'042'906}}));
  EXPECT_TRUE(refused(sys_days::max() - days{1}));
  EXPECT_TRUE(refused(sys_days::min() + days{1}));
  EXPECT_TRUE(refused(2023y / February / 29));
  EXPECT_TRUE(refused(year_month_day{}));
  EXPECT_TRUE(refused(year::min() / January / 1));
  EXPECT_FALSE(refused(sys_time<microseconds>::max() - 1us));
  EXPECT_TRUE(refused(sys_time<microseconds>::min() + 1us));
  EXPECT_TRUE(refused(sys_time<milliseconds>::max() - 1ms));
  EXPECT_TRUE(refused(sys_time<hours>::max() - 1h));
  EXPECT_TRUE(refused(sys_time<hours>::min() + 1h));
  EXPECT_TRUE(refused(sys_time<years>::max() - years{1}));
  EXPECT_TRUE(refused(sys_time<years>{years{300'000}}));
  EXPECT_TRUE(refused(local_time<seconds>::max() - 1s));
  EXPECT_TRUE(refused(sys_time<duration<double>>{duration<double>{1e300}}));
  EXPECT_TRUE(refused(sys_time<duration<double>>{duration<double>{std::nan("")}}));
  EXPECT_TRUE(refused(sys_time<duration<std::uint64_t>>{duration<std::uint64_t>{UINT64_MAX - 1}}));
  EXPECT_FALSE(refused(sys_time<duration<std::uint64_t>>{}));
  EXPECT_EQ(*bind_value{sys_time<duration<std::uint64_t>>{}}.text(), "1970-01-01 00:00:00.000000+00");
  EXPECT_THROW((void)bind_value{(std::vector{sys_days::max() - days{1}})}, sluice::error);
}

TEST(Columns, OfMomentsBeyondTheirTypeAreRefused) {
  sluice::client db{dsn()};
  const auto refusal = [&](auto read, const std::string& expression) {
    try {
      for (const sluice::row row : db.stream(sql("select " + expression + " as c").as_columns())) read(row);
    } catch (const sluice::error& e) {
      const std::string said{e.what()};
      return said.substr(said.rfind(": "));
    }
    return std::string{"none"};
  };
  const std::string out_of_range = ": it is out of the range of the C++ type";
  using narrow = sys_time<duration<std::int32_t>>;
  const auto narrowly = [](const sluice::row& row) { (void)row.get<narrow>(0); };
  EXPECT_EQ(refusal(narrowly, "timestamptz '2038-01-19 03:14:08Z'"), out_of_range);
  EXPECT_EQ(refusal(narrowly, "timestamptz '2038-01-19 03:14:07Z'"), out_of_range);  // this value means infinity
  EXPECT_EQ(refusal(narrowly, "timestamptz '2038-01-19 03:14:06Z'"), "none");
  EXPECT_EQ(back<narrow>(db, sql("select timestamptz 'infinity'").as_columns()), narrow::max());
  const auto unsignedly = [](const sluice::row& row) { (void)row.get<sys_time<duration<std::uint32_t>>>(0); };
  EXPECT_EQ(refusal(unsignedly, "timestamptz '1969-12-31Z'"), out_of_range);
  EXPECT_EQ(refusal(unsignedly, "timestamptz '-infinity'"), out_of_range);
}

}  // namespace
}  // namespace parameter_types_test
