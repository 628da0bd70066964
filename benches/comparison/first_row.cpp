// From sending a query on an open connection to its first row: sluice beside libpq in single-row mode, on the same
// server (SLUICE_TEST_TCP_DSN, as ci/with-postgres sets it). The rest of the result is read outside of the time.
#include <benchmark/benchmark.h>
#include <libpq-fe.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>

namespace {

constexpr const char* sql = "select \"data\" from \"v_test_1k\"";
constexpr int expected_rows = 1'000;
using clock = std::chrono::steady_clock;

std::string dsn() {
  const char* text = std::getenv("SLUICE_TEST_TCP_DSN");
  if (text == nullptr) throw std::runtime_error("SLUICE_TEST_TCP_DSN is not set: run ci/bench comparison");
  return std::string{text} + " sslmode=disable";
}

void count(benchmark::State& state, clock::time_point began, clock::time_point first, int rows) {
  if (rows != expected_rows) state.SkipWithError("not the rows that were expected");
  state.SetIterationTime(std::chrono::duration<double>(first - began).count());
}

void first_row_sluice(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) {
    const auto began = clock::now();
    sluice::row_range stream = db.stream(sluice::from("v_test_1k"));
    sluice::chunk chunk = stream.next();
    const auto first = clock::now();
    int rows = 0;
    for (; chunk; chunk = stream.next())
      for (const sluice::row row : chunk) rows += row.is_null() ? 0 : 1;
    count(state, began, first, rows);
  }
}

void first_row_libpq(benchmark::State& state) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> db{PQconnectdb(dsn().c_str()), &PQfinish};
  for (auto _ : state) {
    const auto began = clock::now();
    (void)PQsendQueryParams(db.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0);
    (void)PQsetSingleRowMode(db.get());
    PGresult* result = PQgetResult(db.get());
    const auto first = clock::now();
    int rows = 0;
    for (; result != nullptr; result = PQgetResult(db.get())) {
      rows += PQntuples(result);
      PQclear(result);
    }
    count(state, began, first, rows);
  }
}

BENCHMARK(first_row_sluice)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(first_row_libpq)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
