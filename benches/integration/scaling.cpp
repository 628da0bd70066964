// A million rows faster than one plain query: by COPY in the binary format, and over two connections that read one
// snapshot; beside what reads them on one connection, in the same run.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <sluice/sluice.hpp>
#include <string>

#include "libpqxx_stream.hpp"
#include "server.hpp"

namespace {

using sluice::fetch_mode;
using sluice::bench::dsn;

/// Rows of one reading.
class counter {
 public:
  void row(const char* text, std::size_t size) {
    benchmark::DoNotOptimize(text);
    ++rows_;
    bytes_ += size;
  }
  void report(benchmark::State& state) const {
    state.counters["rows"] = static_cast<double>(rows_) / static_cast<double>(state.iterations());
    state.counters["rows_per_s"] = benchmark::Counter(static_cast<double>(rows_), benchmark::Counter::kIsRate);
    state.counters["MB_per_s"] = benchmark::Counter(static_cast<double>(bytes_) / 1e6, benchmark::Counter::kIsRate);
  }

 private:
  std::uint64_t rows_{0};
  std::uint64_t bytes_{0};
};

template <class Rows>
void count(Rows& rows, counter& seen) {
  while (const sluice::chunk batch = rows.next())
    for (const sluice::row each : batch) seen.row(each.text().data(), each.text().size());
}

void on_one(benchmark::State& state, const std::string& column, fetch_mode mode) {
  sluice::client db{dsn()};
  counter seen;
  for (auto _ : state) {
    sluice::row_range rows = db.stream(sluice::from("bench.test_1m").column(column), {.mode = mode});
    count(rows, seen);
  }
  seen.report(state);
}

void on_many(benchmark::State& state, const std::string& column, fetch_mode mode) {
  counter seen;
  for (auto _ : state) {  // with its connections
    sluice::parallel_range rows{dsn(),
                                sluice::from("bench.test_1m").column(column),
                                {.connections = static_cast<std::uint32_t>(state.range(0)), .query = {.mode = mode}}};
    count(rows, seen);
  }
  seen.report(state);
}

void by_libpq(benchmark::State& state, const std::string& column) {
  sluice::bench::libpq_client db;
  const std::string sql = "select " + column + " from bench.test_1m";
  counter seen;
  for (auto _ : state) db.stream(sql.c_str(), [&](const char* text, std::size_t size) { seen.row(text, size); });
  seen.report(state);
}

/// By stream_from, its fastest way, which is COPY in the text format.
void by_libpqxx(benchmark::State& state) {
  pqxx::connection db{dsn() + " options='-c search_path=bench'"};
  counter seen;
  std::string document;
  for (auto _ : state) {
    pqxx::work transaction{db};
    sluice::bench::libpqxx_stream rows{transaction, "test_1m"};
    while (rows.next(document)) seen.row(document.data(), document.size());
    rows.complete();
  }
  seen.report(state);
}

void timed(benchmark::internal::Benchmark* of) { of->UseRealTime()->Unit(benchmark::kMillisecond); }

BENCHMARK_CAPTURE(on_one, json_plain, "data_json", fetch_mode::plain)->Apply(timed);
BENCHMARK_CAPTURE(on_one, json_bulk, "data_json", fetch_mode::bulk)->Apply(timed);
BENCHMARK_CAPTURE(on_many, json_plain, "data_json", fetch_mode::plain)->Arg(2)->Apply(timed);
BENCHMARK_CAPTURE(on_many, json_bulk, "data_json", fetch_mode::bulk)->Arg(2)->Apply(timed);
BENCHMARK_CAPTURE(by_libpq, json, "data_json")->Apply(timed);
BENCHMARK_CAPTURE(on_one, jsonb_plain, "data", fetch_mode::plain)->Apply(timed);
BENCHMARK_CAPTURE(on_one, jsonb_bulk, "data", fetch_mode::bulk)->Apply(timed);
BENCHMARK_CAPTURE(on_many, jsonb_plain, "data", fetch_mode::plain)->Arg(1)->Arg(2)->Arg(4)->Apply(timed);
BENCHMARK_CAPTURE(on_many, jsonb_bulk, "data", fetch_mode::bulk)->Arg(2)->Apply(timed);
BENCHMARK_CAPTURE(by_libpq, jsonb, "data")->Apply(timed);
BENCHMARK(by_libpqxx)->Apply(timed);

}  // namespace

BENCHMARK_MAIN();
