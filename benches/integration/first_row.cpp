// The time from sending a query on an open connection to its first row, by the size of the result, on a real server:
// sluice, libpq in single-row mode, and three APIs of libpqxx. The rest of the result is read outside the measured
// time.
#include <benchmark/benchmark.h>

#include <chrono>
#include <optional>
#include <pqxx/pqxx>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>

#include "libpqxx_stream.hpp"
#include "server.hpp"

namespace {

using clock = std::chrono::steady_clock;
using sluice::bench::dsn;

struct relation {
  const char* size;
  int rows;
  int iterations;  // per repetition: each reads the whole result
};
constexpr relation relations[]{{"1k", 1'000, 200}, {"100k", 100'000, 10}, {"1m", 1'000'000, 3}};

std::string view(const relation& of) { return std::string{"v_test_"} + of.size; }
std::string table(const relation& of) { return std::string{"test_"} + of.size; }
std::string select(const relation& of) { return "select data from " + view(of); }
// Sent before each measurement, so that the session's catalog caches are filled and the server is done with the
// previous query.
std::string short_one(const relation& of) { return select(of) + " limit 1"; }

/// One result: the time to its first row, and the number of rows.
class watch {
 public:
  void row() {
    if (rows_++ == 0) first_ = clock::now();
  }
  void end(benchmark::State& state, const relation& of) const {
    if (rows_ != of.rows) throw std::runtime_error{"not the rows that were expected"};
    state.SetIterationTime(std::chrono::duration<double>(first_ - began_).count());
  }

 private:
  clock::time_point began_{clock::now()};
  clock::time_point first_{};
  int rows_{};
};

void by_sluice(benchmark::State& state, const relation& of) {
  sluice::client db{dsn()};
  for (auto _ : state) {
    for ([[maybe_unused]] const sluice::row row : db.stream(sluice::sql(short_one(of)).as_document())) continue;
    watch seen;
    for ([[maybe_unused]] const sluice::row row : db.stream(sluice::from(view(of)))) seen.row();
    seen.end(state, of);
  }
}

void by_libpq(benchmark::State& state, const relation& of) {
  sluice::bench::libpq_client db;
  for (auto _ : state) {
    db.stream(short_one(of).c_str(), [](const char*, std::size_t) {});
    watch seen;
    db.stream(select(of).c_str(), [&](const char*, std::size_t) { seen.row(); });
    seen.end(state, of);
  }
}

/// @param read  reads a result and reports each row to a watch
template <class Read>
void by_libpqxx(benchmark::State& state, const relation& of, const Read& read) {
  pqxx::connection db{dsn() + " options='-c search_path=bench,public'"};  // streams take unqualified names
  for (auto _ : state) {
    pqxx::nontransaction{db}.exec(short_one(of));
    pqxx::work work{db};
    watch seen;
    read(work, seen);
    seen.end(state, of);
  }
}

void by_libpqxx_stream(benchmark::State& state, const relation& of) {
  by_libpqxx(state, of, [&](pqxx::work& work, watch& seen) {
    sluice::bench::read_documents_by_libpqxx(work, table(of), [&](std::string_view) {
      seen.row();
      return true;
    });
  });
}

void by_libpqxx_cursor(benchmark::State& state, const relation& of) {
  by_libpqxx(state, of, [&](pqxx::work& work, watch& seen) {
    pqxx::icursorstream batches{work, select(of), "read", 1'000};
    for (pqxx::result batch; batches >> batch;)
      for ([[maybe_unused]] const auto& row : batch) seen.row();
  });
}

void by_libpqxx_exec(benchmark::State& state, const relation& of) {
  by_libpqxx(state, of, [&](pqxx::work& work, watch& seen) {
    for ([[maybe_unused]] const auto& row : work.exec(select(of))) seen.row();
  });
}

using client = void (*)(benchmark::State&, const relation&);
struct named_client {
  const char* name;
  client run;
};
constexpr named_client clients[]{{"sluice", by_sluice},
                                 {"libpq", by_libpq},
                                 {"libpqxx_stream", by_libpqxx_stream},
                                 {"libpqxx_cursor", by_libpqxx_cursor},
                                 {"libpqxx_exec", by_libpqxx_exec}};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const relation& of : relations)
    for (const named_client& client : clients)
      benchmark::RegisterBenchmark((std::string{of.size} + '/' + client.name).c_str(), client.run, of)
          ->UseManualTime()
          ->Iterations(of.iterations)
          ->Unit(benchmark::kMicrosecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
