// Queries of one row by its key, prepared, on one and on eight connections of one thread: in coroutines, through a pool
// and on connections of their own, and in a thread; beside pgbench, whose own figures are read, beside a bare loop of
// epoll_wait, recv and send, which looks at nothing and is what any client needs at least, beside coroutines of Asio
// that do no more than that loop: what any client needs that waits in them, and beside the least client with an API
// like ours. Times are per query.
#include <benchmark/benchmark.h>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <sluice/proto/byte_order.hpp>
#include <sluice/sluice.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "accounts.hpp"
#include "bare_session.hpp"
#include "minimal_client.hpp"
#include "rethrow.hpp"
#include "server.hpp"
#include "tally.hpp"

namespace {

using sluice::bench::accounts;
using sluice::bench::bare_loop;
using sluice::bench::bare_session;
using sluice::bench::by_key;
using sluice::bench::dsn;
using sluice::bench::load_accounts;
using sluice::bench::minimal_client;
using sluice::bench::prepared;
using sluice::bench::processor_seconds;
using sluice::bench::rethrow;

using clock = std::chrono::steady_clock;

constexpr int seconds_of_pgbench = 2;
constexpr int queries = 100'000;  // for all connections together

/// The output of pgbench for its built-in query by key.
std::string run_pgbench(int connections) {
  const std::string command = "pgbench -n -S -M prepared -j 1 -c " + std::to_string(connections) + " -T " +
                              std::to_string(seconds_of_pgbench) + " '" + dsn() + "' 2> /dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> from{::popen(command.c_str(), "r"), &::pclose};
  if (from == nullptr) throw std::runtime_error{"pgbench cannot be run"};
  std::string said;
  std::array<char, 4'096> some{};
  while (const std::size_t count = std::fread(some.data(), 1, some.size(), from.get())) said.append(some.data(), count);
  return said;
}

double figure(const std::string& said, const std::string& label) {
  const std::size_t at = said.find(label);
  if (at == std::string::npos) throw std::runtime_error{"pgbench did not say \"" + label + "\": " + said};
  return std::stod(said.substr(at + label.size()));
}

void by_pgbench(benchmark::State& state) {
  load_accounts();
  for (auto _ : state) {
    const double before = processor_seconds(RUSAGE_CHILDREN);
    const std::string said = run_pgbench(static_cast<int>(state.range(0)));
    const double count = figure(said, "number of transactions actually processed: ");
    state.SetIterationTime(1 / figure(said, "tps = "));
    state.counters["cpu_us_per_query"] = (processor_seconds(RUSAGE_CHILDREN) - before) / count * 1e6;
  }
}

/// What the tasks of one thread share.
struct load {
  int left{queries};
  std::int64_t sum{0};
};

asio::awaitable<void> ask(sluice::connection& on, load& of) {
  sluice::row_stream rows = co_await on.stream(by_key(of.left));
  while (const sluice::chunk some = co_await rows.next())
    for (const sluice::row each : some) of.sum += each.get<int>(0);
}

asio::awaitable<void> task_of_the_pool(sluice::pool& from, load& of) {
  while (of.left-- > 0) {
    sluice::pooled_connection lent = co_await from.acquire();
    co_await ask(*lent, of);
  }
}

asio::awaitable<void> task_with_a_connection(sluice::connection on, load& of) {
  while (of.left-- > 0) co_await ask(on, of);
}

void report(benchmark::State& state, clock::time_point began, double before) {
  state.SetIterationTime(std::chrono::duration<double>(clock::now() - began).count() / queries);
  state.counters["cpu_us_per_query"] = (processor_seconds() - before) / queries * 1e6;
}

void through_a_pool(benchmark::State& state) {
  load_accounts();
  const auto connections = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    asio::io_context context{1};
    sluice::pool lent{context.get_executor(), dsn(), sluice::bench::of_size(connections), prepared()};
    asio::co_spawn(context, lent.warm_up(), rethrow);
    context.run();
    load of;
    const auto began = clock::now();
    const double before = processor_seconds();
    for (std::size_t i = 0; i < connections; ++i) asio::co_spawn(context, task_of_the_pool(lent, of), rethrow);
    context.restart();
    context.run();
    report(state, began, before);
    lent.close();
  }
}

asio::awaitable<void> connect(std::vector<sluice::connection>& to) {
  to.push_back(co_await sluice::connect(dsn(), prepared()));
}

void on_connections(benchmark::State& state) {
  load_accounts();
  for (auto _ : state) {
    asio::io_context context{1};
    std::vector<sluice::connection> made;
    for (std::int64_t i = 0; i < state.range(0); ++i) asio::co_spawn(context, connect(made), rethrow);
    context.run();
    load of;
    const auto began = clock::now();
    const double before = processor_seconds();
    for (sluice::connection& each : made) asio::co_spawn(context, task_with_a_connection(std::move(each), of), rethrow);
    context.restart();
    context.run();
    report(state, began, before);
  }
}

