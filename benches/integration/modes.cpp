// What the ways of running a query cost, on a real server (SLUICE_TEST_DSN, as ci/with-postgres sets it): paged and
// plain mode, a prepared and an unnamed statement, a hundred queries in one write and one after the other, and with and
// without an observer.
#include <benchmark/benchmark.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "server.hpp"

namespace {

using sluice::bench::dsn;

void read_all(sluice::client& db, const sluice::query& what, const sluice::query_options& options = {}) {
  sluice::row_range rows = db.stream(what, options);
  while (const sluice::chunk chunk = rows.next())
    for (const sluice::row each : chunk) benchmark::DoNotOptimize(each.text().data());
}

constexpr int rows_at_once = 100'000;

sluice::query many() {
  return sluice::sql("select json_build_object('n', n) from generate_series(1, $1) n", rows_at_once).as_document();
}

void rows_plain(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) read_all(db, many());
  state.SetItemsProcessed(state.iterations() * rows_at_once);
}

void rows_in_pages(benchmark::State& state) {
  sluice::client db{dsn()};
  const sluice::query_options options{.mode = sluice::fetch_mode::paged,
                                      .page_rows = static_cast<std::uint32_t>(state.range(0))};
  for (auto _ : state) read_all(db, many(), options);
  state.SetItemsProcessed(state.iterations() * rows_at_once);
}

/// Five joins, so that parsing and planning take a noticeable time.
sluice::query joined() {
  return sluice::sql(
             "select json_build_object('n', a.relname) from pg_class a join pg_namespace n on n.oid = a.relnamespace "
             "left join pg_index i on i.indexrelid = a.oid left join pg_type t on t.oid = a.reltype "
             "left join pg_am m on m.oid = a.relam where a.oid = $1::int8::oid",
             1259)
      .as_document();
}

void query_of_statement(benchmark::State& state) {
  sluice::connection_options options;
  options.statement_cache = static_cast<std::size_t>(state.range(0));
  sluice::client db{dsn(), options};
  for (auto _ : state) read_all(db, joined());
}

void query_whose_columns_are_asked_for(benchmark::State& state) {
  sluice::connection_options options;
  options.statement_cache = static_cast<std::size_t>(state.range(0));
  sluice::client db{dsn(), options};
  for (auto _ : state) read_all(db, sluice::sql("select $1::int8 as n, 'x' as x", 1));
}

constexpr int queries_at_once = 100;

void queries_one_by_one(benchmark::State& state) {
  sluice::client db{dsn()};
  const sluice::query one = sluice::sql("select to_json(1)").as_document();
  for (auto _ : state)
    for (int i = 0; i < queries_at_once; ++i) read_all(db, one);
  state.SetItemsProcessed(state.iterations() * queries_at_once);
}

asio::awaitable<void> in_one_write(benchmark::State& state) {
  sluice::connection db = co_await sluice::connect(dsn());
  const std::vector<sluice::query> queries(queries_at_once, sluice::sql("select to_json(1)").as_document());
  for (auto _ : state) {
    sluice::pipeline results = co_await db.send(queries);
    while (results.has_next()) {
      sluice::row_stream rows = co_await results.next();
      while (const sluice::chunk chunk = co_await rows.next())
        for (const sluice::row each : chunk) benchmark::DoNotOptimize(each.text().data());
    }
  }
}

void queries_in_one_write(benchmark::State& state) {
  asio::io_context context{1};
  auto done = asio::co_spawn(context, in_one_write(state), asio::use_future);
  context.run();
  done.get();
  state.SetItemsProcessed(state.iterations() * queries_at_once);
}

class counting : public sluice::observer {
 public:
  void on_chunk(const sluice::chunk_event& event) noexcept override { bytes += event.bytes; }
  std::uint64_t bytes{0};
};

/// @param state  range: 0 no observer, 1 an observer, 2 an observer that also wants a trace
void query_watched(benchmark::State& state) {
  counting by;
  sluice::connection_options options;
  if (state.range(0) != 0) options.watch = &by;
  options.trace = state.range(0) == 2;
  sluice::client db{dsn(), options};
  const sluice::query one = sluice::sql("select to_json(1)").as_document();
  for (auto _ : state) read_all(db, one);
}

BENCHMARK(rows_plain)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(rows_in_pages)->RangeMultiplier(10)->Range(100, 10'000)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(query_of_statement)->Arg(0)->Arg(8)->UseRealTime();
BENCHMARK(query_whose_columns_are_asked_for)->Arg(0)->Arg(8)->UseRealTime();
BENCHMARK(queries_one_by_one)->UseRealTime();
BENCHMARK(queries_in_one_write)->UseRealTime();
BENCHMARK(query_watched)->DenseRange(0, 2)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
