// 1, 8 or 64 tasks on 8 connections to a real server (SLUICE_TEST_DSN, as ci/with-postgres sets it): what the pool adds
// to the latency of a query. The reference is the simplest possible design: eight workers, each with a connection, that
// take the tasks' queries from one queue. Both wait for the same eight backends. A query's time begins when its task
// asks for it. Also measures the time from the end of such a load until one more query through the pool is answered.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <chrono>
#include <deque>
#include <sluice/sluice.hpp>
#include <sluice/wire/asio_errors.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "server.hpp"

namespace {

using sluice::bench::dsn;

using clock = std::chrono::steady_clock;

constexpr int most_tasks = 64;
constexpr int connections = 8;
constexpr int queries = 12'800;  // for all tasks together

const sluice::query& what() {
  static const sluice::query asked = sluice::sql("select to_json(sum(n)) from generate_series(1, 200) n").as_document();
  return asked;
}

asio::awaitable<void> ask(sluice::connection& on) {
  sluice::row_stream rows = co_await on.stream(what());
  while (const sluice::chunk chunk = co_await rows.next())
    for (const sluice::row each : chunk) benchmark::DoNotOptimize(each.text().data());
}

/// Each query's latency in seconds, and the number of tasks still running.
struct load {
  explicit load(int tasks) : running{tasks}, queries_of_a_task{queries / tasks} {}

  std::vector<double> times;
  int running;
  int queries_of_a_task;
  clock::time_point began{clock::now()};
  clock::time_point ended{};

  void note(clock::time_point since) { times.push_back(std::chrono::duration<double>(clock::now() - since).count()); }
  [[nodiscard]] double at(double share) {
    const auto place = times.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
    std::nth_element(times.begin(), place, times.end());
    return *place;
  }
};

asio::awaitable<void> task_of_the_pool(sluice::pool& from, load& to) {
  for (int i = 0; i < to.queries_of_a_task; ++i) {
    const auto began = clock::now();
    sluice::pooled_connection lent = co_await from.acquire();
    co_await ask(*lent);
    lent.release();
    to.note(began);
  }
  if (--to.running == 0) to.ended = clock::now();
}

asio::awaitable<void> saturate(sluice::pool& from, load& to) {
  co_await from.warm_up();
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const int tasks = to.running;
  for (int i = 0; i < tasks; ++i) asio::co_spawn(on, task_of_the_pool(from, to), asio::detached);
}

/// A queue, and the workers that serve it.
struct counter {
  struct order {
    clock::time_point began;
    asio::steady_timer* done;
  };
  std::deque<order> waiting;
  std::deque<asio::steady_timer*> idle;
};

asio::awaitable<void> worker(counter& at, load& to) {
  sluice::connection own = co_await sluice::connect(dsn());
  asio::steady_timer wake{co_await asio::this_coro::executor};
  while (to.running != 0) {
    if (at.waiting.empty()) {
      at.idle.push_back(&wake);
      wake.expires_at(clock::time_point::max());
      sluice::wire::asio_code woken;
      co_await wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      continue;
    }
    const counter::order next = at.waiting.front();
    at.waiting.pop_front();
    co_await ask(own);
    to.note(next.began);
    next.done->cancel();
  }
}

asio::awaitable<void> task_of_the_workers(counter& at, load& to) {
  asio::steady_timer done{co_await asio::this_coro::executor};
  for (int i = 0; i < to.queries_of_a_task; ++i) {
    done.expires_at(clock::time_point::max());
    at.waiting.push_back({clock::now(), &done});
    if (!at.idle.empty()) {
      at.idle.front()->cancel();
      at.idle.pop_front();
    }
    sluice::wire::asio_code answered;
    co_await done.async_wait(asio::redirect_error(asio::use_awaitable, answered));
  }
  if (--to.running != 0) co_return;
  for (asio::steady_timer* const each : at.idle) each->cancel();
}

sluice::pool_options sizes() {
  return {.min_size = connections, .max_size = connections, .idle_timeout = std::chrono::milliseconds{0}};
}

load through_the_pool(int tasks) {
  asio::io_context context{1};
  sluice::pool lent{context.get_executor(), dsn(), sizes()};
  load seen{tasks};
  asio::co_spawn(context, saturate(lent, seen), asio::detached);
  context.run();
  return seen;
}

load through_workers(int tasks) {
  asio::io_context context{1};
  load seen{tasks};
  counter at;
  for (int i = 0; i < connections; ++i) asio::co_spawn(context, worker(at, seen), asio::detached);
  for (int i = 0; i < tasks; ++i) asio::co_spawn(context, task_of_the_workers(at, seen), asio::detached);
  context.run();
  return seen;
}

void report(benchmark::State& state, load& seen) {
  constexpr double milli = 1e3;
  const double seconds = std::chrono::duration<double>(seen.ended - seen.began).count();
  state.counters["queries_per_s"] = static_cast<double>(seen.times.size()) / seconds;
  state.counters["p50_ms"] = seen.at(0.5) * milli;
  state.counters["p95_ms"] = seen.at(0.95) * milli;
  state.counters["p99_ms"] = seen.at(0.99) * milli;
}

/// Measures both designs one after the other in each repetition, so that both run under the same conditions: only the
/// ratios count.
void pool_beside_workers(benchmark::State& state) {
  for (auto _ : state) {
    const auto tasks = static_cast<int>(state.range(0));
    load workers = through_workers(tasks);
    load pooled = through_the_pool(tasks);
    report(state, pooled);
    state.counters["p50_ratio"] = pooled.at(0.5) / workers.at(0.5);
    state.counters["p99_ratio"] = pooled.at(0.99) / workers.at(0.99);
  }
}

asio::awaitable<void> once_more(sluice::pool& from, load& under, double& recovered) {
  asio::steady_timer pause{co_await asio::this_coro::executor};
  while (under.running != 0) {
    pause.expires_after(std::chrono::microseconds{100});
    co_await pause.async_wait(asio::use_awaitable);
  }
  sluice::pooled_connection lent = co_await from.acquire();
  co_await ask(*lent);
  recovered = std::chrono::duration<double>(clock::now() - under.ended).count();
}

void recovery(benchmark::State& state) {
  for (auto _ : state) {
    asio::io_context context{1};
    sluice::pool lent{context.get_executor(), dsn(), sizes()};
    load seen{most_tasks};
    double recovered = 0;
    asio::co_spawn(context, saturate(lent, seen), asio::detached);
    asio::co_spawn(context, once_more(lent, seen, recovered), asio::detached);
    context.run();
    state.SetIterationTime(recovered);
    state.counters["reused_share"] =
        static_cast<double>(lent.stats().reused) / static_cast<double>(lent.stats().acquired);
  }
}

BENCHMARK(pool_beside_workers)
    ->Arg(1)
    ->Arg(8)
    ->Arg(most_tasks)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(recovery)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
