// The result cache: what a hit costs, what a miss adds to its first row, and what a skewed trace makes of limited room.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <string>
#include <vector>
#include "cache/store.hpp"

#include "iterations.hpp"
#include "replay_server.hpp"

namespace {

const std::string& dsn() {
  static const sluice::bench::replay_server server;
  static const std::string text =
      "host=127.0.0.1 user=me dbname=app sslmode=disable port=" + std::to_string(server.port());
  return text;
}

asio::awaitable<std::size_t> read_all(sluice::pooled_stream rows) {
  std::size_t count = 0;
  for (;;) {
    const sluice::chunk chunk = co_await rows.next();
    if (!chunk) break;
    for (const sluice::row each : chunk) {
      benchmark::DoNotOptimize(each.text().data());
      ++count;
    }
  }
  co_return count;
}

template <class Work>
void run(benchmark::State& state, const Work& work, const sluice::cache_options& options = {}) {
  asio::io_context context{1};
  sluice::pool from{context.get_executor(), dsn(), {.idle_timeout = std::chrono::milliseconds{0}}};
  sluice::result_cache cache{from, options};
  auto done = asio::co_spawn(context, work(state, from, cache), asio::use_future);
  context.run();
  done.get();
}

asio::awaitable<void> hit(benchmark::State& state, const sluice::result_cache& cache, sluice::query what) {
  (void)co_await read_all(cache.stream(what));
  for (auto _ : state) {
    sluice::pooled_stream rows = cache.stream(what);
    for (;;) {
      const sluice::chunk chunk = co_await rows.next();
      if (!chunk) break;
      for (const sluice::row each : chunk) benchmark::DoNotOptimize(each.text().data());
    }
  }
  if (cache.stats().misses != 1) state.SkipWithError("the server was asked");
}

void cache_hit(benchmark::State& state) {
  const std::string rows = std::to_string(state.range(0));
  const std::string size = std::to_string(state.range(1));
  const sluice::query what = sluice::sql("select data from replay_" + rows + "_" + size + " where id = $1", 7);
  run(state, [&](benchmark::State& of, sluice::pool&, const sluice::result_cache& cache) {
    return hit(of, cache, sluice::query{what}.as_document());
  });
}

sluice::query one_user(int id) {
  return sluice::from("replay_1_120").column("data").where(sluice::field("id").as_numeric() == id).limit(1);
}

asio::awaitable<void> hit_relation(benchmark::State& state, const sluice::result_cache& cache) {
  for (auto _ : state) {
    sluice::pooled_stream rows = cache.stream(one_user(7));
    for (;;) {
      const sluice::chunk chunk = co_await rows.next();
      if (!chunk) break;
    }
  }
}
void cache_hit_with_its_query_built(benchmark::State& state) {
  run(state,
      [](benchmark::State& of, sluice::pool&, const sluice::result_cache& cache) { return hit_relation(of, cache); });
}
void cache_query_built(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(one_user(7));
}

asio::awaitable<void> first_rows(benchmark::State& state, const sluice::pool& from, const sluice::result_cache* cache) {
  int id = 0;
  for (auto _ : state) {
    sluice::query what = sluice::sql("select data from replay_100_1024 where id = $1", ++id).as_document();
    sluice::pooled_stream rows = cache == nullptr ? from.stream(std::move(what)) : cache->stream(std::move(what));
    const sluice::chunk first = co_await rows.next();
    benchmark::DoNotOptimize(static_cast<bool>(first));
    state.PauseTiming();
    (void)co_await read_all(std::move(rows));
    state.ResumeTiming();
  }
}
void cache_first_row_without(benchmark::State& state) {
  run(state,
      [](benchmark::State& of, sluice::pool& from, sluice::result_cache&) { return first_rows(of, from, nullptr); });
}
void cache_first_row_of_a_miss(benchmark::State& state) {
  run(state, [](benchmark::State& of, sluice::pool& from, sluice::result_cache& cache) {
    return first_rows(of, from, &cache);
  });
}

using sluice::detail::entry;
using sluice::detail::store;

/// A store with one document of this size under each key that is asked for.
class filled_store {
 public:
  filled_store(std::size_t bytes, std::size_t document_size)
      : results_{{.total = bytes, .each = 1U << 20U}}, row_{1, std::byte{'D'}} {
    row_.resize(document_size + 11);
    const auto put = [&](std::size_t at, std::size_t value) {
      for (int i = 3; i >= 0; --i, value >>= 8U) row_[at + static_cast<std::size_t>(i)] = static_cast<std::byte>(value);
    };
    put(1, document_size + 10);
    row_[6] = std::byte{1};
    put(7, document_size);
  }
  bool ask(const std::string& key) {
    if (const entry* const found = results_.find("select data from t where id = $1", key)) {
      results_.count_hit(*found);
      return true;
    }
    store::fill fill = results_.begin_fill("select data from t where id = $1", tags_, key, {});
    (void)results_.add(fill, {.bytes = row_, .shape = {}, .count = 1}, nullptr);
    results_.give_up(fill);
    return false;
  }
  void invalidate() { results_.invalidate(tags_.front()); }
  /// As the cache does later.
  void sweep() {
    while (results_.sweep()) {
    }
  }
  [[nodiscard]] const store& results() const noexcept { return results_; }

