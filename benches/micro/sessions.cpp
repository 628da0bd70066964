// The full cost of a query on a replay server in this process: through a connection and through a pool, with and
// without an observer. The kernel and the server's thread are included, so that only ratios are meaningful.
#include <benchmark/benchmark.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <sluice/sluice.hpp>
#include <string>

#include "iterations.hpp"
#include "replay_server.hpp"

namespace {

const std::string& dsn() {
  static const sluice::bench::replay_server server;
  static const std::string text =
      "host=127.0.0.1 user=me dbname=app sslmode=disable port=" + std::to_string(server.port());
  return text;
}

class counting : public sluice::observer {
 public:
  void on_query_end(const sluice::query_end_event& event) noexcept override { rows += event.rows; }
  std::uint64_t rows{0};
};

const sluice::query& ten_rows() {
  static const sluice::query what = sluice::sql("select data from replay_10_120").as_document();
  return what;
}

void ask(sluice::client& db) {
  sluice::row_range rows = db.stream(ten_rows());
  while (const sluice::chunk chunk = rows.next())
    for (const sluice::row each : chunk) benchmark::DoNotOptimize(each.text().data());
}

void query_unwatched(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) ask(db);
}

void query_watched(benchmark::State& state) {
  counting by;
  sluice::connection_options options;
  options.watch = &by;
  sluice::client db{dsn(), options};
  for (auto _ : state) ask(db);
  if (by.rows == 0) state.SkipWithError("nobody was told");
}

asio::awaitable<void> lend(benchmark::State& state, sluice::pool& from) {
  for (auto _ : state) {
    const sluice::pooled_connection lent = co_await from.acquire();
    benchmark::DoNotOptimize(static_cast<bool>(lent));
  }
}

void pool_acquire_and_release(benchmark::State& state) {
  asio::io_context context{1};
  sluice::pool from{context.get_executor(), dsn(), {.idle_timeout = std::chrono::milliseconds{0}}};
  auto done = asio::co_spawn(context, lend(state, from), asio::use_future);
  context.run();
  done.get();
}

BENCHMARK(query_unwatched)->Apply(sluice::bench::as_asked)->UseRealTime();
BENCHMARK(query_watched)->Apply(sluice::bench::as_asked)->UseRealTime();
BENCHMARK(pool_acquire_and_release)->Apply(sluice::bench::as_asked);

}  // namespace
