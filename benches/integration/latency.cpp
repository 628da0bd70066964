// How long a query of one row by its key takes when queries come at a given share of what eight connections of one
// thread can do: through a pool, and by pgbench. A query's time begins when it was due, not when it could be sent, so
// that a delay counts for all queries behind it.
#include <benchmark/benchmark.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sluice/sluice.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

#include "accounts.hpp"
#include "open_loop.hpp"
#include "rethrow.hpp"
#include "server.hpp"

namespace {

using sluice::bench::by_key;
using sluice::bench::dsn;
using sluice::bench::load_accounts;
using sluice::bench::microseconds;
using sluice::bench::rethrow;
using clock = std::chrono::steady_clock;

constexpr std::size_t connections = 8;
constexpr std::chrono::seconds duration{2};

/// A pool that has all its connections.
class warm_pool {
 public:
  warm_pool() {
    asio::co_spawn(context, lent.warm_up(), rethrow);
    context.run();
    context.restart();
  }
  ~warm_pool() { lent.close(); }
  warm_pool(const warm_pool&) = delete;
  warm_pool& operator=(const warm_pool&) = delete;

  asio::io_context context{1};
  sluice::pool lent{context.get_executor(), dsn(), sluice::bench::of_size(connections), sluice::bench::prepared()};
};

asio::awaitable<void> ask(sluice::pool& from, int key) {
  sluice::pooled_connection on = co_await from.acquire();
  sluice::row_stream rows = co_await on->stream(by_key(key));
  while (const sluice::chunk some = co_await rows.next())
    for (const sluice::row each : some) benchmark::DoNotOptimize(each.get<int>(0));
}

asio::awaitable<void> ask_until(sluice::pool& from, clock::time_point end, std::uint64_t& count) {
  while (clock::now() < end) {
    co_await ask(from, static_cast<int>(count % 100'000));
    ++count;
  }
}

/// Queries per second when each connection has always one.
double capacity() {
  static const double found = [] {
    warm_pool pool;
    std::uint64_t count = 0;
    const clock::time_point end = clock::now() + duration;
    for (std::size_t i = 0; i < connections; ++i)
      asio::co_spawn(pool.context, ask_until(pool.lent, end, count), rethrow);
    pool.context.run();
    return static_cast<double>(count) / std::chrono::duration<double>(duration).count();
  }();
  return found;
}

asio::awaitable<void> ask_and_measure(sluice::pool& from, int key, clock::time_point due, microseconds& took) {
  co_await ask(from, key);
  took.push_back(sluice::bench::microseconds_since(due));
}

/// Starts each query when it is due, whether or not those before have been answered.
asio::awaitable<void> ask_at_a_rate(warm_pool& of, double rate, microseconds& took) {
  const auto count = static_cast<int>(rate * std::chrono::duration<double>(duration).count());
  return sluice::bench::at_a_rate(rate, count, [&](int key, clock::time_point due) {
    asio::co_spawn(of.context, ask_and_measure(of.lent, key, due, took), rethrow);
  });
}

void report(benchmark::State& state, microseconds times, double rate) {
  const sluice::bench::percentiles took{std::move(times)};
  state.SetIterationTime(took.at(0.5) * 1e-6);
  state.counters["p50_us"] = took.at(0.5);
  state.counters["p99_us"] = took.at(0.99);
  state.counters["queries_per_s"] = rate;
}

/// At as many percent of the capacity as its argument says.
void through_a_pool(benchmark::State& state) {
  load_accounts();
  const double rate = capacity() * static_cast<double>(state.range(0)) / 100;
  for (auto _ : state) {
    warm_pool pool;
    microseconds took;
    asio::co_spawn(pool.context, ask_at_a_rate(pool, rate, took), rethrow);
    pool.context.run();
    report(state, std::move(took), rate);
  }
}

/// The times in the logs of pgbench, each from when the transaction was due.
microseconds logged(const std::filesystem::path& folder) {
  microseconds took;
  for (const auto& each : std::filesystem::directory_iterator{folder}) {
    std::ifstream log{each.path()};
    for (std::string line; std::getline(log, line);) {
      std::istringstream fields{line};
      double client = 0;
      double number = 0;
      double time = 0;
      if (!(fields >> client >> number >> time)) throw std::runtime_error{"not a log of pgbench: " + line};
      took.push_back(time);
    }
  }
  return took;
}

/// At the same rate as the pool.
void by_pgbench(benchmark::State& state) {
  load_accounts();
  const double rate = capacity() * static_cast<double>(state.range(0)) / 100;
  for (auto _ : state) {
    const std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                         ("sluice-latency-" + std::to_string(clock::now().time_since_epoch().count()));
    std::filesystem::create_directory(folder);
    const std::string command = "pgbench -n -S -M prepared -j 1 -c " + std::to_string(connections) + " -T " +
                                std::to_string(duration.count()) + " -R " + std::to_string(rate) +
                                " -l --log-prefix='" + (folder / "log").string() + "' '" + dsn() + "' > /dev/null 2>&1";
    const int status = std::system(command.c_str());
    microseconds took = logged(folder);
    std::filesystem::remove_all(folder);
    if (status != 0) throw std::runtime_error{"pgbench has failed"};
    report(state, std::move(took), rate);
  }
}

BENCHMARK(through_a_pool)->Arg(50)->Arg(80)->Arg(100)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(by_pgbench)->Arg(50)->Arg(80)->Arg(100)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
