// Changes of half a million rows of eight columns, inserted in one transaction: handed out without looking at the rows,
// and as JSON; beside pg_recvlogical, which writes the plug-in's messages to /dev/null, and npm's
// pg-logical-replication, which makes objects of them (follow.js; SLUICE_BENCH_NODE names the folder in which it is
// installed), each on a copy of the same slot.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <sluice/sluice.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/single_row.hpp>
#include <string>

#include "server.hpp"
#include "tally.hpp"

namespace {

using sluice::bench::dsn;
using sluice::bench::tally;

constexpr std::uint64_t rows = 500'000;

/// The slot's copy that one run uses up.
class slot_for_a_run {
 public:
  slot_for_a_run() {
    static const bool is_made = make();
    (void)is_made;
    db_.execute("select pg_copy_logical_replication_slot('bench_changes', 'bench_run')");
  }
  ~slot_for_a_run() {
    db_.execute(
        "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = 'bench_run' and "
        "active_pid is not null");
    db_.execute("select pg_drop_replication_slot('bench_run')");
  }
  slot_for_a_run(const slot_for_a_run&) = delete;
  slot_for_a_run& operator=(const slot_for_a_run&) = delete;

  [[nodiscard]] std::string end() {
    return sluice::value<std::string>(db_, sluice::sql("select pg_current_wal_flush_lsn()::text"));
  }

 private:
  static bool make() {
    sluice::client db{dsn()};
    db.execute(
        "create table bench_changed (id bigint primary key, a int, b text, c numeric, d timestamptz, e bool, f float8, "
        "g jsonb); create publication bench_changes for table bench_changed");
    db.execute("select pg_create_logical_replication_slot('bench_changes', 'pgoutput')");
    db.execute(
        "set synchronous_commit = on; insert into bench_changed select n, n, 'text ' || n, n * 1.25, now(), n % 2 = 0, "
        "n / 3.0, jsonb_build_object('n', n) from generate_series(1, " +
        std::to_string(rows) + ") n");
    return true;
  }

  sluice::client db_{dsn()};
};

template <class Use>
void follow(benchmark::State& state, const Use& use) {
  tally counted;
  for (auto _ : state) {
    state.PauseTiming();
    const slot_for_a_run slot;
    state.ResumeTiming();
    counted.begin();
    sluice::change_options how;
    how.slot = "bench_run";
    how.publications.emplace_back("bench_changes");
    sluice::blocking_change_stream changes{dsn(), how};
    std::uint64_t seen = 0;
    while (seen < rows) {
      const sluice::change_chunk some = changes.next();
      for (const sluice::change each : some) {
        counted.row(use(each));
        ++seen;
      }
    }
    counted.end();
    state.PauseTiming();
    changes.close();
    state.ResumeTiming();
  }
  counted.report(state);
}

void changes_unread(benchmark::State& state) {
  follow(state, [](const sluice::change&) { return std::size_t{0}; });
}
void changes_as_json(benchmark::State& state) {
  follow(state, [](const sluice::change& each) { return each.text().size(); });
}

/// As a whole process; the processor's time is that process's.
/// @param command  of the end of the server's log
template <class Command>
void follow_by(benchmark::State& state, const Command& command) {
  const double before = sluice::bench::processor_seconds(RUSAGE_CHILDREN);
  for (auto _ : state) {
    state.PauseTiming();
    slot_for_a_run slot;
    const std::string line = command(slot.end());
    state.ResumeTiming();
    if (std::system(line.c_str()) != 0) state.SkipWithError("the other client failed");
  }
  const auto all = static_cast<double>(rows * static_cast<std::uint64_t>(state.iterations()));
  state.counters["cpu_ns_per_row"] = (sluice::bench::processor_seconds(RUSAGE_CHILDREN) - before) / all * 1e9;
}

void changes_by_pg_recvlogical(benchmark::State& state) {
  follow_by(state, [](const std::string& end) {
    return "pg_recvlogical -d '" + dsn() +
           "' -S bench_run --start -o proto_version=1 -o publication_names=bench_changes -E " + end +
           " -f - > /dev/null";
  });
}

/// @param how  "each": as it does by itself, it acknowledges every message
void changes_by_node(benchmark::State& state, const char* how) {
  const char* const command = std::getenv("SLUICE_BENCH_NODE");
  if (command == nullptr) return state.SkipWithError("SLUICE_BENCH_NODE is not set");
  follow_by(state, [&](const std::string&) {
    return std::string{command} + " bench_run bench_changes " + std::to_string(rows) + ' ' + how;
  });
}

BENCHMARK(changes_unread)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(changes_as_json)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(changes_by_pg_recvlogical)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(changes_by_node, acknowledging_each, "each")
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(changes_by_node, acknowledging_none, "none")
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
