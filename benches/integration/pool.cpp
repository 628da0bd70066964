// A pool on a real server (SLUICE_TEST_DSN, as ci/with-postgres sets it): the cost of acquiring and returning a
// connection without contention, compared with a bare recv on an idle socket, which is the least that a check for a
// live connection takes; and a query through the pool, compared with one on a connection without a pool.
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>

#include "server.hpp"

namespace {

using sluice::bench::dsn;

template <class T>
T run(asio::io_context& context, asio::awaitable<T> work) {
  auto done = asio::co_spawn(context, std::move(work), asio::use_future);
  context.restart();
  context.run();
  return done.get();
}

void recv_on_idle_socket(benchmark::State& state) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) throw std::runtime_error{"no sockets"};
  std::array<char, 64> bytes{};
  for (auto _ : state) benchmark::DoNotOptimize(::recv(ends[0], bytes.data(), bytes.size(), MSG_DONTWAIT));
  ::close(ends[0]);
  ::close(ends[1]);
}

asio::awaitable<void> lend_and_take(benchmark::State& state, sluice::pool& from) {
  for (auto _ : state) {
    const sluice::pooled_connection lent = co_await from.acquire();
    benchmark::DoNotOptimize(static_cast<bool>(lent));
  }
}

void acquire_and_release(benchmark::State& state) {
  asio::io_context context{1};
  sluice::pool lent{context.get_executor(), dsn(), {.idle_timeout = std::chrono::milliseconds{0}}};
  run(context, lend_and_take(state, lent));
}

asio::awaitable<void> ask(sluice::connection& on, const sluice::query& what) {
  sluice::row_stream rows = co_await on.stream(what);
  while (const sluice::chunk batch = co_await rows.next())
    for (const sluice::row each : batch) benchmark::DoNotOptimize(each.text().data());
}

asio::awaitable<void> ask_through(benchmark::State& state, sluice::pool& from) {
  const sluice::query what = sluice::sql("select to_json(1)").as_document();
  for (auto _ : state) {
    sluice::pooled_connection lent = co_await from.acquire();
    co_await ask(*lent, what);
  }
}

void query_through_the_pool(benchmark::State& state) {
  asio::io_context context{1};
  sluice::pool lent{context.get_executor(), dsn(), {.idle_timeout = std::chrono::milliseconds{0}}};
  run(context, ask_through(state, lent));
}

asio::awaitable<void> ask_directly(benchmark::State& state) {
  sluice::connection own = co_await sluice::connect(dsn());
  const sluice::query what = sluice::sql("select to_json(1)").as_document();
  for (auto _ : state) co_await ask(own, what);
}

void query_on_a_connection(benchmark::State& state) {
  asio::io_context context{1};
  run(context, ask_directly(state));
}

BENCHMARK(recv_on_idle_socket);
BENCHMARK(acquire_and_release);
BENCHMARK(query_on_a_connection)->UseRealTime();
BENCHMARK(query_through_the_pool)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
