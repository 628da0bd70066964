// What conditions and projections save: the same question answered by the server and by the client, by the fraction of
// the rows of v_bucket_1m that match (its column has an index), and by the fraction of each document of v_nested that
// is selected.
#include <benchmark/benchmark.h>

#include <sluice/sluice.hpp>

#include "server.hpp"

namespace {

void stream(benchmark::State& state, const sluice::query& what) {
  sluice::client db{sluice::bench::dsn()};
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    sluice::row_range all = db.stream(what);
    while (const sluice::chunk chunk = all.next())
      for (const sluice::row each : chunk) {
        ++rows;
        bytes += each.text().size();
      }
  }
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["rows"] = static_cast<double>(rows) / rounds;
  state.counters["document_MB"] = static_cast<double>(bytes) / rounds / 1e6;
}

/// @param state  range: how many of the 1,000 buckets match
void filter_on_the_server(benchmark::State& state) {
  stream(state, sluice::from("v_bucket_1m").where(sluice::column("bucket") < state.range(0)));
}

void filter_on_the_client(benchmark::State& state) {
  const sluice::predicate wanted = sluice::field("bucket") < state.range(0);
  stream(state, sluice::from("v_bucket_1m").where(wanted.on_client()));
}

void whole_documents(benchmark::State& state) { stream(state, sluice::from("v_nested")); }
void two_fields_of_them(benchmark::State& state) {
  stream(state, sluice::from("v_nested").select("id", "customer.address.city"));
}

BENCHMARK(filter_on_the_server)->Arg(1'000)->Arg(100)->Arg(10)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(filter_on_the_client)->Arg(1'000)->Arg(100)->Arg(10)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(whole_documents)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(two_fields_of_them)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
