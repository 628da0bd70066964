// Independent readers of what is handed over: DuckDB by the C stream interface, apache-arrow by IPC. ci/readers
// installs them; without them these tests are skipped.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sluice/arrow/ipc.hpp>
#include <sluice/arrow/reader.hpp>
#include <sluice/sluice.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cluster.hpp"
#include "readers.hpp"
#include "shell.hpp"
#include "temporary_folder.hpp"

/// For LeakSanitizer: duckdb_arrow_scan asks a stream for its schema and never releases it. That everything is released
/// which a consumer releases, the unit tests check.
extern "C" const char* __lsan_default_suppressions();  // NOLINT: its name
extern "C" const char* __lsan_default_suppressions() { return "leak:libduckdb.so"; }

namespace arrow_readers_test {
namespace {

using namespace sluice;
using sluice::test::dsn;
using sluice::test::psql;
using sluice::test::readers;

/// The part of DuckDB's C API that is needed, as its documentation declares it.
class duckdb {
 public:
  explicit duckdb(const std::string& library) : library_{::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)} {
    if (library_ == nullptr) throw std::runtime_error(::dlerror());
    load(open_, "duckdb_open");
    load(connect_, "duckdb_connect");
    load(scan_, "duckdb_arrow_scan");
    load(query_, "duckdb_query");
    load(error_, "duckdb_result_error");
    load(text_, "duckdb_value_varchar");
    load(rows_, "duckdb_row_count");
    load(columns_, "duckdb_column_count");
    load(destroy_, "duckdb_destroy_result");
    load(free_, "duckdb_free");
    load(disconnect_, "duckdb_disconnect");
    load(close_, "duckdb_close");
    if (open_(nullptr, &database_) != 0 || connect_(database_, &connection_) != 0) throw std::runtime_error("duckdb");
  }
  duckdb(const duckdb&) = delete;
  duckdb& operator=(const duckdb&) = delete;
  ~duckdb() {
    disconnect_(&connection_);
    close_(&database_);  // the library stays loaded: it has threads
  }

  /// The rows of a query whose columns are texts, fields separated by '|', NULL as nothing, as psql shows them.
  std::vector<std::string> ask(const std::string& sql) {
    result made{};
    if (query_(connection_, sql.c_str(), &made) != 0) {
      std::string why = error_(&made);
      destroy_(&made);
      throw std::runtime_error(why);
    }
    std::vector<std::string> rows;
    for (std::uint64_t row = 0; row < rows_(&made); ++row) {
      std::string line;
      for (std::uint64_t column = 0; column < columns_(&made); ++column) {
        if (column != 0) line += '|';
        char* const text = text_(&made, column, row);
        if (text != nullptr) line += text;
        free_(text);
      }
      rows.push_back(std::move(line));
    }
    destroy_(&made);
    return rows;
  }
  /// Makes a view of a stream, which can be read once.
  void scan(const char* view, ArrowArrayStream* stream) {
    if (scan_(connection_, view, stream) != 0) throw std::runtime_error("duckdb_arrow_scan");
  }

 private:
  struct result {
    std::uint64_t counts[3];
    void* columns;
    char* message;
    void* internal;
  };
  template <class Function>
  void load(Function*& to, const char* name) {
    to = reinterpret_cast<Function*>(::dlsym(library_, name));
    if (to == nullptr) throw std::runtime_error(std::string{name} + " is missing");
  }

