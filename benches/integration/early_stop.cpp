// Ten rows of ten million are read, and the rest is not wanted: how long until the connection has answered another
// query? On a real server (SLUICE_TEST_DSN, as ci/with-postgres sets it), all at once and in pages; beside it libpq,
// which cancels and then reads what had been sent, libpqxx with a cursor, which fetches no more and ends its
// transaction, and a connection that is closed and made anew instead. Beside them a query alone: one round trip.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>

#include "server.hpp"

namespace {

using sluice::bench::dsn;

using clock = std::chrono::steady_clock;

constexpr int wanted_rows = 10;
const char* const many = "select jsonb_build_object('n', generate_series(1, 10000000))";
const char* const another = "select to_json(1)";

double seconds_since(clock::time_point began) { return std::chrono::duration<double>(clock::now() - began).count(); }

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error{what};
}

void ask_another(sluice::client& db) {
  int rows = 0;
  for (const sluice::row row : db.stream(sluice::sql(another).as_document())) rows += row.is_null() ? 0 : 1;
  require(rows == 1, "the other query was not answered");
}

sluice::row_range begin(sluice::client& db, const sluice::query_options& options = {}) {
  sluice::row_range rows = db.stream(sluice::sql(many).as_document(), options);
  for (int seen = 0; seen < wanted_rows;)
    for ([[maybe_unused]] const sluice::row row : rows.next()) ++seen;
  return rows;
}

void sluice_leaves(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) {
    std::optional<sluice::row_range> rows{begin(db)};
    const auto began = clock::now();
    rows.reset();
    ask_another(db);
    state.SetIterationTime(seconds_since(began));
  }
}

void sluice_leaves_pages(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) {
    std::optional<sluice::row_range> rows{begin(db, {.mode = sluice::fetch_mode::paged, .page_rows = 1'000})};
    const auto began = clock::now();
    rows.reset();
    ask_another(db);
    state.SetIterationTime(seconds_since(began));
  }
}

void libpqxx_closes_its_cursor(benchmark::State& state) {
  pqxx::connection db{dsn()};
  for (auto _ : state) {
    std::optional<pqxx::work> work{db};
    std::optional<pqxx::icursorstream> rows{std::in_place, *work, many, "many", 1'000};
    pqxx::result batch;
    *rows >> batch;
    require(batch.size() >= wanted_rows, "no rows");
    const auto began = clock::now();
    rows.reset();
    work.reset();
    pqxx::nontransaction next{db};
    require(next.exec(another).size() == 1, "the other query was not answered");
    state.SetIterationTime(seconds_since(began));
  }
}

void sluice_reconnects(benchmark::State& state) {
  for (auto _ : state) {
    sluice::client db{dsn(), {.leave_timeout = std::chrono::milliseconds{0}}};  // no time to cancel: it is closed
    std::optional<sluice::row_range> rows{begin(db)};
    const auto began = clock::now();
    rows.reset();
    db = sluice::client{dsn()};
    ask_another(db);
    state.SetIterationTime(seconds_since(began));
  }
}

void libpq_cancels(benchmark::State& state) {
  using result = std::unique_ptr<PGresult, decltype(&PQclear)>;
  const sluice::bench::libpq_client client;
  PGconn* const db = client.get();
  for (auto _ : state) {
    client.require(PQsendQueryParams(db, many, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1 &&
                   PQsetSingleRowMode(db) == 1);
    for (int seen = 0; seen < wanted_rows; ++seen)
      require(PQresultStatus(result{PQgetResult(db), &PQclear}.get()) == PGRES_SINGLE_TUPLE, "no row");
    const auto began = clock::now();
    char why[256];
    PGcancel* const request = PQgetCancel(db);
    require(PQcancel(request, why, sizeof why) == 1, why);
    PQfreeCancel(request);
    while (const result rest{PQgetResult(db), &PQclear}) {
    }
    const result one{PQexecParams(db, another, 0, nullptr, nullptr, nullptr, nullptr, 0), &PQclear};
    client.require(PQntuples(one.get()) == 1);
    state.SetIterationTime(seconds_since(began));
  }
}

void query_alone(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) {
    const auto began = clock::now();
    ask_another(db);
    state.SetIterationTime(seconds_since(began));
  }
}

BENCHMARK(sluice_leaves)->UseManualTime();
BENCHMARK(sluice_leaves_pages)->UseManualTime();
BENCHMARK(libpqxx_closes_its_cursor)->UseManualTime();
BENCHMARK(libpq_cancels)->UseManualTime();
BENCHMARK(sluice_reconnects)->UseManualTime();
BENCHMARK(query_alone)->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
