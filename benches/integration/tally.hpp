#pragma once
// What one client of a benchmark measures over all its rounds.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice::bench {

/// @param whose  RUSAGE_SELF, or RUSAGE_CHILDREN: of those that have ended
inline double processor_seconds(int whose = RUSAGE_SELF) {
  rusage used{};
  ::getrusage(whose, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Adds up one client's measurements.
class tally {
 public:
  void begin() { began_ = std::chrono::steady_clock::now(); }
  void row(std::size_t bytes) {
    if (is_first_) first_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    is_first_ = false;
    ++rows_;
    bytes_ += bytes;
  }
  void end() { is_first_ = true; }
  void report(benchmark::State& state) const {
    const auto rounds = static_cast<double>(state.iterations());
    const auto rows = static_cast<double>(rows_);
    state.counters["rows"] = rows / rounds;
    state.counters["rows_per_s"] = benchmark::Counter(rows, benchmark::Counter::kIsRate);
    state.counters["MB_per_s"] = benchmark::Counter(static_cast<double>(bytes_) / 1e6, benchmark::Counter::kIsRate);
    state.counters["cpu_ns_per_row"] = (processor_seconds() - before_) / rows * 1e9;
    state.counters["first_row_us"] = first_ / rounds * 1e6;
  }

 private:
  std::chrono::steady_clock::time_point began_{};
  double before_{processor_seconds()};
  double first_{};
  bool is_first_{true};
  std::uint64_t rows_{};
  std::uint64_t bytes_{};
};

}  // namespace sluice::bench