  void* library_;
  void* database_{};
  void* connection_{};
  int (*open_)(const char*, void**){};
  int (*connect_)(void*, void**){};
  int (*scan_)(void*, const char*, ArrowArrayStream*){};
  int (*query_)(void*, const char*, result*){};
  const char* (*error_)(result*){};
  char* (*text_)(result*, std::uint64_t, std::uint64_t){};
  std::uint64_t (*rows_)(result*){};
  std::uint64_t (*columns_)(result*){};
  void (*destroy_)(result*){};
  void (*free_)(void*){};
  void (*disconnect_)(void**){};
  void (*close_)(void**){};
};

std::unique_ptr<duckdb> a_duckdb() {
  const std::string folder = readers();
  if (folder.empty()) return nullptr;
  return std::make_unique<duckdb>(folder + "/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so");
}
#define SKIP_WITHOUT(what) \
  if (!(what)) GTEST_SKIP() << "no independent readers of Arrow: ci/readers installs them, with npm"

/// What DuckDB reads of a stream.
std::vector<std::string> read_by(duckdb& reader, arrow_reader batches, const std::string& list) {
  ArrowArrayStream stream{};
  batches.export_to(&stream);
  struct released_at_the_end {
    ArrowArrayStream& what;
    ~released_at_the_end() {
      if (what.release != nullptr) what.release(&what);
    }
  } const owned{stream};
  reader.scan("arrow_in", &stream);
  std::vector<std::string> rows = reader.ask("select columns(*)::varchar from (select " + list + " from arrow_in)");
  (void)reader.ask("drop view arrow_in");
  return rows;
}
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Values whose text is the same in psql and in DuckDB, with NULLs in changing places.
constexpr const char* mixed =
    "select i % 3 = 0 as b, i::int2 as i2, i * 1000 as i4, case when i % 4 <> 0 then i::int8 << 40 end as i8, i::oid "
    "as o, "
    "i + 0.5::float4 as f4, i / 8.0::float8 as f8, case when i % 5 <> 1 then (i - 0.25)::numeric(12,3) end as n, "
    "i::numeric as wide, 'text ' || i as t, case when i % 7 <> 2 then md5(i::text)::uuid end as u, "
    "date '2000-01-01' + i * 1000 as d, time '00:00' + i * interval '1.000001 s' as ti, "
    "timestamp '1900-01-01' + i * interval '1 year 1.000001 s' as ts, "
    "jsonb_build_object('i', i) as j from generate_series(1, 200) i";

TEST(ArrowInDuckDb, HasTheValuesThatPsqlShows) {
  const auto reader = a_duckdb();
  SKIP_WITHOUT(reader);
  for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::paged, fetch_mode::bulk}) {
    client db{dsn()};
    const std::vector<std::string> rows = read_by(
        *reader, db.arrow(sql(mixed), {.max_rows = 64}, {.mode = mode}),
        "case when b then 't' else 'f' end, i2, i4, i8, o, f4::decimal(10,1), f8::decimal(10,3), n, wide, t, u, d, "
        "ti, ts, j");
    const std::string shown = psql(
        "select b, i2, i4, i8, o, f4::numeric(10,1), f8::numeric(10,3), n, wide, t, u, d, ti, "
        "ts, j from (" +
        std::string{mixed} + ") q");
    EXPECT_EQ(rows, lines_of(shown));
  }
}

TEST(ArrowInDuckDb, HasIntervalsListsStructsZonesBytesAndDictionaries) {
  const auto reader = a_duckdb();
  SKIP_WITHOUT(reader);
  psql("create type arrow_size as enum ('small', 'large'); create type arrow_point as (x int4, name text)");
  client db{dsn()};
  arrow_reader batches =
      db.arrow(sql("select interval '1 year 2 days 3.5 s' as v, array[1, null, 3] as l, row(7, 'x')::arrow_point as s, "
                   "timestamptz '2024-02-29 12:00:00.123456+02' as z, '\\x00ff'::bytea as y, 'large'::arrow_size as e, "
                   "array[row(1, null)::arrow_point] as ls union all select null, null, null, null, null, null, null"),
               {.dictionaries = true});
  EXPECT_EQ(
      read_by(*reader, std::move(batches), "v, l, s, epoch_us(z), y, e, ls"),
      (std::vector<std::string>{"1 year 2 days 00:00:03.5|[1, NULL, 3]|{'x': 7, 'name': x}|1709200800123456|\\x00\\xFF"
                                "|large|[{'x': 1, 'name': NULL}]",
                                "||||||"}));
}

