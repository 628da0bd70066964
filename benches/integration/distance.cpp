// 300,000 rows of a server at a distance of 50 ms (a proxy in front of a real one; SLUICE_TEST_PORT, as
// ci/with-postgres sets it): plain, in pages of the default size, and in parallel mode on one and two connections;
// beside libpq.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <sluice/sluice.hpp>
#include <string>

#include "distant_server.hpp"
#include "server.hpp"
#include "tally.hpp"

namespace {

using sluice::bench::tally;

constexpr std::uint64_t rows = 300'000;

void count_all(auto& all, tally& counted) {
  while (const sluice::chunk some = all.next())
    for (const sluice::row each : some) counted.row(each.text().size());
}

/// The server, through the proxy.
std::string far_away() {
  static const sluice::test::distant_server proxy{
      static_cast<std::uint16_t>(std::stoi(sluice::bench::setting("SLUICE_TEST_PORT"))), std::chrono::milliseconds{50}};
  return sluice::bench::tcp_dsn() + " port=" + std::to_string(proxy.port());
}

void load_rows() {
  static const bool is_loaded = [] {
    sluice::client db{sluice::bench::dsn()};
    db.execute(
        "create table if not exists distant as select n as id, json_build_object('id', n, 'text', repeat('x', 170)) as "
        "data from generate_series(1, " +
        std::to_string(rows) + ") n; analyze distant");
    return true;
  }();
  (void)is_loaded;
}

void read(benchmark::State& state, const sluice::query_options& how) {
  load_rows();
  sluice::client db{far_away()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    sluice::row_range all = db.stream(sluice::sql("select data from distant").as_document(), how);
    count_all(all, counted);
    counted.end();
    state.counters["pages"] = static_cast<double>(all.stats().pages);
  }
  counted.report(state);
}

void plain(benchmark::State& state) { read(state, {}); }
void in_pages(benchmark::State& state) { read(state, {.mode = sluice::fetch_mode::paged}); }

/// With the time that connecting takes, which a parallel stream does by itself.
void plain_with_connecting(benchmark::State& state) {
  load_rows();
  tally counted;
  for (auto _ : state) {
    counted.begin();
    sluice::client db{far_away()};
    sluice::row_range all = db.stream(sluice::from("distant"));
    count_all(all, counted);
    counted.end();
  }
  counted.report(state);
}

/// On as many connections as its argument says.
void in_parallel(benchmark::State& state) {
  load_rows();
  tally counted;
  for (auto _ : state) {
    counted.begin();
    sluice::parallel_options how;
    how.connections = static_cast<std::uint32_t>(state.range(0));
    sluice::parallel_range all{far_away(), sluice::from("distant"), how};
    count_all(all, counted);
    counted.end();
  }
  counted.report(state);
}

void by_libpq(benchmark::State& state) {
  load_rows();
  sluice::bench::libpq_client db{far_away()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    db.stream("select data from distant", [&](const char*, std::size_t size) { counted.row(size); });
    counted.end();
  }
  counted.report(state);
}

BENCHMARK(plain)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(by_libpq)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(in_pages)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(plain_with_connecting)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(in_parallel)->Arg(1)->Arg(2)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
