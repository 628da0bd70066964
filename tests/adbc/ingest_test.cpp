// Bulk ingest through the ADBC driver, and values of every Arrow type that it takes.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "given_batch.hpp"
#include "loaded_driver.hpp"

namespace {

using namespace sluice::test;

void target(adbc_statement& to, const std::string& table, const std::string& mode) {
  to.set("adbc.ingest.target_table", table);
  to.set("adbc.ingest.mode", "adbc.ingest.mode." + mode);
}
void bind_batch(adbc_statement& to, const given_column& batch) {
  ArrowArray values = array_of(batch);
  ArrowSchema schema = schema_of(batch);
  call(driver().StatementBind, &to, &values, &schema);
}

template <class T>
given_column plain(const std::string& format, std::initializer_list<T> values, std::uint8_t valid = 0b11) {
  return {.format = format,
          .name = "v",
          .length = static_cast<std::int64_t>(values.size()),
          .nulls = -1,
          .buffers = {{valid}, bytes_of<T>(values)}};
}
/// Two values that take several numbers each.
given_column two(given_column column) {
  column.length = 2;
  return column;
}
template <class Offset>
given_column variable(const std::string& format, std::initializer_list<Offset> offsets, std::string_view bytes) {
  return {.format = format,
          .name = "v",
          .length = static_cast<std::int64_t>(offsets.size() - 1),
          .buffers = {{}, bytes_of<Offset>(offsets), text_buffer(bytes)}};
}
given_column with_metadata(given_column column, std::string_view name) {
  column.metadata = extension(name);
  return column;
}
given_column list_of(const std::string& format, std::initializer_list<std::int32_t> offsets, given_column elements) {
  return {.format = format,
          .name = "v",
          .length = static_cast<std::int64_t>(offsets.size() - 1),
          .buffers = {{}, bytes_of<std::int32_t>(offsets)},
          .children = {std::move(elements)}};
}
given_column dictionary_of(given_column keys, given_column values) {
  keys.dictionary = std::make_shared<given_column>(std::move(values));
  return keys;
}
given_column view_of() {
  given_bytes views = bytes_of<std::int32_t>({2, 0, 0, 0, 16, 0x34333231, 0, 0});
  views[4] = 'h';
  views[5] = 'i';
  return {.format = "vu",
          .name = "v",
          .length = 2,
          .buffers = {{}, views, text_buffer("1234567890123456"), bytes_of<std::int64_t>({16})}};
}
given_column fixed_list() {
  return {.format = "+w:2",
          .name = "v",
          .length = 2,
          .buffers = {{}},
          .children = {plain<std::int32_t>("i", {1, 2, 3, 4}, 0b1111)}};
}

struct taken {
  given_column column;
  const char* type;
  const char* values;
};
const std::vector<taken>& all_taken() {
  static const std::vector<taken> all{
      {plain<std::uint8_t>("b", {0b01}), "boolean", "true"},
      {plain<std::int8_t>("c", {-128, 127}), "smallint", "-128;127"},
      {plain<std::uint8_t>("C", {0, 255}), "smallint", "0;255"},
      {plain<std::int16_t>("s", {-32768, 5}, 0b01), "smallint", "-32768;NULL"},
      {plain<std::uint16_t>("S", {65535, 1}), "integer", "65535;1"},
      {plain<std::int32_t>("i", {-7, 7}, 0b10), "integer", "NULL;7"},
      {plain<std::uint32_t>("I", {4294967295U, 0}), "bigint", "4294967295;0"},
      {plain<std::int64_t>("l", {INT64_MIN, INT64_MAX}), "bigint", "-9223372036854775808;9223372036854775807"},
      {plain<std::uint64_t>("L", {UINT64_MAX, 3}), "numeric(20,0)", "18446744073709551615;3"},
      {plain<std::uint16_t>("e", {0x3c00, 0xc500}), "real", "1;-5"},
      {plain<float>("f", {1.5F, -0.25F}), "real", "1.5;-0.25"},
      {plain<double>("g", {0.1, 1e300}), "double precision", "0.1;1e+300"},
      {two(plain<std::int64_t>("d:20,2", {12345, 0, -5, -1})), "numeric(20,2)", "123.45;-0.05"},
      {plain<std::int32_t>("d:9,0,32", {12, -12}), "numeric(9,0)", "12;-12"},
      {plain<std::int64_t>("d:18,3,64", {1, -1000}), "numeric(18,3)", "0.001;-1.000"},
      {two(plain<std::int64_t>("d:5,-2", {3, 0, 0, 0})), "numeric(7,0)", "300;0"},
      {variable<std::int32_t>("u", {0, 2, 2}, "hi"), "text", "hi;"},
      {variable<std::int64_t>("U", {0, 1, 3}, "abc"), "text", "a;bc"},
      {view_of(), "text", "hi;1234567890123456"},
      {variable<std::int32_t>("z", {0, 1, 2}, "A\xff"), "bytea", "\\x41;\\xff"},
      {variable<std::int64_t>("Z", {0, 0, 1}, "B"), "bytea", "\\x;\\x42"},
      {two(plain<std::uint8_t>("w:2", {1, 2, 3, 4})), "bytea", "\\x0102;\\x0304"},
      {with_metadata(two(plain<std::uint64_t>("w:16", {0, 0, 1, 0})), "arrow.uuid"), "uuid",
       "00000000-0000-0000-0000-000000000000;01000000-0000-0000-0000-000000000000"},
      {with_metadata(variable<std::int32_t>("u", {0, 2, 6}, "[]null"), "arrow.json"), "jsonb", "[];null"},
      {plain<std::int32_t>("tdD", {0, -1}), "date", "1970-01-01;1969-12-31"},
      {plain<std::int64_t>("tdm", {86400000, -1}), "date", "1970-01-02;1969-12-31"},
      {plain<std::int32_t>("tts", {3661, 0}), "time without time zone", "01:01:01;00:00:00"},
      {plain<std::int64_t>("ttu", {1, 86400000000}), "time without time zone", "00:00:00.000001;24:00:00"},
      {plain<std::int64_t>("ttn", {1000, 0}), "time without time zone", "00:00:00.000001;00:00:00"},
      {plain<std::int64_t>("tsu:", {0, -1}), "timestamp without time zone",
       "1970-01-01 00:00:00;1969-12-31 23:59:59.999999"},
      {plain<std::int64_t>("tss:", {1, 0}), "timestamp without time zone", "1970-01-01 00:00:01;1970-01-01 00:00:00"},
      {plain<std::int64_t>("tsn:", {-1000, INT64_MAX / 1000 * 1000}), "timestamp without time zone",
       "1969-12-31 23:59:59.999999;2262-04-11 23:47:16.854775"},
      {plain<std::int64_t>("tsm:Europe/Berlin", {1500, 0}), "timestamp with time zone",
       "1970-01-01 00:00:01.5+00;1970-01-01 00:00:00+00"},
      {plain<std::int64_t>("tDs", {90, -1}), "interval", "00:01:30;-00:00:01"},
      {plain<std::int32_t>("tiM", {14, 0}), "interval", "1 year 2 mons;00:00:00"},
      {two(plain<std::int32_t>("tin", {1, 2, 3000, 0, 0, 0, 0, 0})), "interval",
       "1 mon 2 days 00:00:00.000003;00:00:00"},
      {list_of("+l", {0, 2, 2}, plain<std::int32_t>("i", {4, 5}, 0b01)), "integer[]", "{4,NULL};{}"},
      {list_of("+l", {0, 1, 2}, variable<std::int32_t>("u", {0, 1, 3}, "abc")), "text[]", "{a};{bc}"},
      {fixed_list(), "integer[]", "{1,2};{3,4}"},
      {dictionary_of(plain<std::int8_t>("c", {1, 0}), variable<std::int32_t>("u", {0, 3, 6}, "onetwo")), "text",
       "two;one"},
      {{.format = "n", .name = "v", .length = 2, .nulls = 2}, "text", "NULL;NULL"},
  };
  return all;
}

TEST(AdbcIngest, EveryTypeBecomesAColumnAndAParameter) {
  adbc_connection on{{}, {{"adbc.connection.autocommit", "false"}}};
  std::string shown{"set timezone = 'UTC'"};
  std::string expected;
  int number = 0;
  for (const taken& each : all_taken()) {
    const std::string table = "adbc_type_" + std::to_string(++number);
    adbc_statement run{on};
    target(run, table, "create");
    bind_batch(run, batch_of({each.column}));
    EXPECT_EQ(run.execute(), each.column.length) << each.type;
    run.query("create table " + table + "_bound (like " + table + ")");
    run.execute();
    run.query("insert into " + table + "_bound values ($1)");
    bind_batch(run, batch_of({each.column}));
    EXPECT_EQ(run.execute(), each.column.length) << each.type;
    for (const char* suffix : {"", "_bound"}) {
      shown +=
          "; select format_type(atttypid, atttypmod), (select string_agg(coalesce(v::text, 'NULL'), ';' order by ctid) "
          "from " +
          table + suffix + ") from pg_attribute where attrelid = '" + table + suffix + "'::regclass and attnum = 1";
      expected += std::string{each.type} + '|' + each.values + '\n';
    }
  }
  call(driver().ConnectionCommit, &on);
  EXPECT_EQ(psql(shown) + '\n', expected);
  EXPECT_EQ(alive(), 0);
}

TEST(AdbcIngest, AResultGoesIntoATableThroughAStream) {
  adbc_connection from;
  adbc_connection on;
  adbc_statement source{from,
                        "select g id, (g / 7.0)::numeric(14,4) n, 'row ' || g t, g % 3 = 0 b, array[g, g + 1] l, "
                        "timestamptz '2024-02-29 12:00:00.000001Z' + g * interval '1 day' as at "
                        "from generate_series(1, 50000) g"};
  owned_stream rows;
  source.execute(&rows);
  adbc_statement run{on};
  target(run, "adbc_large", "create");
  run.bind(&rows);
  EXPECT_EQ(rows->release, nullptr) << "the stream was handed over";
  EXPECT_EQ(run.execute(), 50'000);
  EXPECT_EQ(psql("select count(*), sum(id), sum(n), count(*) filter (where b), sum(l[2]), max(at) = "
                 "timestamptz '2024-02-29 12:00:00.000001Z' + 50000 * interval '1 day' from adbc_large"),
            psql("select count(*), sum(g), sum((g / 7.0)::numeric(14,4)), count(*) filter (where g % 3 = "
                 "0), sum(g + 1), true from generate_series(1, 50000) g"));
}

TEST(AdbcIngest, ModesSayWhatBecomesOfTheTableBefore) {
  adbc_connection on;
  const given_column batch = batch_of({plain<std::int32_t>("i", {1, 2})});
  const auto run = [&](const std::string& mode, status expected) {
    adbc_statement to{on};
    target(to, "adbc \"modes\"", mode);
    bind_batch(to, batch);
    if (expected == status::ok)
      to.execute();
    else
      refusal(expected, driver().StatementExecuteQuery, &to, nullptr, nullptr);
    return expected == status::not_found ? "" : psql("select count(*) from \"adbc \"\"modes\"\"\"");
  };
  run("append", status::not_found);
  EXPECT_EQ(run("create", status::ok), "2");
  EXPECT_EQ(run("create", status::already_exists), "2");
  EXPECT_EQ(run("append", status::ok), "4");
  EXPECT_EQ(run("create_append", status::ok), "6");
  EXPECT_EQ(run("replace", status::ok), "2");
}

TEST(AdbcIngest, TablesAreInTheWantedSchemaOrTemporary) {
  adbc_connection on;
  psql("create schema adbc_s");
  adbc_statement run{on};
  run.set("adbc.ingest.target_db_schema", "adbc_s");
  run.set("adbc.ingest.target_catalog", "sluice");
  target(run, "adbc_t", "create");
  bind_batch(run, batch_of({plain<std::int32_t>("i", {1, 2})}));
  EXPECT_EQ(run.execute(), 2);
  EXPECT_EQ(psql("select sum(v) from adbc_s.adbc_t"), "3");
  bind_batch(run, batch_of({plain<std::int32_t>("i", {1, 2})}));
  run.set("adbc.ingest.temporary", "true");
  refusal(status::invalid_state, driver().StatementExecuteQuery, &run, nullptr, nullptr);
  adbc_statement temporary{on};
  temporary.set("adbc.ingest.temporary", "true");
  for (const char* mode : {"create", "append", "create_append", "replace"}) {
    target(temporary, "adbc_temporary", mode);
    bind_batch(temporary, batch_of({plain<std::int32_t>("i", {1, 2})}));
    temporary.execute();
  }
  EXPECT_EQ(result_of(on, "select sum(v) from pg_temp.adbc_temporary").rows, std::vector<std::string>{"(3)"});
  EXPECT_EQ(psql("select to_regclass('adbc_temporary') is null"), "t");
  adbc_statement elsewhere{on};
  elsewhere.set("adbc.ingest.target_catalog", "postgres");
  target(elsewhere, "adbc_elsewhere", "create");
  bind_batch(elsewhere, batch_of({plain<std::int32_t>("i", {1, 2})}));
  refusal(status::not_found, driver().StatementExecuteQuery, &elsewhere, nullptr, nullptr);
}

TEST(AdbcIngest, ATemporaryTableDoesNotGetWhatIsMeantForAnotherOfItsName) {
  adbc_connection on;
  const auto run = [&](const char* mode, bool is_temporary, given_column column) {
    adbc_statement to{on};
    if (is_temporary) to.set("adbc.ingest.temporary", "true");
    target(to, "adbc_namesake", mode);
    bind_batch(to, batch_of({std::move(column)}));
    to.execute();
  };
  const auto count = [&](const std::string& table) {
    return result_of(on, "select count(*) from " + table).rows.at(0);
  };
  const auto words = [] { return variable<std::int32_t>("u", {0, 1, 2}, "ab"); };
  run("create", true, plain<std::int32_t>("i", {1, 2}));
  run("create", false, words());  // with a column of another type
  EXPECT_EQ(count("public.adbc_namesake"), "(2)");
  run("append", true, plain<std::int32_t>("i", {3, 4}));
  run("append", false, words());
  run("create_append", false, words());
  EXPECT_EQ(count("pg_temp.adbc_namesake"), "(4)");
  EXPECT_EQ(count("public.adbc_namesake"), "(6)");
  run("replace", false, words());
  EXPECT_EQ(count("pg_temp.adbc_namesake"), "(4)");
  EXPECT_EQ(count("public.adbc_namesake"), "(2)");

  // A table that is not in the first schema of the search path is found there, and replaced where it is.
  psql("create schema adbc_first");
  call(driver().ConnectionSetOption, &on, "adbc.connection.db_schema", "adbc_first");
  result_of(on, "select set_config('search_path', 'adbc_first, public', false)");
  run("append", false, words());
  run("create_append", false, words());
  EXPECT_EQ(count("public.adbc_namesake"), "(6)");
  run("replace", false, words());
  EXPECT_EQ(count("public.adbc_namesake"), "(2)");
  EXPECT_EQ(psql("select to_regclass('adbc_first.adbc_namesake') is null"), "t");
  run("create", false, plain<std::int32_t>("i", {1, 2}));
  EXPECT_EQ(count("adbc_first.adbc_namesake"), "(2)");
}

TEST(AdbcIngest, WhatFailsLeavesNothingAndSaysWhichColumn) {
  adbc_connection on;
  const auto message = [&](given_column column, status expected) {
    adbc_statement run{on};
    target(run, "adbc_failed", "create");
    bind_batch(run, batch_of({plain<std::int32_t>("i", {1, 2}), std::move(column)}));
    const std::string text = refusal(expected, driver().StatementExecuteQuery, &run, nullptr, nullptr);
    EXPECT_EQ(psql("select to_regclass('adbc_failed') is null"), "t");
    return text;
  };
  given_column structure{
      .format = "+s", .name = "w", .length = 2, .buffers = {{}}, .children = {plain<std::int32_t>("i", {1, 2})}};
  EXPECT_NE(message(structure, status::not_implemented).find("\"w\" has the Arrow type +s"), std::string::npos);
  given_column lists = list_of("+l", {0, 1, 1}, list_of("+l", {0, 1}, plain<std::int32_t>("i", {1})));
  EXPECT_NE(message(lists, status::not_implemented).find("+l"), std::string::npos);
  given_column precise = plain<std::int64_t>("ttn", {1, 0});
  precise.name = "w";
  EXPECT_NE(message(precise, status::invalid_data).find("\"w\""), std::string::npos);
  given_column bad_text = variable<std::int32_t>("u", {0, 1, 2}, "\xff\xfe");
  bad_text.name = "w";
  EXPECT_NE(message(bad_text, status::invalid_data).find("UTF8"), std::string::npos);

  psql("create table adbc_narrow (v smallint)");
  adbc_statement run{on};
  target(run, "adbc_narrow", "append");
  bind_batch(run, batch_of({plain<std::int32_t>("i", {1, 70000})}));
  EXPECT_NE(refusal(status::invalid_argument, driver().StatementExecuteQuery, &run, nullptr, nullptr).find("(v)"),
            std::string::npos);
  EXPECT_EQ(psql("select count(*) from adbc_narrow"), "0");
  bind_batch(run, batch_of({plain<std::int32_t>("i", {1, 32767})}));
  EXPECT_EQ(run.execute(), 2);
}

TEST(AdbcIngest, InATransactionItIsPartOfIt) {
  adbc_connection on{{}, {{"adbc.connection.autocommit", "false"}}};
  adbc_statement run{on};
  target(run, "adbc_rolled_back", "create");
  bind_batch(run, batch_of({plain<std::int32_t>("i", {1, 2})}));
  EXPECT_EQ(run.execute(), 2);
  EXPECT_EQ(result_of(on, "select count(*) from adbc_rolled_back").rows, std::vector<std::string>{"(2)"});
  call(driver().ConnectionRollback, &on);
  EXPECT_EQ(psql("select to_regclass('adbc_rolled_back') is null"), "t");
}

TEST(AdbcIngest, AStreamThatFailsEndsItAndSaysWhy) {
  adbc_connection from;
  adbc_connection on;
  adbc_statement source{from, "select 1 / (50000 - g) v from generate_series(1, 60000) g"};
  owned_stream rows;
  source.execute(&rows);
  adbc_statement run{on};
  target(run, "adbc_cut", "create");
  run.bind(&rows);
  EXPECT_NE(refusal(status::io, driver().StatementExecuteQuery, &run, nullptr, nullptr).find("division by zero"),
            std::string::npos);
  EXPECT_EQ(psql("select to_regclass('adbc_cut') is null"), "t");
}

TEST(AdbcIngest, AStreamOfTheSameConnectionIsRefused) {
  adbc_connection on;
  adbc_statement source{on, "select generate_series(1, 1000000) v"};
  owned_stream rows;
  source.execute(&rows);
  adbc_statement run{on};
  target(run, "adbc_itself", "create");
  run.bind(&rows);
  refusal(status::invalid_state, driver().StatementExecuteQuery, &run, nullptr, nullptr);
  EXPECT_EQ(result_of(on, "select 1").rows.size(), 1U);
}

}  // namespace
