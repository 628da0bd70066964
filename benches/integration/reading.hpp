#pragma once
// Reads whole results by one client, and counts them.
#include <benchmark/benchmark.h>

#include <sluice/sluice.hpp>
#include <string>

#include "server.hpp"
#include "tally.hpp"

namespace sluice::bench {

inline void read(client& db, const query& what, tally& counted) {
  counted.begin();
  row_range rows = db.stream(what);
  while (const chunk chunk = rows.next())
    for (const row each : chunk) counted.row(each.text().size());
  counted.end();
}

inline void by_sluice(benchmark::State& state, const query& what) {
  client db{dsn()};
  tally counted;
  for (auto _ : state) read(db, what, counted);
  counted.report(state);
}

inline void by_libpq(benchmark::State& state, const std::string& sql) {
  libpq_client db;
  tally counted;
  for (auto _ : state) {
    counted.begin();
    db.stream(sql.c_str(), [&](const char* text, std::size_t size) {
      benchmark::DoNotOptimize(text);
      counted.row(size);
    });
    counted.end();
  }
  counted.report(state);
}

}  // namespace sluice::bench