TEST(ArrowInDuckDb, HasEmptyResultsAndManyBatches) {
  const auto reader = a_duckdb();
  SKIP_WITHOUT(reader);
  client db{dsn()};
  EXPECT_EQ(read_by(*reader, db.arrow(sql("select 1 as a, 'x' as b where false")), "count(*), count(b)"),
            std::vector<std::string>{"0|0"});
  EXPECT_EQ(
      read_by(*reader,
              db.arrow(sql("select i, case when i % 10 <> 0 then i::text end as t from generate_series(1, 1000000) i"),
                       {.max_rows = 10'000}),
              "count(*), sum(i), count(t), sum(t::bigint)"),
      std::vector<std::string>{
          psql("select count(*), sum(i), count(t), sum(t::bigint) from (select i, case when i % 10 "
               "<> 0 then i::text end as t from generate_series(1, 1000000) i) q")});
}

TEST(ArrowInDuckDb, ReportsTheErrorOfTheServer) {
  const auto reader = a_duckdb();
  SKIP_WITHOUT(reader);
  client db{dsn()};
  try {
    (void)read_by(*reader, db.arrow(sql("select 1 / (100000 - i) as q from generate_series(1, 200000) i")), "sum(q)");
    FAIL() << "no error";
  } catch (const std::runtime_error& why) {
    EXPECT_NE(std::string{why.what()}.find("division by zero"), std::string::npos) << why.what();
  }
}

/// What apache-arrow reads of an IPC stream: a line for the schema, and one for each row.
std::vector<std::string> read_by_apache(const std::string& folder, arrow_reader batches) {
  const sluice::test::temporary_folder place;
  {
    std::ofstream to{place.path("stream"), std::ios::binary};
    (void)write_arrow(batches, to);
  }
  const auto done = sluice::test::shell("node " SLUICE_SOURCE "/tests/readers/read_ipc.mjs '" + folder + "' < " +
                                        place.path("stream"));
  EXPECT_EQ(done.status, 0) << done.err;
  return lines_of(done.out);
}

TEST(ArrowInApacheArrow, HasEveryTypeOfAnIpcStream) {
  const std::string folder = readers();
  SKIP_WITHOUT(!folder.empty());
  psql("create type arrow_color as enum ('red', 'blue'); create type arrow_pixel as (x int4, color arrow_color)");
  client db{dsn()};
  arrow_reader batches = db.arrow(
      sql("select q.* from generate_series(1, 3) i left join (select true as b, 1::int2 as i2, -2 as i4, 3::int8 as "
          "i8, "
          "4294967295::oid as o, 1.5::float4 as f4, -0.1::float8 as f8, -12.5::numeric(10,3) as n, 'text' as t, "
          "'{\"a\": 1}'::jsonb as j, '00010203-0405-0607-0809-0a0b0c0d0e0f'::uuid as u, 'ab'::bytea as y, "
          "date '1969-12-31' as d, time '00:00:01' as ti, timestamp '1970-01-01 00:00:01.000001' as ts, "
          "timestamptz '1969-12-31 23:59:59+00' as tz, interval '1 year 2 days 3.000004 s' as v, array[1, null, 3] as "
          "l, "
          "row(7, 'blue')::arrow_pixel as s, 'red'::arrow_color as e) q on i <> 2"),
      {.max_rows = 2, .dictionaries = true});
  const std::string row =
      "(t,1,-2,3,4294967295,1.5,-0.1,-12.500,text,{\"a\": "
      "1},00010203-0405-0607-0809-0a0b0c0d0e0f,ab,-1,1000000,1000001,"
      "-1000000,12 2 3000004000,{1,NULL,3},(7,blue),red)";
  std::string nulls = "(NULL";
  for (int i = 1; i < 20; ++i) nulls += ",NULL";
  const std::vector<std::string> lines = read_by_apache(folder, std::move(batches));
  ASSERT_EQ(lines.size(), 4U) << testing::PrintToString(lines);
  EXPECT_NE(lines[0].find("tz: Timestamp<MICROSECOND, UTC>"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[1], row);
  EXPECT_EQ(lines[2], nulls + ')');
  EXPECT_EQ(lines[3], row);
}

TEST(ArrowInApacheArrow, HasEmptyResultsAndManyBatches) {
  const std::string folder = readers();
  SKIP_WITHOUT(!folder.empty());
  client db{dsn()};
  EXPECT_EQ(read_by_apache(folder, db.arrow(sql("select 1 as a, 'x' as b where false"))),
            std::vector<std::string>{"a: Int32; b: Utf8"});
  const std::vector<std::string> lines = read_by_apache(
      folder, db.arrow(sql("select i, nullif(i % 3, 0) as m from generate_series(1, 5000) i"), {.max_rows = 999}));
  ASSERT_EQ(lines.size(), 5001U);
  EXPECT_EQ(lines[1], "(1,1)");
  EXPECT_EQ(lines[3], "(3,NULL)");
  EXPECT_EQ(lines[5000], "(5000,2)");
}

#ifdef SLUICE_COMMAND
TEST(ArrowInApacheArrow, HasWhatTheCommandWrites) {
  const std::string folder = readers();
  SKIP_WITHOUT(!folder.empty());
  psql("create table arrow_told (id int4, host inet); insert into arrow_told values (1, '::1'), (2, null)");
  for (const char* mode : {" --mode plain", " --mode paged", " --mode bulk", " --parallel 2"}) {
    const auto done = sluice::test::shell(std::string{SLUICE_COMMAND} + " arrow_told --format arrow" + mode +
                                          " | node " SLUICE_SOURCE "/tests/readers/read_ipc.mjs '" + folder + "'");
    EXPECT_EQ(lines_of(done.out), (std::vector<std::string>{"id: Int32; host: Utf8", "(1,::1)", "(2,NULL)"}))
        << mode << done.err;
  }
  const auto failed =
      sluice::test::shell(std::string{"set -o pipefail; "} + SLUICE_COMMAND +
                          " --sql 'select 1 / (3 - i) as q from generate_series(1, 9) i' --format arrow | "
                          "node " SLUICE_SOURCE "/tests/readers/read_ipc.mjs '" +
                          folder + "'");
  EXPECT_EQ(failed.status, 7) << failed.err;
  EXPECT_EQ(lines_of(failed.out), (std::vector<std::string>{"q: Int32", "(0)", "(1)"}));
}
#endif

}  // namespace
}  // namespace arrow_readers_test
