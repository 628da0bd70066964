// Whole relations of sql/bench.sql from a real server, by sluice and by libpq in single-row mode: rows per second, the
// client's processor time per row, and the time to the first row. json is sent as it is stored. For jsonb, the server
// builds the text, which takes longer than either client needs to read it. Eight columns arrive either as one object
// made by this client, or as columns; libpq gets objects that the server has made.
#include <benchmark/benchmark.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <sluice/sluice.hpp>
#include <string>

#include "reading.hpp"

namespace {

using sluice::bench::by_libpq;
using sluice::bench::by_sluice;
using sluice::bench::tally;

asio::awaitable<void> stream_all(benchmark::State& state, sluice::query what, tally& counted) {
  sluice::connection db = co_await sluice::connect(sluice::bench::dsn());
  for (auto _ : state) {
    counted.begin();
    sluice::row_stream rows = co_await db.stream(what);
    while (const sluice::chunk chunk = co_await rows.next())
      for (const sluice::row each : chunk) counted.row(each.text().size());
    counted.end();
  }
}

void by_sluice_coroutine(benchmark::State& state, const sluice::query& what) {
  tally counted;
  asio::io_context context{1};
  auto done = asio::co_spawn(context, stream_all(state, what, counted), asio::use_future);
  context.run();
  done.get();
  counted.report(state);
}

void by_sluice_as_columns(benchmark::State& state, const std::string& sql) {
  sluice::client db{sluice::bench::dsn()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    for (const sluice::row row : db.stream(sluice::sql(sql).as_columns())) {
      const auto name = row.get<std::string_view>(1);
      counted.row(name.size() + sizeof(row.get<std::int32_t>(0)) + sizeof(row.get<std::int32_t>(3)));
    }
    counted.end();
  }
  counted.report(state);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const std::string view : {"v_test_1k", "v_test_10k", "v_test_100k", "v_test_1m", "v_test_1k_json",
                                 "v_test_10k_json", "v_test_100k_json", "v_test_1m_json", "v_mid", "v_nested",
                                 "v_doc_46k", "v_large_10k", "v_large_100k", "v_large_1m", "v_large_50m"}) {
    const std::string sql = "select data from " + view;
    benchmark::RegisterBenchmark((view + "/sluice").c_str(),
                                 [view](benchmark::State& state) { by_sluice(state, sluice::from(view)); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((view + "/sluice_coroutine").c_str(),
                                 [view](benchmark::State& state) { by_sluice_coroutine(state, sluice::from(view)); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((view + "/libpq").c_str(), [sql](benchmark::State& state) { by_libpq(state, sql); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  const std::string wide = "select * from v_wide";
  benchmark::RegisterBenchmark("v_wide/sluice",
                               [&](benchmark::State& state) { by_sluice(state, sluice::sql(wide).as_object()); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("v_wide/sluice_columns",
                               [&](benchmark::State& state) { by_sluice_as_columns(state, wide); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("v_wide/libpq",
                               [&](benchmark::State& state) { by_libpq(state, "select row_to_json(v) from v_wide v"); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
