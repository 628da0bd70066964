// COPY into tables: every type, what does not fit, what the server refuses, and copies that are given up.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <sluice/sluice.hpp>
#include <sluice/stream/copy.hpp>
#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "failures.hpp"
#include "process.hpp"

namespace copy_test {
namespace {

using namespace sluice::test;
using namespace std::chrono;
using sluice::errc;
using sluice::sql;

/// A table `copy_rows`, anew for each test.
class Copy : public testing::Test {
 protected:
  void make(const std::string& columns) {
    db.execute("drop table if exists copy_rows; create table copy_rows (" + columns + ")");
  }
  std::string all() {
    return answer(db, sql("select coalesce(string_agg(c::text, ' '), '') from copy_rows c").as_object());
  }
  /// What the server makes of a value that was copy_rows into a column of this type.
  template <class T>
  std::string stored(const std::string& type, const T& value) {
    make("v " + type);
    sluice::blocking_copy_writer to = db.copy_into("copy_rows");
    to.write(value);
    EXPECT_EQ(to.finish(), 1U);
    return answer(db, sql("select to_json(v::text) from copy_rows").as_document());
  }
  template <class T>
  std::string refusal(const std::string& type, const T& value) {
    make("v " + type);
    sluice::blocking_copy_writer to = db.copy_into("copy_rows");
    const auto why = failure_of([&] { to.write(value); });
    if (!why) return "none";
    EXPECT_EQ(why->code(), errc::bad_column);
    EXPECT_TRUE(why->connection_usable());
    EXPECT_EQ(to.finish(), 0U) << "the copy goes on";
    return why->what();
  }

