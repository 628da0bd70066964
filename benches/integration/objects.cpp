// A million rows of columns as JSON objects, on a real server: made by this client of columns in the binary format or,
// in the first run of a query `as_object()`, in text; and made by the server. Beside them the same columns without
// JSON, by sluice, by libpq in single-row mode, by libpqxx's stream, and by a bare recv loop: what the server takes to
// send them. Two fields of documents, extracted and put together here, and built by the server. 100,000 rows by the
// number of columns.
#include <benchmark/benchmark.h>

#include <pqxx/pqxx>
#include <sluice/sluice.hpp>
#include <sluice/stream/columns.hpp>
#include <string>
#include <tuple>

#include "libpqxx_stream.hpp"
#include "reading.hpp"
#include "recv_loop.hpp"

namespace {

using sluice::bench::by_libpq;
using sluice::bench::by_sluice;
using sluice::bench::dsn;
using sluice::bench::tally;

const std::string eight_columns = "select * from bench.columns_1m";

/// On a new connection each time: from the second run on, the columns are known, and come in the binary format.
void by_sluice_in_text(benchmark::State& state, const std::string& sql) {
  tally counted;
  for (auto _ : state) {
    sluice::client db{dsn()};
    read(db, sluice::sql(sql).as_object(), counted);
  }
  counted.report(state);
}

void by_sluice_as_columns(benchmark::State& state, const std::string& sql) {
  sluice::client db{dsn()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    for (const sluice::row row : db.stream(sluice::sql(sql).as_columns())) {
      std::size_t bytes = 0;
      for (const sluice::binary_field& field : row.fields()) bytes += field.bytes.size();
      counted.row(bytes);
    }
    counted.end();
  }
  counted.report(state);
}

/// What the server needs to send the columns in the binary format.
void by_recv(benchmark::State& state) {
  sluice::bench::recv_loop db;
  for (auto _ : state) benchmark::DoNotOptimize(db.ask_in_binary(eight_columns));
}

void by_libpqxx(benchmark::State& state) {
  using text = sluice::bench::libpqxx_text;
  pqxx::connection db{dsn()};
  tally counted;
  for (auto _ : state) {
    counted.begin();
    pqxx::work work{db};
    sluice::bench::read_by_libpqxx<text, text, text, text, text, text, text, text>(
        work, "bench.columns_1m", {"id", "name", "total", "created_at", "active", "age", "status", "score"},
        [&](const auto& row) {
          counted.row(std::get<0>(row).size());
          return true;
        });
    counted.end();
  }
  counted.report(state);
}

template <class Run>
void add(const std::string& name, const Run& run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime()->Unit(benchmark::kMillisecond);
}

/// Two texts, a number and a moment, again and again.
std::string some_columns(int count) {
  static const std::string names[]{"id", "name", "created_at", "status"};
  std::string list;
  for (int i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + names[i % 4] + " as c" + std::to_string(i);
  return "select " + list + " from bench.columns_1m limit 100000";
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add("objects", [](benchmark::State& state) { by_sluice(state, sluice::sql(eight_columns)); });
  add("objects_in_text", [](benchmark::State& state) { by_sluice_in_text(state, eight_columns); });
  add("row_to_json", [](benchmark::State& state) {
    by_sluice(state, sluice::sql("select row_to_json(c) from bench.columns_1m c").as_document());
  });
  add("sluice_columns", [](benchmark::State& state) { by_sluice_as_columns(state, eight_columns); });
  add("libpq_columns", [](benchmark::State& state) { by_libpq(state, eight_columns); });
  add("libpqxx_columns", by_libpqxx);
  add("recv_columns", by_recv);
  add("selected", [](benchmark::State& state) { by_sluice(state, sluice::from("v_test_1m").select("id", "name")); });
  add("selected_by_the_server", [](benchmark::State& state) {
    by_sluice(
        state,
        sluice::sql("select jsonb_build_object('id', data->'id', 'name', data->'name') from v_test_1m").as_document());
  });
  for (const int count : {1, 2, 4, 16}) {
    const std::string sql = some_columns(count);
    const std::string name = "/" + std::to_string(count);
    add("objects_of" + name, [sql](benchmark::State& state) { by_sluice(state, sluice::sql(sql)); });
    add("row_to_json_of" + name, [sql](benchmark::State& state) {
      by_sluice(state, sluice::sql("select row_to_json(c) from (" + sql + ") c").as_document());
    });
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
