// Rows of columns as Arrow batches, on a real server. Beside each the limit: the same columns in the binary format,
// whose rows are counted and not looked at; and the same as text. A million rows of eight columns, and of lineitem's
// shape: numbers, decimals, dates and text. JSON objects of the same columns, parsed here, are what an application
// without columns would do.
#include <benchmark/benchmark.h>

#include <sluice/arrow/reader.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/json.hpp>
#include <string>
#include <utility>

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
    {"lineitem",
     "select id::int4 as orderkey, age::int4 as partkey, 4::int4 as linenumber, (id % 50)::numeric(15,2) as "
     "quantity, total::numeric(15,2) as price, 0.04::numeric(15,2) as discount, 'N'::char(1) as flag, "
     "created_at::date as shipdate, 'DELIVER IN PERSON'::char(25) as instruct, status as comment from "
     "bench.columns_1m"},
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

/// Every value of every object.
void as_parsed_json(benchmark::State& state, const sluice::query& what) {
  sluice::client db{dsn()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    for (const sluice::row each : db.stream(what)) {
      sluice::json_document document = each.json();
      for (auto field : document.get_object()) benchmark::DoNotOptimize(field.value().raw_json_token());
      counted.row(0);
    }
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
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
