// A million and ten million rows, faster than with one plain query: by COPY in the binary format, and over several
// connections that read one snapshot. Compared in the same run with clients that read on one connection. Needs
// sql/scaling.sql, too.
#include <benchmark/benchmark.h>

#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>
#include <cstdint>
#include <sluice/sluice.hpp>
#include <sluice/stream/json.hpp>
#include <string>
#include <vector>

#include "libpqxx_stream.hpp"
#include "recv_loop.hpp"
#include "server.hpp"

namespace {

using sluice::fetch_mode;
using sluice::bench::dsn;

/// Counts the rows of one read.
class counter {
 public:
  void row(const char* text, std::size_t size) {
    benchmark::DoNotOptimize(text);
    ++rows_;
    bytes_ += size;
  }
  void report(benchmark::State& state) const {
    state.counters["rows"] = static_cast<double>(rows_) / static_cast<double>(state.iterations());
    state.counters["rows_per_s"] = benchmark::Counter(static_cast<double>(rows_), benchmark::Counter::kIsRate);
    state.counters["MB_per_s"] = benchmark::Counter(static_cast<double>(bytes_) / 1e6, benchmark::Counter::kIsRate);
  }

 private:
  std::uint64_t rows_{0};
  std::uint64_t bytes_{0};
};

sluice::relation documents(const std::string& table, const std::string& column) {
  return sluice::from("bench." + table).column(column);
}
std::uint32_t connections(const benchmark::State& state) { return static_cast<std::uint32_t>(state.range(0)); }

template <class Rows>
void count(Rows& rows, counter& seen) {
  while (const sluice::chunk batch = rows.next())
    for (const sluice::row each : batch) seen.row(each.text().data(), each.text().size());
}

void on_one(benchmark::State& state, const sluice::relation& what, fetch_mode mode) {
  sluice::client db{dsn()};
  counter seen;
  for (auto _ : state) {
    sluice::row_range rows = db.stream(what, {.mode = mode});
    count(rows, seen);
  }
  seen.report(state);
}

void on_many(benchmark::State& state, const sluice::relation& what, fetch_mode mode) {
  counter seen;
  for (auto _ : state) {  // includes connecting
    sluice::parallel_range rows{dsn(), what, {.connections = connections(state), .query = {.mode = mode}}};
    count(rows, seen);
  }
  seen.report(state);
}

void by_libpq(benchmark::State& state, const std::string& table, const std::string& column) {
  sluice::bench::libpq_client db;
  const std::string sql = "select " + column + " from bench." + table;
  counter seen;
  for (auto _ : state) db.stream(sql.c_str(), [&](const char* text, std::size_t size) { seen.row(text, size); });
  seen.report(state);
}

/// With libpqxx's fastest API, which uses COPY in the text format.
void by_libpqxx(benchmark::State& state, const std::string& table) {
  pqxx::connection db{dsn() + " options='-c search_path=bench'"};
  counter seen;
  for (auto _ : state) {
    pqxx::work transaction{db};
    sluice::bench::read_documents_by_libpqxx(transaction, table, [&](std::string_view document) {
      seen.row(document.data(), document.size());
      return true;
    });
  }
  seen.report(state);
}

/// The server's share of the time, whatever the client.
void by_recv(benchmark::State& state, const std::string& sql) {
  sluice::bench::recv_loop db;
  std::size_t bytes = 0;
  for (auto _ : state) bytes += db.ask(sql);
  state.counters["MB_per_s"] = benchmark::Counter(static_cast<double>(bytes) / 1e6, benchmark::Counter::kIsRate);
}

/// Parses every document: in one consumer for all connections, or in one consumer per connection, each in its own
/// thread.
std::uint64_t age_of(const sluice::row& each, sluice::json_parser& parser) {
  sluice::json_document document = each.json(parser);
  return document["age"].get_uint64();
}

void parsed_by_one(benchmark::State& state, const sluice::relation& what) {
  std::uint64_t sum = 0;
  for (auto _ : state) {
    sluice::json_parser parser;
    sluice::parallel_range rows{dsn(), what, {.connections = connections(state)}};
    while (const sluice::chunk batch = rows.next())
      for (const sluice::row each : batch) sum += age_of(each, parser);
  }
  benchmark::DoNotOptimize(sum);
}

void parsed_by_each(benchmark::State& state, const sluice::relation& what) {
  struct alignas(64) consumer {
    sluice::json_parser parser{};
    std::uint64_t sum{0};
  };
  for (auto _ : state) {
    std::vector<consumer> all(connections(state));
    const auto use = [&all](sluice::chunk rows, std::uint32_t connection) -> asio::awaitable<void> {
      consumer& mine = all[connection];
      for (const sluice::row each : rows) mine.sum += age_of(each, mine.parser);
      co_return;
    };
    asio::thread_pool threads{connections(state)};
    (void)asio::co_spawn(threads, sluice::for_each_in_parallel(dsn(), what, use, {.connections = connections(state)}),
                         asio::use_future)
        .get();
    benchmark::DoNotOptimize(all.data());
  }
}

void timed(benchmark::internal::Benchmark* of) { of->UseRealTime()->Unit(benchmark::kMillisecond); }

void add(const std::string& table) {
  const auto named = [&](const char* what) { return table + '/' + what; };
  const sluice::relation json = documents(table, "data_json");
  const sluice::relation jsonb = documents(table, "data");
  const auto measure = [](const std::string& name, auto what) {
    return benchmark::RegisterBenchmark(name.c_str(), std::move(what))->Apply(timed);
  };
  const auto reading = [](auto how, const sluice::relation& what, fetch_mode mode) {
    return [how, what, mode](benchmark::State& state) { how(state, what, mode); };
  };
  measure(named("json_plain"), reading(on_one, json, fetch_mode::plain));
  measure(named("json_bulk"), reading(on_one, json, fetch_mode::bulk));
  measure(named("json_libpq"), [=](benchmark::State& state) { by_libpq(state, table, "data_json"); });
  measure(named("json_recv"), [=](benchmark::State& state) { by_recv(state, "select data_json from bench." + table); });
  measure(named("json_bulk_recv"), [=](benchmark::State& state) {
    by_recv(state, "copy bench." + table + " (data_json) to stdout (format binary)");
  });
  // The offset makes it a query instead of a whole table.
  measure(named("json_bulk_of_a_query"), reading(on_one, sluice::relation{json}.offset(0), fetch_mode::bulk));
  measure(named("json_in_parallel"), reading(on_many, json, fetch_mode::plain))->Arg(2);
  measure(named("json_in_parallel_bulk"), reading(on_many, json, fetch_mode::bulk))->Arg(2);
  measure(named("jsonb_plain"), reading(on_one, jsonb, fetch_mode::plain));
  measure(named("jsonb_bulk"), reading(on_one, jsonb, fetch_mode::bulk));
  measure(named("jsonb_libpq"), [=](benchmark::State& state) { by_libpq(state, table, "data"); });
  measure(named("jsonb_libpqxx_stream"), [=](benchmark::State& state) { by_libpqxx(state, table); });
  measure(named("jsonb_in_parallel"), reading(on_many, jsonb, fetch_mode::plain))->Arg(1)->Arg(2)->Arg(4);
  measure(named("jsonb_in_parallel_bulk"), reading(on_many, jsonb, fetch_mode::bulk))->Arg(2);
  measure(named("jsonb_parsed_by_one"), [=](benchmark::State& state) { parsed_by_one(state, jsonb); })->Arg(2);
  measure(named("jsonb_parsed_by_each"), [=](benchmark::State& state) { parsed_by_each(state, jsonb); })->Arg(2);
}

/// Ordered by a number in the documents, so that the server has to sort.
void add_ordered(const std::string& table) {
  const sluice::relation ordered = documents(table, "data").order_by(sluice::field("score").as_numeric());
  benchmark::RegisterBenchmark((table + "/in_order_plain").c_str(), [=](benchmark::State& state) {
    on_one(state, ordered, fetch_mode::plain);
  })->Apply(timed);
  benchmark::RegisterBenchmark((table + "/in_order_in_parallel").c_str(),
                               [=](benchmark::State& state) { on_many(state, ordered, fetch_mode::plain); })
      ->Arg(2)
      ->Apply(timed);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add("test_1m");
  add("test_10m");
  add_ordered("test_1m");
  benchmark::RunSpecifiedBenchmarks();
}
