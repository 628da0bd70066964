// How long a change takes to its consumer when 1,000 transactions a second are committed: a blocking stream and a
// coroutine, each row as JSON and acknowledged, and pg_recvlogical, whose output is read through a pipe. A change's
// time begins when its transaction was due, not when it could be sent, so that a delay counts for all behind it; it
// includes the insert and the commit, whose own times are reported beside it.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <sluice/sluice.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/single_row.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "accounts.hpp"
#include "open_loop.hpp"
#include "rethrow.hpp"
#include "server.hpp"

namespace {

using sluice::bench::dsn;
using sluice::bench::microseconds;
using sluice::bench::rethrow;
using clock = std::chrono::steady_clock;

constexpr double rate = 1'000;
constexpr int count = 5'000;
constexpr std::size_t writers = 8;

/// The table, its publication, and a slot for one run.
class slot_for_a_run {
 public:
  slot_for_a_run() {
    static const bool is_made = make();
    (void)is_made;
    db_.execute("select pg_create_logical_replication_slot('bench_timed', 'pgoutput')");
  }
  ~slot_for_a_run() {
    end_reader();
    db_.execute("select pg_drop_replication_slot('bench_timed')");
  }
  slot_for_a_run(const slot_for_a_run&) = delete;
  slot_for_a_run& operator=(const slot_for_a_run&) = delete;

  void wait_for_reader() {
    while (!sluice::value<bool>(db_,
                                sluice::sql("select active from pg_replication_slots where slot_name = 'bench_timed'")))
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  void end_reader() {
    db_.execute(
        "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = 'bench_timed' and "
        "active_pid is not null");
  }

 private:
  static bool make() {
    sluice::client db{dsn()};
    db.execute(
        "create table bench_timed (id bigint generated always as identity primary key, due text);"
        "create publication bench_timed for table bench_timed");
    return true;
  }

  sluice::client db_{dsn()};
};

/// The moment at which a row's transaction was due is in its text.
std::string told(clock::time_point due) { return "due:" + std::to_string(due.time_since_epoch().count()) + ';'; }
/// Adds the ages of all rows in `text`.
/// @return what does not belong to a whole row
std::string_view measure(std::string_view text, microseconds& took) {
  constexpr std::string_view mark{"due:"};
  for (;;) {
    const std::size_t begin = text.find(mark);
    const std::size_t end = text.find(';', begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return text;
    clock::rep due = 0;
    std::from_chars(text.data() + begin + mark.size(), text.data() + end, due);
    took.push_back(sluice::bench::microseconds_since(clock::time_point{clock::duration{due}}));
    text.remove_prefix(end + 1);
  }
}

asio::awaitable<void> insert(sluice::pool& with, clock::time_point due, microseconds& took) {
  sluice::query row = sluice::sql("insert into bench_timed (due) values ($1)", told(due));
  (void)co_await with.execute(std::move(row));
  took.push_back(sluice::bench::microseconds_since(due));
}

/// Commits all transactions, in another thread.
/// @return how long each took to be committed, as the writer saw it
std::future<microseconds> write_at_a_rate() {
  return std::async(std::launch::async, [] {
    microseconds took;
    asio::io_context context{1};
    // Otherwise nothing is sent before the server has written its log, up to 200 ms later.
    sluice::pool with{context.get_executor(), dsn() + " options='-c synchronous_commit=on'",
                      sluice::bench::of_size(writers), sluice::bench::prepared()};
    asio::co_spawn(context, with.warm_up(), rethrow);
    context.run();
    context.restart();
    asio::co_spawn(context,
                   sluice::bench::at_a_rate(
                       rate, count,
                       [&](int, clock::time_point due) { asio::co_spawn(context, insert(with, due, took), rethrow); }),
                   rethrow);
    context.run();
    return took;
  });
}

sluice::change_options how() {
  sluice::change_options wanted;
  wanted.slot = "bench_timed";
  wanted.publications.emplace_back("bench_timed");
  return wanted;
}

void measure(const sluice::change_chunk& some, microseconds& took) {
  for (const sluice::change each : some) measure(each.text(), took);
}

microseconds follow_in_a_thread(slot_for_a_run& /*slot*/, std::future<microseconds>& writing) {
  microseconds took;
  sluice::blocking_change_stream changes{dsn(), how()};
  writing = write_at_a_rate();
  while (took.size() < count) {
    const sluice::change_chunk some = changes.next();
    measure(some, took);
    changes.acknowledge(some.last());
  }
  changes.close();
  return took;
}

asio::awaitable<void> follow_until_all(std::future<microseconds>& writing, microseconds& took) {
  sluice::change_options wanted = how();
  sluice::change_stream changes = co_await sluice::follow(dsn(), std::move(wanted));
  writing = write_at_a_rate();
  while (took.size() < count) {
    const sluice::change_chunk some = co_await changes.next();
    measure(some, took);
    changes.acknowledge(some.last());
  }
  co_await changes.close();
}

microseconds follow_in_a_coroutine(slot_for_a_run& /*slot*/, std::future<microseconds>& writing) {
  microseconds took;
  asio::io_context context{1};
  asio::co_spawn(context, follow_until_all(writing, took), rethrow);
  context.run();
  return took;
}

microseconds follow_by_pg_recvlogical(slot_for_a_run& slot, std::future<microseconds>& writing) {
  const std::string command = "pg_recvlogical -d '" + dsn() +
                              "' -S bench_timed --start --no-loop -o proto_version=1 -o publication_names=bench_timed "
                              "-f - 2> /dev/null";
  std::FILE* const output = ::popen(command.c_str(), "r");
  if (output == nullptr) throw std::runtime_error{"pg_recvlogical does not start"};
  slot.wait_for_reader();
  writing = write_at_a_rate();
  microseconds took;
  std::string text;
  std::vector<char> some(std::size_t{64} << 10U);
  while (took.size() < count) {
    const ssize_t got = ::read(::fileno(output), some.data(), some.size());
    if (got <= 0) throw std::runtime_error{"pg_recvlogical ended"};
    text.append(some.data(), static_cast<std::size_t>(got));
    text = std::string{measure(text, took)};
  }
  slot.end_reader();
  ::pclose(output);
  return took;
}

template <class Follow>
void measure(benchmark::State& state, const Follow& follow) {
  for (auto _ : state) {
    slot_for_a_run slot;
    std::future<microseconds> writing;
    const sluice::bench::percentiles consumed{follow(slot, writing)};
    const sluice::bench::percentiles committed{writing.get()};
    state.SetIterationTime(consumed.at(0.5) * 1e-6);
    state.counters["p50_us"] = consumed.at(0.5);
    state.counters["p95_us"] = consumed.at(0.95);
    state.counters["p99_us"] = consumed.at(0.99);
    state.counters["committed_p50_us"] = committed.at(0.5);
    state.counters["committed_p95_us"] = committed.at(0.95);
    state.counters["committed_p99_us"] = committed.at(0.99);
  }
}

void in_a_thread(benchmark::State& state) { measure(state, follow_in_a_thread); }
void in_a_coroutine(benchmark::State& state) { measure(state, follow_in_a_coroutine); }
void by_pg_recvlogical(benchmark::State& state) { measure(state, follow_by_pg_recvlogical); }

BENCHMARK(in_a_thread)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(in_a_coroutine)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(by_pg_recvlogical)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