  sluice::client db{dsn()};
};

TEST_F(Copy, WritesRows) {
  make("id bigint, at timestamptz, data jsonb");
  sluice::blocking_copy_writer to = db.copy_into("copy_rows", "id", "at", "data");
  for (int i = 0; i < 3; ++i) to.write(i, sys_days{2026y / 11 / 27} + hours{i}, "{\"i\": " + std::to_string(i) + '}');
  EXPECT_EQ(to.rows(), 3U);
  EXPECT_EQ(to.finish(), 3U);
  EXPECT_EQ(psql("set timezone = 'UTC'; select string_agg(c::text, ' ' order by id) from copy_rows c"),
            "(0,\"2026-11-27 00:00:00+00\",\"{\"\"i\"\": 0}\") (1,\"2026-11-27 01:00:00+00\",\"{\"\"i\"\": 1}\") "
            "(2,\"2026-11-27 02:00:00+00\",\"{\"\"i\"\": 2}\")");
}

TEST_F(Copy, WritesIntegers) {
  EXPECT_EQ(stored("smallint", -32'768), "\"-32768\"");
  EXPECT_EQ(stored("int", std::numeric_limits<std::int32_t>::min()), "\"-2147483648\"");
  EXPECT_EQ(stored("bigint", std::numeric_limits<std::int64_t>::min()), "\"-9223372036854775808\"");
  EXPECT_EQ(stored("oid", 4'294'967'295U), "\"4294967295\"");
  EXPECT_EQ(stored("numeric", std::numeric_limits<std::uint64_t>::max()), "\"18446744073709551615\"");
  EXPECT_EQ(stored("numeric", std::numeric_limits<std::int64_t>::min()), "\"-9223372036854775808\"");
  EXPECT_EQ(stored("numeric", 0), "\"0\"");
  EXPECT_EQ(stored("numeric", 10'000), "\"10000\"");
  EXPECT_EQ(stored("float8", -7), "\"-7\"");
  EXPECT_EQ(refusal("smallint", 32'768), "column 0 (v): it is out of the column's range");
  EXPECT_NE(refusal("int", std::int64_t{1} << 40U), "none");
  EXPECT_NE(refusal("bigint", std::numeric_limits<std::uint64_t>::max()), "none");
  EXPECT_NE(refusal("oid", -1), "none");
  EXPECT_NE(refusal("float8", (std::int64_t{1} << 53U) + 1), "none");
  EXPECT_EQ(refusal("text", 1), "column 0 (v) is of type text: it cannot take an integer");
}

TEST_F(Copy, WritesFloats) {
  EXPECT_EQ(stored("float8", std::numeric_limits<double>::denorm_min()), "\"5e-324\"");
  EXPECT_EQ(stored("float8", -0.0), "\"-0\"");
  EXPECT_EQ(stored("float8", std::numeric_limits<double>::infinity()), "\"Infinity\"");
  EXPECT_EQ(stored("float8", std::nan("")), "\"NaN\"");
  EXPECT_EQ(stored("float4", 0.1), "\"0.1\"");
  EXPECT_EQ(stored("float4", 0.1F), "\"0.1\"");
  EXPECT_EQ(stored("float8", 0.5F), "\"0.5\"");
  EXPECT_NE(refusal("float4", 1e300), "none");
  EXPECT_NE(refusal("float4", 1e-50), "none") << "it would be 0";
  EXPECT_EQ(stored("float4", 0.0), "\"0\"");
  EXPECT_EQ(stored("numeric", 0.1), "\"0.1\"");
  EXPECT_EQ(stored("numeric", 1e-7), "\"0.0000001\"");
  EXPECT_EQ(stored("numeric", -1.5e20), "\"-150000000000000000000\"");
  EXPECT_EQ(stored("numeric", std::nan("")), "\"NaN\"");
  EXPECT_EQ(stored("numeric", -std::numeric_limits<double>::infinity()), "\"-Infinity\"");
}

TEST_F(Copy, WritesDecimalText) {
  for (const char* const digits :
       {"0", "0.0", "0.000", "1", "-1", "9999", "10000", "100000000", "0.0001", "0.00001", "123456789.987654321",
        "-0.10", "99990000.00009999", "1000000000000000000000000000000000000000.00000000000000000000000000000001"})
    EXPECT_EQ(stored("numeric", digits), '"' + std::string{digits} + '"');
  EXPECT_EQ(stored("numeric", "1e3"), "\"1000\"");
  EXPECT_EQ(stored("numeric", "+12.50e-1"), "\"1.250\"");
  EXPECT_EQ(stored("numeric", "007.5"), "\"7.5\"");
  EXPECT_EQ(stored("numeric", "1e131071").size(), 131'074U);
  for (const char* const zero : {"-0", "0e999999"}) EXPECT_EQ(stored("numeric", zero), "\"0\"") << zero;
  for (const char* const wrong :
       {"", "-", ".", "1.2.3", "1e", "e5", "0x10", "1 ", "1e+-5", "1e999999999999", "1e200000"})
    EXPECT_NE(refusal("numeric", wrong), "none") << wrong;
  for (const char* const at_an_edge : {".5", "5."}) EXPECT_NE(stored("numeric", at_an_edge), "") << at_an_edge;
}

TEST_F(Copy, WritesText) {
  const std::string text = "a \"quote\", a \\ and \u00e9\n\t";
  for (const char* const type : {"text", "varchar", "name", "varchar(100)"})
    EXPECT_EQ(stored(type, text), R"("a \"quote\", a \\ and )"
                                  "\u00e9"
                                  R"(\n\t")")
        << type;
  EXPECT_EQ(stored("char(3)", std::string_view{"ab"}), "\"ab\"");
  EXPECT_EQ(stored("json", "{\"a\" : 1}"), R"("{\"a\" : 1}")");
  EXPECT_EQ(stored("jsonb", "{\"a\" : 1}"), R"("{\"a\": 1}")");
  EXPECT_EQ(stored("xml", "<a/>"), "\"<a/>\"");
  EXPECT_EQ(stored("text", ""), "\"\"");
  EXPECT_EQ(refusal("point", "(1,2)"), "column 0 (v) is of type point: it cannot take text");
  EXPECT_EQ(refusal("int", "1"), "column 0 (v) is of type integer: it cannot take text");
}

TEST_F(Copy, WritesTypesOfTheDatabasesOwn) {
  db.execute(
      "drop table if exists copy_rows; drop type if exists copy_mood; drop domain if exists copy_price, "
      "copy_amount; create type copy_mood as enum ('sad', 'glad'); create domain copy_amount as numeric(10, "
      "2); create domain copy_price as copy_amount check (value > 0); create extension if not exists citext");
  EXPECT_EQ(stored("copy_mood", "glad"), "\"glad\"");
  EXPECT_EQ(stored("copy_mood[]", std::vector<std::string>{"sad", "glad"}), "\"{sad,glad}\"");
  EXPECT_EQ(stored("copy_price", 1.5), "\"1.50\"");
  EXPECT_EQ(stored("copy_price[]", std::vector<double>{1.5, 2}), "\"{1.50,2.00}\"");
  EXPECT_EQ(stored("citext", "Ab"), "\"Ab\"");
  db.execute("drop domain if exists copy_prices; create domain copy_prices as copy_price[]");
  EXPECT_EQ(stored("copy_prices", std::vector<double>{1.5}), "\"{1.50}\"");
  make("v copy_mood");
  sluice::blocking_copy_writer to = db.copy_into("copy_rows");
  to.write("glad");
  to.write("furious");
  const auto why = failure_of([&] { to.finish(); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->sqlstate(), "22P02");
  EXPECT_NE(std::string_view{why->what()}.find("COPY copy_rows, line 2, column v"), std::string_view::npos)
      << why->what();
}

TEST_F(Copy, WritesPointsInTime) {
  db.execute("set timezone = 'UTC'");
  EXPECT_EQ(stored("date", sys_days{2000y / 1 / 1}), "\"2000-01-01\"");
  EXPECT_EQ(stored("date", year{-4712} / January / 1), "\"4713-01-01 BC\"");
  EXPECT_EQ(stored("date", sys_days::max()), "\"infinity\"");
  EXPECT_EQ(stored("date", sys_days::min()), "\"-infinity\"");
  EXPECT_EQ(refusal("date", 2026y / February / 30), "column 0 (v): there is no such date");
  EXPECT_EQ(stored("timestamptz", sys_days{1969y / 12 / 31} + microseconds{1}), "\"1969-12-31 00:00:00.000001+00\"");
  EXPECT_EQ(stored("timestamptz", sys_time<nanoseconds>::max()), "\"infinity\"");
  EXPECT_EQ(stored("timestamptz", sys_time<microseconds>::min()), "\"-infinity\"");
  EXPECT_NE(refusal("timestamptz", sys_time<microseconds>{microseconds::min() + microseconds{1}}), "none");
  EXPECT_EQ(stored("timestamp", local_days{2026y / 11 / 27} + hours{5}), "\"2026-11-27 05:00:00\"");
  EXPECT_NE(refusal("timestamp", sys_days{2026y / 11 / 27} + hours{5}), "none") << "a point in time has no place there";
  EXPECT_NE(refusal("timestamptz", local_days{2026y / 11 / 27} + hours{5}), "none");
  EXPECT_NE(refusal("timestamptz", sys_days{2026y / 11 / 27}), "none") << "a date";
  EXPECT_EQ(stored("time", microseconds{days{1}}), "\"24:00:00\"");
  EXPECT_NE(refusal("time", microseconds{-1}), "none");
  EXPECT_EQ(stored("timetz", sluice::time_with_zone{hours{5}, hours{2}}), "\"05:00:00+02\"");
  EXPECT_EQ(stored("interval", sluice::interval{-14, 3, microseconds{-1}}),
            "\"-1 years -2 mons +3 days -00:00:00.000001\"");
}

TEST_F(Copy, WritesTheRest) {
  EXPECT_EQ(stored("bool", true), "\"true\"");
  const std::array bytes{std::byte{0}, std::byte{255}};
  EXPECT_EQ(stored("bytea", std::span<const std::byte>{bytes}), R"("\\x00ff")");
  EXPECT_EQ(stored("bytea", std::vector<std::byte>{}), R"("\\x")");
  EXPECT_EQ(stored("uuid", *sluice::uuid::parse("123e4567-e89b-12d3-a456-426614174000")),
            "\"123e4567-e89b-12d3-a456-426614174000\"");
  EXPECT_EQ(stored("int", std::optional<int>{}), "NULL");
  EXPECT_EQ(stored("int", std::nullopt), "NULL");
  EXPECT_EQ(stored("int", std::optional{5}), "\"5\"");
  EXPECT_EQ(stored("int[]", std::vector<int>{}), "\"{}\"");
  EXPECT_EQ(stored("int[]", std::vector<std::optional<int>>{1, std::nullopt}), "\"{1,NULL}\"");
  EXPECT_EQ(stored("bool[]", std::vector<bool>{true, false}), "\"{t,f}\"");
  EXPECT_EQ(stored("text[]", std::array{"a", "b,c"}), R"("{a,\"b,c\"}")");
  EXPECT_EQ(stored("jsonb[]", std::vector<std::string>{"1"}), "\"{1}\"");
  EXPECT_EQ(refusal("int", std::vector<int>{1}), "column 0 (v) is of type integer: it cannot take an array");
  EXPECT_EQ(refusal("int[]", 1), "column 0 (v) is of type integer[]: it cannot take an integer");
  EXPECT_EQ(refusal("int[]", std::vector<bool>{true}),
            "column 0 (v) is of type integer[]: an element of it cannot take a bool");
  EXPECT_NE(refusal("int[]", std::vector<std::string>{"1"}), "none");
}

TEST_F(Copy, TakesAllColumnsButGeneratedOnes) {
  make("a int, gone int, g int generated always as (a * 2) stored, i int generated by default as identity, b text");
  db.execute("alter table copy_rows drop column gone");
  sluice::blocking_copy_writer to = db.copy_into("copy_rows");
  to.write(1, 7, "x");
  EXPECT_EQ(to.finish(), 1U);
  EXPECT_EQ(psql("select c from copy_rows c"), "(1,2,7,x)");
  sluice::blocking_copy_writer some = db.copy_into("public.copy_rows", "b", "a");
  some.write("y", 2);
  EXPECT_EQ(some.finish(), 1U);
  EXPECT_EQ(psql("select c from copy_rows c where a = 2"), "(2,4,1,y)");
}

TEST_F(Copy, WritesRowsWithoutColumns) {
  for (const char* const columns : {"", "g int generated always as (1) stored"}) {
    make(columns);
    sluice::blocking_copy_writer to = db.copy_into("copy_rows");
    to.write();
    to.write();
    EXPECT_EQ(to.finish(), 2U);
    EXPECT_EQ(psql("select count(*) from copy_rows"), "2");
  }
}

TEST_F(Copy, SaysWhereAStatementBelongs) {
  make("a int");
  const auto says = [](const std::optional<sluice::error>& why, std::string_view what) {
    return why && std::string_view{why->what()}.find(what) != std::string_view::npos;
  };
  const auto other = failure_of([&] { (void)db.copy_data("insert into copy_rows values (1)"); });
  EXPECT_TRUE(says(other, "it is not a COPY FROM STDIN: other statements have been run, and are for execute"));
  EXPECT_EQ(psql("select count(*) from copy_rows"), "1");
  EXPECT_TRUE(says(failure_of([&] { db.execute("copy copy_rows from stdin"); }), "needs copy_into or copy_data"));
}

TEST_F(Copy, RefusesWhatTheTableDoesNotHave) {
  make("a int, g int generated always as (a * 2) stored");
  EXPECT_EQ(failure_of([&] { return db.copy_into("nowhere"); })->sqlstate(), "42P01");
  EXPECT_EQ(failure_of([&] { return db.copy_into("copy_rows", "b"); })->code(), errc::bad_column);
  EXPECT_EQ(failure_of([&] { return db.copy_into("copy_rows", "g"); })->code(), errc::bad_column);
  EXPECT_EQ(failure_of([&] { return db.copy_into("copy_rows", "a", "a"); })->sqlstate(), "42701");
  EXPECT_EQ(failure_of([&] { return db.copy_into(""); })->code(), errc::bad_query);
  EXPECT_EQ(answer(db, sql("select to_json(1)").as_document()), "1");
}

TEST_F(Copy, RefusesARowOfAnotherLength) {
  make("a int, b int");
  sluice::blocking_copy_writer to = db.copy_into("copy_rows");
  to.write(1, 2);
  EXPECT_EQ(std::string{failure_of([&] { to.write(1); })->what()}, "the row has 1 values, and the copy 2 columns");
  EXPECT_TRUE(failure_of([&] { to.write(1, "text"); })) << "after its first value";
  to.write(3, 4);
  EXPECT_EQ(to.finish(), 2U);
  EXPECT_EQ(psql("select string_agg(c::text, ' ') from copy_rows c"), "(1,2) (3,4)");
}

TEST_F(Copy, SaysWhichRowTheServerRefused) {
  make("n int primary key");
  sluice::blocking_copy_writer to = db.copy_into("copy_rows");
  const auto why = failure_of([&] {
    for (int i = 0; i < 1'000'000; ++i) to.write(i == 1'000 ? 5 : i);
    to.finish();
  });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->sqlstate(), "23505");
  EXPECT_NE(std::string_view{why->what()}.find("COPY copy_rows, line 1001"), std::string_view::npos) << why->what();
  EXPECT_TRUE(why->connection_usable());
  EXPECT_EQ(failure_of([&] { to.write(1); })->code(), errc::bad_state);
  EXPECT_EQ(failure_of([&] { to.finish(); })->code(), errc::bad_state);
  EXPECT_EQ(psql("select count(*) from copy_rows"), "0");
  EXPECT_EQ(answer(db, sql("select to_json(1)").as_document()), "1");
}

TEST_F(Copy, StoresNothingWhenItIsDropped) {
  make("n int, t text");
  const std::string text(1'000, 'x');
  for (const int rows : {0, 1, 100, 100'000}) {
    {
      sluice::blocking_copy_writer to = db.copy_into("copy_rows");
      for (int i = 0; i < rows; ++i) to.write(i, text);
    }
    EXPECT_EQ(psql("select count(*) from copy_rows"), "0");
    EXPECT_EQ(answer(db, sql("select to_json(1)").as_document()), "1");
  }
}

TEST_F(Copy, IsAllThatAConnectionCarries) {
  make("n int");
  sluice::blocking_copy_writer to = db.copy_into("copy_rows");
  to.write(1);
  EXPECT_EQ(failure_of([&] { db.execute("select 1"); })->code(), errc::bad_state);
  EXPECT_EQ(failure_of([&] { (void)db.copy_into("copy_rows"); })->code(), errc::bad_state);
  EXPECT_EQ(to.finish(), 1U);
}

TEST_F(Copy, IsPartOfATransaction) {
  make("n int");
  {
    sluice::blocking_transaction tx = db.begin();
    sluice::blocking_copy_writer to = tx.copy_into("copy_rows", "n");
    to.write(1);
    EXPECT_EQ(to.finish(), 1U);
    EXPECT_EQ(psql("select count(*) from copy_rows"), "0");
  }
  EXPECT_EQ(psql("select count(*) from copy_rows"), "0");
  sluice::blocking_transaction tx = db.begin();
  sluice::blocking_copy_writer to = tx.copy_into("copy_rows", "n");
  to.write(1);
  EXPECT_EQ(failure_of([&] { tx.commit(); })->code(), errc::bad_state) << "the copy is open";
  EXPECT_EQ(to.finish(), 1U);
  tx.commit();
  EXPECT_EQ(psql("select count(*) from copy_rows"), "1");
}

TEST_F(Copy, PassesDataThrough) {
  make("n int, t text");
  sluice::blocking_copy_data_writer csv = db.copy_data("copy copy_rows from stdin (format csv, header)");
  csv.write("n,t\n1,\"a,");
  csv.write("b\"\n2,c\n");
  EXPECT_EQ(csv.finish(), 2U);
  EXPECT_EQ(psql("select string_agg(c::text, ' ') from copy_rows c"), "(1,\"a,b\") (2,c)");
  sluice::blocking_copy_data_writer wrong = db.copy_data("copy copy_rows from stdin");
  wrong.write("1\t2\nx\ty\n");
  const auto why = failure_of([&] { wrong.finish(); });
  EXPECT_NE(std::string_view{why->what()}.find("COPY copy_rows, line 2, column n"), std::string_view::npos)
      << why->what();
  EXPECT_EQ(failure_of([&] { (void)db.copy_data("select 1"); })->code(), errc::unsupported_result);
  EXPECT_EQ(failure_of([&] { (void)db.copy_data("copy copy_rows to stdout"); })->code(), errc::unsupported_result);
  EXPECT_EQ(failure_of([&] { (void)db.copy_data("copi"); })->sqlstate(), "42601");
  EXPECT_EQ(answer(db, sql("select to_json(1)").as_document()), "1");
}

TEST_F(Copy, OfAValueLargerThanItsBuffer) {
  make("t text");
  sluice::blocking_copy_writer to = db.copy_into("copy_rows");
  to.write(std::string(10'000'000, 'x'));
  to.write("y");
  EXPECT_EQ(to.finish(), 2U);
  EXPECT_EQ(psql("select sum(length(t)) from copy_rows"), "10000001");
}

/// Whether the server takes the rows at once, or does not take them at all.
TEST_F(Copy, TakesTheSameMemoryHoweverManyRows) {
  constexpr long little = 2'000'000;
  make("n int, t text");
  const std::string text(100, 'x');
  const auto copy = [&](int rows) {
    sluice::blocking_copy_writer to = db.copy_into("copy_rows");
    for (int i = 0; i < rows; ++i) to.write(i, text);
    EXPECT_EQ(to.finish(), static_cast<std::uint64_t>(rows));
  };
  copy(10'000);
  const long before = resident_bytes();
  copy(500'000);
  EXPECT_TRUE(has_sanitizer || resident_bytes() < before + little);

  db.execute(
      "create or replace function copy_rows_slowly() returns trigger language plpgsql as 'begin perform pg_sleep(60); "
      "return new; end'; create trigger slow before insert on copy_rows for each row execute function "
      "copy_rows_slowly()");
  sluice::blocking_copy_writer to = db.copy_into("copy_rows", {}, {.timeout = milliseconds{500}});
  int written = 0;
  const auto why = failure_of([&] {
    for (; written < 10'000'000; ++written) to.write(written, text);
  });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::deadline_exceeded) << why->what();
  EXPECT_LT(written, 100'000) << "the server's slowness reaches the writer";
  EXPECT_TRUE(has_sanitizer || resident_bytes() < before + little);
}

TEST_F(Copy, InACoroutine) {
  make("n int, t text");
  const auto body = []() -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn());
    {
      sluice::copy_writer to = co_await conn.copy_into("copy_rows", "n", "t");
      for (int i = 0; i < 100'000; ++i) co_await to.write(i, "some text");
      const std::uint64_t rows = co_await to.finish();
      EXPECT_EQ(rows, 100'000U);
    }
    {
      sluice::copy_writer dropped = co_await conn.copy_into("copy_rows");
      for (int i = 0; i < 100'000; ++i) co_await dropped.write(i, "some text");
    }
    EXPECT_EQ(co_await answer(conn, sql("select to_json(count(*)) from copy_rows").as_document()), "100000");
    sluice::transaction tx = co_await conn.begin();
    sluice::copy_data_writer text = co_await tx.copy_data("copy copy_rows from stdin");
    co_await text.write("1\ta\n");
    const std::uint64_t rows = co_await text.finish();
    EXPECT_EQ(rows, 1U);
    co_await tx.commit();
  };
  run(body());
  EXPECT_EQ(psql("select count(*) from copy_rows"), "100001");
}

}  // namespace
}  // namespace copy_test
