// Runs all micro benchmarks. With a number of iterations under callgrind, it marks the end of each benchmark and prints
// nothing, so that the counts are those of the benchmark alone.
#include <benchmark/benchmark.h>

#include <vector>

#include "iterations.hpp"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_DUMP_STATS_AT(name)
#define CALLGRIND_ZERO_STATS
#endif

namespace {

class dumping : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override {
    CALLGRIND_ZERO_STATS;
    return true;
  }
  void ReportRuns(const std::vector<Run>& report) override {
    const std::string name = report.front().benchmark_name();
    CALLGRIND_DUMP_STATS_AT(name.c_str());
  }
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  if (sluice::bench::asked_iterations() == nullptr) {
    benchmark::RunSpecifiedBenchmarks();
  } else {
    dumping reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
  }
  return 0;
}
