// Many streams at once on one thread, of a real server that allows a thousand connections (ci/bench starts one): a
// million rows for all of them together, and how much longer the slowest took than the fastest. Beside it a loop that
// reads as many sessions without looking at what they say: most of the time of many short streams is the server's.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <sluice/sluice.hpp>
#include <string>
#include <utility>

#include "bare_session.hpp"
#include "rethrow.hpp"
#include "server.hpp"
#include "tally.hpp"

namespace {

using sluice::bench::bare_loop;
using sluice::bench::bare_session;
using sluice::bench::dsn;
using sluice::bench::rethrow;
using sluice::bench::tally;
using clock = std::chrono::steady_clock;

constexpr std::int64_t rows = 1'000'000;

/// The streams of one round.
struct round_of_streams {
  std::deque<sluice::connection> on{};
  tally& counted;
  clock::duration fastest{clock::duration::max()};
  clock::duration slowest{};
};

asio::awaitable<void> connect(round_of_streams& to) {
  sluice::connection made = co_await sluice::connect(dsn());
  to.on.push_back(std::move(made));
}

asio::awaitable<void> read(sluice::connection& on, const sluice::query& what, round_of_streams& of,
                           clock::time_point began) {
  sluice::row_stream all = co_await on.stream(what);
  while (const sluice::chunk some = co_await all.next())
    for (const sluice::row each : some) of.counted.row(each.text().size());
  const clock::duration took = clock::now() - began;
  of.fastest = std::min(of.fastest, took);
  of.slowest = std::max(of.slowest, took);
}

/// As many as its argument says.
void streams(benchmark::State& state) {
  const sluice::query part =
      sluice::sql("select data from v_test_1m_json limit $1", rows / state.range(0)).as_document();
  tally counted;
  double unfairness = 0;
  for (auto _ : state) {
    asio::io_context context{1};
    round_of_streams of{.counted = counted};
    for (std::int64_t i = 0; i < state.range(0); ++i) asio::co_spawn(context, connect(of), rethrow);
    context.run();
    const auto began = clock::now();
    counted.begin();
    for (sluice::connection& each : of.on) asio::co_spawn(context, read(each, part, of, began), rethrow);
    context.restart();
    context.run();
    counted.end();
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
    unfairness += static_cast<double>(of.slowest.count()) / static_cast<double>(of.fastest.count());
  }
  counted.report(state);
  state.counters["slowest_of_fastest"] = unfairness / static_cast<double>(state.iterations());
}

/// The same by a loop over bare sessions.
void by_a_bare_loop(benchmark::State& state) {
  const std::string ask = bare_session::message(
      "Q", "select data from v_test_1m_json limit " + std::to_string(rows / state.range(0)) + '\0');
  std::size_t bytes = 0;
  for (auto _ : state) {
    bare_loop loop{static_cast<std::size_t>(state.range(0))};
    const auto began = clock::now();
    for (const bare_session& each : loop.sessions()) each.write(ask);
    bytes += loop.run([](const bare_session& /*each*/) { return false; });
    state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count());
  }
  benchmark::DoNotOptimize(bytes);
}

BENCHMARK(streams)->Arg(1)->Arg(16)->Arg(256)->Arg(1000)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(by_a_bare_loop)
    ->Arg(1)
    ->Arg(16)
    ->Arg(256)
    ->Arg(1000)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
