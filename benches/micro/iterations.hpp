#pragma once
// How often a benchmark's loop runs: as often as a time measurement needs, or exactly as often as requested, so that
// instructions can be counted.
#include <benchmark/benchmark.h>

#include <cstdlib>

namespace sluice::bench {

inline const char* asked_iterations() { return std::getenv("SLUICE_BENCH_ITERATIONS"); }

inline void as_asked(benchmark::internal::Benchmark* each) {
  if (const char* const count = asked_iterations()) each->Iterations(std::atol(count));
}

}  // namespace sluice::bench
