// Reads ten rows of a million, abandons the rest, and runs another query on the same connection; measures the time from
// the first query to the second one's answer, on a real server. Compares sluice in plain and in paged mode; libpq,
// which cancels and then reads what had been sent; libpqxx with a cursor, with a stream, which it reads to its end, and
// with the whole result; and closing the connection to open a new one. The baseline is two queries of one row each.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>

#include "libpqxx_stream.hpp"
#include "server.hpp"

namespace {

using sluice::bench::dsn;

constexpr int wanted_rows = 10;
const char* const view = "v_test_1m";
const char* const table = "test_1m";
const char* const many = "select data from v_test_1m";
const char* const another = "select to_json(1)";

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error{what};
}

void ask_another(sluice::client& db) {
  int rows = 0;
  for (const sluice::row row : db.stream(sluice::sql(another).as_document())) rows += row.is_null() ? 0 : 1;
  require(rows == 1, "the other query was not answered");
}

void ask_another(pqxx::connection& db) {
  pqxx::nontransaction next{db};
  require(next.exec(another).size() == 1, "the other query was not answered");
}

sluice::row_range begin(sluice::client& db, const sluice::query_options& options = {}) {
  sluice::row_range rows = db.stream(sluice::from(view), options);
  for (int seen = 0; seen < wanted_rows;)
    for ([[maybe_unused]] const sluice::row row : rows.next()) ++seen;
  return rows;
}

void sluice_leaves(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) {
    {
      const sluice::row_range rows = begin(db);
    }
    ask_another(db);
  }
}

void sluice_leaves_pages(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) {
    {
      const sluice::row_range rows = begin(db, {.mode = sluice::fetch_mode::paged, .page_rows = 1'000});
    }
    ask_another(db);
  }
}

void sluice_reconnects(benchmark::State& state) {
  const sluice::connection_options no_time_to_cancel{.leave_timeout = std::chrono::milliseconds{0}};
  std::optional<sluice::client> db{std::in_place, dsn(), no_time_to_cancel};
  for (auto _ : state) {
    {
      const sluice::row_range rows = begin(*db);
    }
    db.emplace(dsn(), no_time_to_cancel);
    ask_another(*db);
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
    char why[256];
    PGcancel* const request = PQgetCancel(db);
    require(PQcancel(request, why, sizeof why) == 1, why);
    PQfreeCancel(request);
    while (const result rest{PQgetResult(db), &PQclear}) {
    }
    const result one{PQexecParams(db, another, 0, nullptr, nullptr, nullptr, nullptr, 0), &PQclear};
    client.require(PQntuples(one.get()) == 1);
  }
}

void libpqxx_closes_its_cursor(benchmark::State& state) {
  pqxx::connection db{dsn()};
  for (auto _ : state) {
    {
      pqxx::work work{db};
      pqxx::icursorstream rows{work, many, "many", 1'000};
      pqxx::result batch;
      rows >> batch;
      require(batch.size() >= wanted_rows, "no rows");
    }
    ask_another(db);
  }
}

void libpqxx_stream(benchmark::State& state) {
  pqxx::connection db{dsn() + " options='-c search_path=bench'"};  // it takes a table name without a schema
  for (auto _ : state) {
    {
      pqxx::work work{db};
      int seen = 0;
      sluice::bench::read_documents_by_libpqxx(work, table, [&](std::string_view) { return ++seen < wanted_rows; });
      require(seen == wanted_rows, "no row");
    }
    ask_another(db);
  }
}

void libpqxx_exec(benchmark::State& state) {
  pqxx::connection db{dsn()};
  for (auto _ : state) {
    {
      pqxx::work work{db};
      require(work.exec(many).size() >= wanted_rows, "no rows");
    }
    ask_another(db);
  }
}

void two_short_queries(benchmark::State& state) {
  sluice::client db{dsn()};
  for (auto _ : state) {
    ask_another(db);
    ask_another(db);
  }
}

BENCHMARK(sluice_leaves)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(sluice_leaves_pages)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(sluice_reconnects)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(libpq_cancels)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(libpqxx_closes_its_cursor)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(libpqxx_stream)->UseRealTime()->Unit(benchmark::kMicrosecond)->Iterations(1);
BENCHMARK(libpqxx_exec)->UseRealTime()->Unit(benchmark::kMicrosecond)->Iterations(1);
BENCHMARK(two_short_queries)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
