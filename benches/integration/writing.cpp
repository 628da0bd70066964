// Writing on a real server: a million rows by COPY, in the binary format, of C++ values and of bytes that are ready (as
// psql's \copy sends them); one-row statements, and transactions of three. Beside libpq.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <sluice/sluice.hpp>
#include <sluice/stream/copy.hpp>
#include <string>

#include "server.hpp"
#include "tally.hpp"

namespace {

using sluice::sql;
using sluice::bench::dsn;
using sluice::bench::libpq_client;
using sluice::bench::tally;

constexpr std::int64_t rows = 1'000'000;
const char* const make_table =
    "drop table if exists bench_written; create unlogged table bench_written (id bigint, at timestamptz, name text, "
    "data "
    "jsonb)";
const std::string document = R"({"name": "some name", "age": 42, "tags": ["a", "b"]})";
constexpr std::chrono::sys_time<std::chrono::microseconds> first_moment{
    std::chrono::microseconds{1'800'000'000'000'000}};

void empty_table(sluice::client& db) { db.execute("truncate bench_written"); }

void copy_of_values(benchmark::State& state) {
  sluice::client db{dsn()};
  db.execute(make_table);
  tally counted;
  for (auto _ : state) {
    state.PauseTiming();
    empty_table(db);
    state.ResumeTiming();
    counted.begin();
    sluice::blocking_copy_writer to = db.copy_into("bench_written", "id", "at", "name", "data");
    for (std::int64_t i = 0; i < rows; ++i) {
      to.write(i, first_moment + std::chrono::microseconds{i}, "some name", document);
      counted.row(document.size());
    }
    if (to.finish() != static_cast<std::uint64_t>(rows)) state.SkipWithError("rows are missing");
    counted.end();
  }
  counted.report(state);
}

/// The same rows, as COPY TO writes them.
std::string encoded_rows() {
  std::vector<sluice::detail::written_column> columns;
  for (const std::uint32_t type :
       {sluice::proto::oid::int8, sluice::proto::oid::timestamptz, sluice::proto::oid::text, sluice::proto::oid::jsonb})
    columns.push_back({.type = {.oid = type, .is_text = type != sluice::proto::oid::int8}});
  sluice::detail::row_writer to{std::move(columns)};
  for (std::int64_t i = 0; i < rows; ++i) to.add(i, first_moment + std::chrono::microseconds{i}, "some name", document);
  std::string all{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
  all.append(reinterpret_cast<const char*>(to.bytes().data()), to.bytes().size());
  return all + "\377\377";
}
constexpr std::size_t piece = 64U << 10U;

void copy_of_bytes(benchmark::State& state) {
  const std::string all = encoded_rows();
  sluice::client db{dsn()};
  db.execute(make_table);
  tally counted;
  for (auto _ : state) {
    state.PauseTiming();
    empty_table(db);
    state.ResumeTiming();
    counted.begin();
    sluice::blocking_copy_data_writer to = db.copy_data("copy bench_written from stdin (format binary)");
    for (std::size_t at = 0; at < all.size(); at += piece) to.write(std::string_view{all}.substr(at, piece));
    if (to.finish() != static_cast<std::uint64_t>(rows)) state.SkipWithError("rows are missing");
    for (std::int64_t i = 0; i < rows; ++i) counted.row(document.size());
    counted.end();
  }
  counted.report(state);
}

void run(const libpq_client& db, const char* statement, ExecStatusType expected = PGRES_COMMAND_OK) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> done{PQexec(db.get(), statement), &PQclear};
  db.require(PQresultStatus(done.get()) == expected);
}

void copy_of_bytes_by_libpq(benchmark::State& state) {
  const std::string all = encoded_rows();
  sluice::client other{dsn()};
  other.execute(make_table);
  const libpq_client db;
  tally counted;
  for (auto _ : state) {
    state.PauseTiming();
    empty_table(other);
    state.ResumeTiming();
    counted.begin();
    run(db, "copy bench_written from stdin (format binary)", PGRES_COPY_IN);
    for (std::size_t at = 0; at < all.size(); at += piece) {
      const std::string_view part = std::string_view{all}.substr(at, piece);
      db.require(PQputCopyData(db.get(), part.data(), static_cast<int>(part.size())) == 1);
    }
    db.require(PQputCopyEnd(db.get(), nullptr) == 1);
    while (PGresult* const end = PQgetResult(db.get())) PQclear(end);
    for (std::int64_t i = 0; i < rows; ++i) counted.row(document.size());
    counted.end();
  }
  counted.report(state);
}

const char* const update = "update bench_written set name = $1 where id = $2";

void make_one_row(sluice::client& db) {
  db.execute(make_table);
  db.execute("insert into bench_written values (1, now(), '', '{}'); create unique index on bench_written (id)");
}

void run_by_libpq(const libpq_client& db) {
  const std::array<const char*, 2> values{"a name", "1"};
  const std::unique_ptr<PGresult, decltype(&PQclear)> done{
      PQexecParams(db.get(), update, 2, nullptr, values.data(), nullptr, nullptr, 0), &PQclear};
  db.require(PQresultStatus(done.get()) == PGRES_COMMAND_OK);
}

void statement(benchmark::State& state) {
  sluice::client db{dsn()};
  make_one_row(db);
  const sluice::query what = sql(update, "a name", 1);
  tally counted;
  for (auto _ : state) {
    db.execute(what);
    counted.row(1);
  }
  counted.report(state);
}

void statement_by_libpq(benchmark::State& state) {
  sluice::client other{dsn()};
  make_one_row(other);
  const libpq_client db;
  tally counted;
  for (auto _ : state) {
    run_by_libpq(db);
    counted.row(1);
  }
  counted.report(state);
}

void transaction_of_three(benchmark::State& state) {
  sluice::client db{dsn()};
  make_one_row(db);
  const sluice::query what = sql(update, "a name", 1);
  tally counted;
  for (auto _ : state) {
    sluice::blocking_transaction tx = db.begin();
    for (int i = 0; i < 3; ++i) tx.execute(what);
    tx.commit();
    counted.row(1);
  }
  counted.report(state);
}

void transaction_of_three_by_libpq(benchmark::State& state) {
  sluice::client other{dsn()};
  make_one_row(other);
  const libpq_client db;
  tally counted;
  for (auto _ : state) {
    run(db, "begin");
    for (int i = 0; i < 3; ++i) run_by_libpq(db);
    run(db, "commit");
    counted.row(1);
  }
  counted.report(state);
}

BENCHMARK(copy_of_values)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(copy_of_bytes)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(copy_of_bytes_by_libpq)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(statement)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(statement_by_libpq)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(transaction_of_three)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(transaction_of_three_by_libpq)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
