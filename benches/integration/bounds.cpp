// The effects of limits: the size of the receive buffer, a consumer that is slower than the server, and this process's
// memory after every tenth of a million rows.
#include <benchmark/benchmark.h>

#include <chrono>
#include <sluice/sluice.hpp>
#include <string>
#include <thread>

#include "process.hpp"
#include "server.hpp"

namespace {

double resident_mib() { return static_cast<double>(sluice::test::resident_bytes()) / (1U << 20U); }

/// @param state  range: the size of the buffer, in bytes
void buffer_size(benchmark::State& state) {
  sluice::connection_options options;
  options.buffer_bytes = options.first_buffer_bytes = static_cast<std::size_t>(state.range(0));
  sluice::client db{sluice::bench::dsn(), options};
  std::uint64_t reads = 0;
  for (auto _ : state) {
    sluice::row_range rows = db.stream(sluice::from("v_test_100k_json"));
    while (const sluice::chunk chunk = rows.next())
      for (const sluice::row each : chunk) benchmark::DoNotOptimize(each.text().data());
    reads += rows.stats().reads;
  }
  state.counters["reads"] = static_cast<double>(reads) / static_cast<double>(state.iterations());
}

void memory_of_a_million_rows(benchmark::State& state) {
  sluice::client db{sluice::bench::dsn()};
  for (auto _ : state) {
    sluice::row_range rows = db.stream(sluice::from("v_test_1m"));
    std::uint64_t count = 0;
    int tenth = 1;
    while (const sluice::chunk chunk = rows.next()) {
      for ([[maybe_unused]] const sluice::row each : chunk) ++count;
      if (count < static_cast<std::uint64_t>(tenth) * 100'000) continue;
      state.counters["MiB_at_" + std::to_string(tenth * 10)] = resident_mib();
      ++tenth;
    }
  }
}

/// 100,000 rows, with a pause of a millisecond after every 1,000: the server must wait, and memory must not grow.
void slow_consumer(benchmark::State& state) {
  sluice::client db{sluice::bench::dsn()};
  for (auto _ : state) {
    sluice::row_range rows = db.stream(sluice::from("v_test_100k"));
    std::uint64_t count = 0;
    while (const sluice::chunk chunk = rows.next())
      for ([[maybe_unused]] const sluice::row each : chunk)
        if (++count % 1'000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    state.counters["buffer_peak_KiB"] = static_cast<double>(rows.stats().buffer_peak) / 1024;
    state.counters["consumer_share"] =
        static_cast<double>(rows.stats().consumer.count()) / static_cast<double>(rows.stats().elapsed.count());
  }
}

BENCHMARK(buffer_size)->RangeMultiplier(4)->Range(4U << 10U, 4U << 20U)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(slow_consumer)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(memory_of_a_million_rows)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