/// What every query needs, and nothing else: it is prepared once, each query is one write, and one read if all is well.
struct bare_query {
  static void prepare(bare_session& on) {
    using namespace std::string_literals;
    const std::string parse = "s\0select abalance from pgbench_accounts where aid = $1\0\0\1\0\0\0\x17"s;
    on.write(bare_session::message("P", parse) + bare_session::message("S", {}));
    while (!bare_session::is_ready(on.read())) continue;
  }
  /// @return false if there is nothing left to ask
  static bool ask(const bare_session& on, load& of) {
    using namespace std::string_literals;
    if (of.left-- <= 0) return false;
    const auto key = static_cast<std::uint32_t>(1 + of.left * 7'919LL % accounts);
    std::string bind = "\0s\0\0\1\0\1\0\1\0\0\0\4"s;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) bind += static_cast<char>(key >> shift);
    on.write(bare_session::message("B", bind + "\0\1\0\1"s) + bare_session::message("E", "\0\0\0\0\0"s) +
             bare_session::message("S", {}));
    return true;
  }
};

void by_a_bare_loop(benchmark::State& state) {
  load_accounts();
  for (auto _ : state) {
    bare_loop loop{static_cast<std::size_t>(state.range(0))};
    for (bare_session& each : loop.sessions()) bare_query::prepare(each);
    load of;
    const auto began = clock::now();
    const double before = processor_seconds();
    for (const bare_session& each : loop.sessions()) bare_query::ask(each, of);
    of.sum += static_cast<std::int64_t>(loop.run([&](const bare_session& on) { return bare_query::ask(on, of); }));
    report(state, began, before);
    benchmark::DoNotOptimize(of.sum);
  }
}

/// @param watched  the session's descriptor
asio::awaitable<void> task_of_bare_coroutines(bare_session& on, asio::posix::stream_descriptor& watched, load& of) {
  while (bare_query::ask(on, of)) {
    do {
      co_await watched.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
      of.sum += 1;
    } while (!bare_session::is_ready(on.read()));
  }
}

void by_bare_coroutines(benchmark::State& state) {
  load_accounts();
  for (auto _ : state) {
    asio::io_context context{1};
    std::deque<bare_session> on(static_cast<std::size_t>(state.range(0)));
    std::deque<asio::posix::stream_descriptor> watched;
    load of;
    for (bare_session& each : on) {
      bare_query::prepare(each);
      asio::co_spawn(context, task_of_bare_coroutines(each, watched.emplace_back(context, each.descriptor()), of),
                     rethrow);
    }
    const auto began = clock::now();
    const double before = processor_seconds();
    context.run();
    report(state, began, before);
    for (asio::posix::stream_descriptor& each : watched) each.release();
  }
}

asio::awaitable<void> task_of_a_minimal_client(minimal_client& on, load& of) {
  while (of.left-- > 0) {
    minimal_client::rows rows = co_await on.stream(by_key(of.left));
    while (const std::optional<std::span<const std::byte>> row = co_await rows.next())
      of.sum += static_cast<std::int32_t>(sluice::proto::load_big<std::uint32_t>(row->data() + 6));  // behind counts
  }
}

void by_a_minimal_client(benchmark::State& state) {
  load_accounts();
  for (auto _ : state) {
    asio::io_context context{1};
    std::deque<minimal_client> on;
    for (std::int64_t i = 0; i < state.range(0); ++i) on.emplace_back(context, by_key(0).text());
    load of;
    const auto began = clock::now();
    const double before = processor_seconds();
    for (minimal_client& each : on) asio::co_spawn(context, task_of_a_minimal_client(each, of), rethrow);
    context.run();
    report(state, began, before);
    benchmark::DoNotOptimize(of.sum);
  }
}

void in_a_thread(benchmark::State& state) {
  load_accounts();
  sluice::client db{dsn(), prepared()};
  for (auto _ : state) {
    load of;
    const auto began = clock::now();
    const double before = processor_seconds();
    while (of.left-- > 0) {
      sluice::row_range rows = db.stream(by_key(of.left));
      while (const sluice::chunk some = rows.next())
        for (const sluice::row each : some) of.sum += each.get<int>(0);
    }
    report(state, began, before);
  }
}

BENCHMARK(by_pgbench)->Arg(1)->Arg(8)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(by_a_bare_loop)->Arg(1)->Arg(8)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(by_bare_coroutines)->Arg(1)->Arg(8)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(by_a_minimal_client)->Arg(1)->Arg(8)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(through_a_pool)->Arg(1)->Arg(8)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(on_connections)->Arg(1)->Arg(8)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(in_a_thread)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