 private:
  store results_;
  std::vector<std::byte> row_;
  std::vector<std::string> tags_{"t"};
};

/// Draws 100,000 keys by Zipf's law.
class skewed_keys {
 public:
  static constexpr std::size_t count = 100'000;
  explicit skewed_keys(double exponent) {
    for (std::size_t i = 1; i <= count; ++i)
      sums_.push_back((sums_.empty() ? 0 : sums_.back()) + std::pow(static_cast<double>(i), -exponent));
  }
  std::string next() {
    const double at = std::uniform_real_distribution{0.0, sums_.back()}(random_);
    return std::to_string(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
  std::mt19937_64 random_{7};
};

/// How many of the calls are hits. The arguments are a hundred times the exponent, for how many of a hundred keys there
/// is room, and after how many calls each time everything is invalidated (0: never).
void cache_skewed_trace(benchmark::State& state) {
  constexpr std::size_t document_size = 1'024;
  constexpr std::size_t each = document_size + 11 + 64 + 32;
  skewed_keys keys{static_cast<double>(state.range(0)) / 100};
  const auto room = static_cast<std::size_t>(state.range(1));
  const auto invalidated_after = static_cast<std::uint64_t>(state.range(2));
  filled_store cache{skewed_keys::count / 100 * room * each, document_size};
  std::uint64_t calls = 0;
  std::uint64_t hits = 0;
  const auto ask = [&] {
    if (invalidated_after != 0 && calls % invalidated_after == 0) {
      cache.invalidate();
      cache.sweep();
    }
    return cache.ask(keys.next());
  };
  for (int i = 0; i < 300'000; ++i, ++calls) (void)ask();
  const std::uint64_t before = calls;
  for (auto _ : state) {
    hits += ask();
    ++calls;
  }
  state.counters["hits_percent"] = 100.0 * static_cast<double>(hits) / static_cast<double>(calls - before);
}

/// Bytes that the cache counts for documents of a kilobyte, as a share of the rows that the server sent.
void cache_overhead(benchmark::State& state) {
  constexpr std::size_t document_size = 1'024;
  filled_store cache{1U << 30U, document_size};
  std::uint64_t key = 0;
  for (auto _ : state) (void)cache.ask(std::to_string(++key));
  const double data = static_cast<double>(cache.results().entries() * (document_size + 11));
  state.counters["overhead_percent"] = 100.0 * (static_cast<double>(cache.results().bytes()) / data - 1);
}

BENCHMARK(cache_hit)->Args({1, 120})->Args({10, 120})->Args({1, 100'000})->Apply(sluice::bench::as_asked);
BENCHMARK(cache_query_built)->Apply(sluice::bench::as_asked);
BENCHMARK(cache_hit_with_its_query_built)->Apply(sluice::bench::as_asked);
BENCHMARK(cache_first_row_without)->Apply(sluice::bench::as_asked)->UseRealTime();
BENCHMARK(cache_first_row_of_a_miss)->Apply(sluice::bench::as_asked)->UseRealTime();
BENCHMARK(cache_skewed_trace)
    ->ArgsProduct({{0, 90, 100, 110}, {1, 10, 50}, {0}})
    ->ArgsProduct({{100}, {10}, {100, 1'000, 10'000, 100'000}})
    ->Iterations(300'000);
BENCHMARK(cache_overhead)->Iterations(100'000);

}  // namespace
