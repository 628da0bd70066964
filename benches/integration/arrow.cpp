// Rows of columns as Arrow batches, on a real server. Beside each the limit: the same columns in the binary format,
// whose rows are counted and not looked at; and the same as text. A million rows of eight columns, and of lineitem:
// numbers, decimals, dates and text. JSON objects of the same columns, made here or by the server and parsed here, are
// what an application without columns would do.
//
// For those two tables also: psql's binary COPY to /dev/null, and ADBC drivers: ours, if the build has it, and the one
// whose library SLUICE_BENCH_ADBC_DRIVER names (that of another project, say).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <sluice/arrow/reader.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/json.hpp>
#include <string>
#include <utility>

#include "any_driver.hpp"
#include "reading.hpp"

namespace {

using sluice::fetch_mode;
using sluice::bench::dsn;
using sluice::bench::tally;

struct shape {
  const char* name;
  const char* sql;
};
constexpr shape shapes[]{
    {"mixed", "select * from bench.columns_1m"},
    {"numbers",
     "select i, i::int8 * 7 as b, i / 3.0::float8 as f, i::int2 as s from (select (id % 30000)::int4 as i from "
     "bench.columns_1m) q"},
    {"text", "select name, status, name || status as both from bench.columns_1m"},
    {"timestamps", "select created_at, created_at::timestamp as local, created_at::date as day from bench.columns_1m"},
    {"lineitem", "select * from bench.lineitem_1m"},
};

void rows_unseen(benchmark::State& state, const sluice::query& what, fetch_mode mode) {
  sluice::client db{dsn()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    sluice::row_range rows = db.stream(what, {.mode = mode});
    while (const sluice::chunk some = rows.next())
      for (const sluice::row each : some) {
        benchmark::DoNotOptimize(each.body());
        counted.row(0);
      }
    counted.end();
  }
  counted.report(state);
}

void as_arrow(benchmark::State& state, const sluice::query& what, fetch_mode mode) {
  sluice::client db{dsn()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    sluice::arrow_reader batches = db.arrow(what, {}, {.mode = mode});
    while (const sluice::arrow_batch batch = batches.next()) {
      benchmark::DoNotOptimize(batch.array().children);
      for (std::size_t i = 0; i < batch.rows(); ++i) counted.row(0);
    }
    counted.end();
  }
  counted.report(state);
}

/// A value as what it is, so that numbers and escapes are parsed.
void look_at(simdjson::ondemand::value value) {
  using simdjson::ondemand::json_type;
  switch (value.type()) {
    case json_type::string: return benchmark::DoNotOptimize(value.get_string().value());
    case json_type::number: return benchmark::DoNotOptimize(value.get_double().value());
    case json_type::boolean: return benchmark::DoNotOptimize(value.get_bool().value());
    default: return benchmark::DoNotOptimize(value.raw_json_token());
  }
}

/// Every value of every object.
void as_parsed_json(benchmark::State& state, const sluice::query& what) {
  sluice::client db{dsn()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    for (const sluice::row each : db.stream(what)) {
      sluice::json_document document = each.json();
      for (auto field : document.get_object()) look_at(field.value());
      counted.row(0);
    }
    counted.end();
  }
  counted.report(state);
}

/// As a whole process; the processor's time is that process's.
void by_psql(benchmark::State& state, const std::string& sql) {
  const std::string command =
      "psql -Xqd '" + dsn() + "' -c \"copy (" + sql + ") to stdout (format binary)\" >/dev/null";
  const double before = sluice::bench::processor_seconds(RUSAGE_CHILDREN);
  for (auto _ : state)
    if (std::system(command.c_str()) != 0) state.SkipWithError("psql failed");
  const double used = sluice::bench::processor_seconds(RUSAGE_CHILDREN) - before;
  state.counters["cpu_ns_per_row"] = used / 1e6 / static_cast<double>(state.iterations()) * 1e9;
}

void by_driver(benchmark::State& state, const std::string& library, const std::string& sql, bool in_bulk) {
  sluice::bench::any_driver db{library, dsn()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    db.read(sql, in_bulk ? "sluice.fetch_mode" : "", "bulk", [&](const ArrowArray& batch) {
      benchmark::DoNotOptimize(batch.children);
      for (std::int64_t i = 0; i < batch.length; ++i) counted.row(0);
    });
    counted.end();
  }
  counted.report(state);
}

template <class Run>
void add(const std::string& name, const Run& run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime()->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const shape& each : shapes) {
    const sluice::query what = sluice::sql(each.sql);
    const std::string name = std::string{"/"} + each.name;
    for (const auto& [suffix, mode] : {std::pair{"", fetch_mode::plain}, std::pair{"_bulk", fetch_mode::bulk}}) {
      add(std::string{"unseen"} + suffix + name,
          [what, mode = mode](benchmark::State& state) { rows_unseen(state, sluice::query{what}.as_columns(), mode); });
      add(std::string{"arrow"} + suffix + name,
          [what, mode = mode](benchmark::State& state) { as_arrow(state, what, mode); });
    }
    add("text" + name, [what](benchmark::State& state) {
      rows_unseen(state, sluice::query{what}.as_text_columns(), fetch_mode::plain);
    });
    add("json" + name, [what](benchmark::State& state) { as_parsed_json(state, sluice::query{what}.as_object()); });
  }
  for (const shape& each : {shapes[0], shapes[std::size(shapes) - 1]}) {
    const std::string name = std::string{"/"} + each.name;
    const std::string text = each.sql;
    add("psql_copy" + name, [text](benchmark::State& state) { by_psql(state, text); });
    const sluice::query objects = sluice::sql("select row_to_json(q) from (" + text + ") q").as_document();
    add("row_to_json" + name, [objects](benchmark::State& state) { as_parsed_json(state, objects); });
#ifdef SLUICE_ADBC_DRIVER
    for (const bool in_bulk : {false, true})
      add((in_bulk ? "adbc_bulk" : "adbc") + name,
          [text, in_bulk](benchmark::State& state) { by_driver(state, SLUICE_ADBC_DRIVER, text, in_bulk); });
#endif
    if (const char* const other = std::getenv("SLUICE_BENCH_ADBC_DRIVER"))
      add("adbc_of_others" + name,
          [text, library = std::string{other}](benchmark::State& state) { by_driver(state, library, text, false); });
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
