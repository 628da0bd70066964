// The cost of iterating over a chunk, and of a copy that owns its bytes, by the number of rows.
#include <benchmark/benchmark.h>

#include <string>

#include "iterations.hpp"
#include "received_rows.hpp"

namespace {

/// @param state  range: the number of rows, 120 bytes each
sluice::bench::received_rows some(benchmark::State& state) {
  return {static_cast<std::size_t>(state.range(0)), [](std::size_t) { return '"' + std::string(118, 'x') + '"'; }};
}

void walk_chunk(benchmark::State& state) {
  const sluice::bench::received_rows rows = some(state);
  for (auto _ : state)
    for (const sluice::row each : rows.chunk()) benchmark::DoNotOptimize(each.text().data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void detach_chunk(benchmark::State& state) {
  const sluice::bench::received_rows rows = some(state);
  for (auto _ : state) benchmark::DoNotOptimize(rows.chunk().detach());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(walk_chunk)->Apply(sluice::bench::as_asked)->Arg(1)->Arg(16)->Arg(256)->Arg(4'096);
BENCHMARK(detach_chunk)->Apply(sluice::bench::as_asked)->Arg(1)->Arg(16)->Arg(256)->Arg(4'096);

}  // namespace
