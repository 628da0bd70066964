// A million rows read by a coroutine and by a thread, over TCP and over the Unix socket, of a real server
// (SLUICE_TEST_DSN, as ci/with-postgres sets it). On the Unix socket also by a coroutine that looks at no row: what
// Asio's wakings take, one for each of the server's writes.
#include <benchmark/benchmark.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <cstdint>
#include <sluice/sluice.hpp>
#include <string>

#include "bare_session.hpp"
#include "reading.hpp"
#include "server.hpp"
#include "tally.hpp"

namespace {

using sluice::bench::bare_session;
using sluice::bench::dsn;
using sluice::bench::tally;
using sluice::bench::tcp_dsn;

enum class by : std::uint8_t { thread, coroutine };

sluice::query all_of(const std::string& view) { return sluice::sql("select data from " + view).as_document(); }

void read_in_thread(const std::string& where, const sluice::query& what, tally& counted) {
  sluice::client on{where};
  sluice::bench::read(on, what, counted);
}

asio::awaitable<void> read(const std::string& where, const sluice::query& what, tally& counted) {
  sluice::connection on = co_await sluice::connect(where);
  counted.begin();
  sluice::row_stream rows = co_await on.stream(what);
  while (const sluice::chunk some = co_await rows.next())
    for (const sluice::row each : some) counted.row(each.text().size());
  counted.end();
}

void read_in_coroutine(const std::string& where, const sluice::query& what, tally& counted) {
  asio::io_context context{1};
  auto done = asio::co_spawn(context, read(where, what, counted), asio::use_future);
  context.run();
  done.get();
}

void million_rows(benchmark::State& state, by whom, const std::string& where, const std::string& view) {
  const sluice::query what = all_of(view);
  tally counted;
  for (auto _ : state) {
    if (whom == by::thread)
      read_in_thread(where, what, counted);
    else
      read_in_coroutine(where, what, counted);
  }
  counted.report(state);
}

/// Waits and reads until the answer is complete.
asio::awaitable<void> read_unseen(bare_session& on, asio::posix::stream_descriptor& watched) {
  do co_await watched.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
  while (!bare_session::is_ready(on.read()));
}

void unseen_rows(benchmark::State& state, const std::string& view) {
  const std::string ask = bare_session::message("Q", "select data from " + view + '\0');
  for (auto _ : state) {
    asio::io_context context{1};
    bare_session on;
    asio::posix::stream_descriptor watched{context, on.descriptor()};
    on.write(ask);
    asio::co_spawn(context, read_unseen(on, watched), asio::detached);
    context.run();
    watched.release();
  }
}

void compare(const char* name, const std::string& where, const std::string& view) {
  for (const by whom : {by::thread, by::coroutine}) {
    const std::string title = std::string{name} + (whom == by::thread ? "/thread" : "/coroutine");
    benchmark::RegisterBenchmark(title.c_str(),
                                 [=](benchmark::State& state) { million_rows(state, whom, where, view); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  compare("tcp_json", tcp_dsn(), "v_test_1m_json");
  compare("tcp_jsonb", tcp_dsn(), "v_test_1m");
  compare("unix_json", dsn(), "v_test_1m_json");
  compare("unix_jsonb", dsn(), "v_test_1m");
  for (const char* view : {"v_test_1m_json", "v_test_1m"})
    benchmark::RegisterBenchmark((std::string{"unix_unseen/"} + view).c_str(), unseen_rows, view)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1);
  benchmark::RunSpecifiedBenchmarks();
}
