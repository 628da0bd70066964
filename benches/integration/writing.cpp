// Writing on a real server: a million rows by COPY, in the binary format, of C++ values and of bytes that are ready (as
// psql's \copy sends them); one-row statements, transactions of three, and batches of a thousand. Beside libpq and, for
// batches, libpqxx.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <pqxx/pqxx>
#include <sluice/sluice.hpp>
#include <sluice/stream/batch.hpp>
#include <sluice/stream/copy.hpp>
#include <string>

#include "server.hpp"
#include "tally.hpp"

namespace {

using sluice::sql;
using sluice::bench::dsn;
using sluice::bench::libpq_client;
using sluice::bench::processor_seconds;
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

/// psql's \copy as a whole process; the processor's time is that process's.
void copy_of_bytes_by_psql(benchmark::State& state) {
  const std::string file = "bench_written.copy";
  std::ofstream{file, std::ios::binary} << encoded_rows();
  sluice::client other{dsn()};
  other.execute(make_table);
  const std::string command =
      "psql -Xqd '" + dsn() + "' -c \"\\copy bench_written from '" + file + "' (format binary)\"";
  const double before = processor_seconds(RUSAGE_CHILDREN);
  for (auto _ : state) {
    state.PauseTiming();
    empty_table(other);
    state.ResumeTiming();
    if (std::system(command.c_str()) != 0) state.SkipWithError("psql failed");
  }
  std::filesystem::remove(file);
  const auto all = static_cast<double>(rows * state.iterations());
  state.counters["cpu_ns_per_row"] = (processor_seconds(RUSAGE_CHILDREN) - before) / all * 1e9;
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

constexpr int batch_rows = 1'000;

/// A thousand updates of one row each.
void make_thousand_rows(sluice::client& db) {
  db.execute(make_table);
  db.execute(
      "insert into bench_written select n, now(), '', '{}' from generate_series(1, 1000) n; "
      "create unique index on bench_written (id)");
}

void write_all(sluice::blocking_batch_writer to) {
  for (int i = 1; i <= batch_rows; ++i) to.write("a name", i);
  to.finish();
}

void batch_in_a_transaction(benchmark::State& state) {
  sluice::client db{dsn(), {.statement_cache = 8}};
  make_thousand_rows(db);
  tally counted;
  for (auto _ : state) {
    sluice::blocking_transaction tx = db.begin();
    write_all(tx.batch(update));
    tx.commit();
    for (int i = 0; i < batch_rows; ++i) counted.row(1);
  }
  counted.report(state);
}

void batch_each_by_itself(benchmark::State& state) {
  sluice::client db{dsn(), {.statement_cache = 8}};
  make_thousand_rows(db);
  tally counted;
  for (auto _ : state) {
    write_all(db.batch(update));
    for (int i = 0; i < batch_rows; ++i) counted.row(1);
  }
  counted.report(state);
}

/// libpq's pipeline mode, with a Sync behind each row or only at the end.
void send_pipeline(const libpq_client& db, bool each_by_itself) {
  PGconn* const on = db.get();
  db.require(PQenterPipelineMode(on) == 1);
  int syncs = 0;
  for (int i = 1; i <= batch_rows; ++i) {
    const std::string id = std::to_string(i);
    const std::array<const char*, 2> values{"a name", id.c_str()};
    db.require(PQsendQueryPrepared(on, "update", 2, values.data(), nullptr, nullptr, 0) == 1);
    if (!each_by_itself && i != batch_rows) continue;
    db.require(PQpipelineSync(on) == 1);
    ++syncs;
  }
  int done = 0;
  while (syncs != 0) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{PQgetResult(on), &PQclear};
    if (result == nullptr) continue;  // between two statements
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC)
      --syncs;
    else
      done += PQresultStatus(result.get()) == PGRES_COMMAND_OK ? 1 : 0;
  }
  db.require(done == batch_rows && PQexitPipelineMode(on) == 1);
}

void batch_by_libpq(benchmark::State& state, bool each_by_itself) {
  sluice::client other{dsn()};
  make_thousand_rows(other);
  const libpq_client db;
  const std::unique_ptr<PGresult, decltype(&PQclear)> prepared{PQprepare(db.get(), "update", update, 2, nullptr),
                                                               &PQclear};
  db.require(PQresultStatus(prepared.get()) == PGRES_COMMAND_OK);
  tally counted;
  for (auto _ : state) {
    if (!each_by_itself) run(db, "begin");
    send_pipeline(db, each_by_itself);
    if (!each_by_itself) run(db, "commit");
    for (int i = 0; i < batch_rows; ++i) counted.row(1);
  }
  counted.report(state);
}
void batch_in_a_transaction_by_libpq(benchmark::State& state) { batch_by_libpq(state, false); }
void batch_each_by_itself_by_libpq(benchmark::State& state) { batch_by_libpq(state, true); }

void batch_in_a_transaction_by_libpqxx(benchmark::State& state) {
  sluice::client other{dsn()};
  make_thousand_rows(other);
  pqxx::connection db{dsn()};
  db.prepare("update", update);
  tally counted;
  for (auto _ : state) {
    pqxx::work tx{db};
#if PQXX_VERSION_MAJOR >= 7
    for (int i = 1; i <= batch_rows; ++i) tx.exec(pqxx::prepped{"update"}, {"a name", i}).no_rows();
#else
    for (int i = 1; i <= batch_rows; ++i) tx.exec_prepared0("update", "a name", i);
#endif
    tx.commit();
    for (int i = 0; i < batch_rows; ++i) counted.row(1);
  }
  counted.report(state);
}

BENCHMARK(copy_of_values)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(copy_of_bytes)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(copy_of_bytes_by_libpq)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(copy_of_bytes_by_psql)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(statement)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(statement_by_libpq)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(transaction_of_three)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(transaction_of_three_by_libpq)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(batch_in_a_transaction)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(batch_in_a_transaction_by_libpq)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(batch_in_a_transaction_by_libpqxx)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(batch_each_by_itself)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(batch_each_by_itself_by_libpq)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
