// A result cache under random reads, writes, invalidations, lost feeds, cancellations and evictions, against what was
// written: no result is older than allowed, and none is another key's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <sluice/cache/invalidations.hpp>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <string>
#include <thread>
#include <vector>

#include "cluster.hpp"

namespace cache_model_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using sluice::cache_use;
using sluice::sql;

constexpr int keys = 24;
constexpr std::array<const char*, 4> tags{"group 0", "group 1", "group 2", "group 3"};
constexpr std::chrono::milliseconds ttl{60};

struct written {
  int version{0};
  clock::time_point done{clock::time_point::min()};
};

/// What was written, as far as the server has confirmed it.
struct reference {
  std::array<int, keys> begun{};      ///< the highest version that may be there
  std::array<int, keys> announced{};  ///< written, and its tag invalidated here afterwards
  std::array<std::vector<written>, keys> history{};

  [[nodiscard]] int least_at(std::size_t key, clock::time_point when) const {
    int least = 0;
    for (const written& each : history[key])
      if (each.done <= when) least = std::max(least, each.version);
    return least;
  }
};

struct scene {
  explicit scene(asio::io_context& on, const std::string& relation_name, unsigned random_seed)
      : relation{relation_name},
        pool{on.get_executor(), dsn(), {.max_size = 6}},
        cache{pool, {.max_bytes = 6'000, .max_entry_bytes = 3'000, .ttl = ttl, .max_wait = 20ms}},
        random{random_seed} {
    const sluice::invalidation_options soon{
        .probe_interval = 15ms, .probe_timeout = 1s, .backoff = 1ms, .listen = {.backoff = 1ms}};
    feed.emplace(dsn() + " application_name=feed_of_" + relation, cache, soon);
  }
  unsigned below(unsigned n) { return static_cast<unsigned>(random() % n); }

  std::string relation;
  sluice::pool pool;
  sluice::result_cache cache;
  std::optional<sluice::invalidations> feed;
  std::mt19937 random;
  reference truth;
  int reads{0};
};

sluice::query document_of(const scene& at, std::size_t key) {
  return sql("select data from " + at.relation + " where k = $1", static_cast<int>(key)).as_document();
}

asio::awaitable<void> read(scene& at) {
  const std::size_t key = at.below(keys);
  cache_use how;
  how.tag = tags[key % tags.size()];
  if (at.below(12) == 0) how.how = cache_use::mode::refresh;
  if (at.below(20) == 0) how.how = cache_use::mode::bypass;
  sluice::pooled_stream rows = at.cache.stream(document_of(at, key), how);
  const auto began = clock::now();
  const int announced = at.truth.announced[key];
  const int confirmed = at.truth.least_at(key, began);
  const sluice::chunk chunk = co_await rows.next();
  EXPECT_TRUE(chunk);
  const std::string text{(*chunk.begin()).text()};
  if (at.below(8) == 0) co_return;  // it is left here
  if (at.below(10) == 0) {
    const sluice::leaving left = co_await rows.cancel();
    (void)left;
    co_return;
  }
  const sluice::chunk end = co_await rows.next();
  EXPECT_FALSE(end);
  int found_key = -1;
  int version = -1;
  EXPECT_EQ(std::sscanf(text.c_str(), "{\"k\": %d, \"v\": %d,", &found_key, &version), 2) << text;
  EXPECT_EQ(found_key, static_cast<int>(key)) << "another key's result";
  EXPECT_LE(version, at.truth.begun[key]);
  EXPECT_GE(version, announced) << "older than an invalidation";
  EXPECT_GE(version, at.truth.least_at(key, began - ttl)) << "older than its time to live";
  if (how.how != cache_use::mode::normal) {
    EXPECT_GE(version, confirmed) << "not refreshed";
  }
  ++at.reads;
}

asio::awaitable<void> write(scene& at) {
  const std::size_t key = at.below(keys);
  const int version = ++at.truth.begun[key];
  const bool notifies = at.below(2) == 0;
  const std::string tag = tags[key % tags.size()];
  sluice::query update =
      sql("with changed as (update " + at.relation +
              " set data = jsonb_build_object('k', k, 'v', $2::int, 'x', repeat('x', $3::int)) where k = $1 and "
              "(data->>'v')::int < $2::int returning 1) select case when $4::bool then "
              "pg_notify('sluice_invalidate', $5)::text end from changed",
          static_cast<int>(key), version, static_cast<int>(at.below(600)), notifies, tag);
  (void)co_await at.pool.execute(std::move(update));
  at.truth.history[key].push_back({version, clock::now()});
  if (at.below(2) == 0) {
    at.cache.invalidate(tag);
    at.truth.announced[key] = std::max(at.truth.announced[key], version);
  }
}

asio::awaitable<void> act(scene& at, int steps) {
  asio::steady_timer pause{co_await asio::this_coro::executor};
  for (int i = 0; i < steps; ++i) {
    const unsigned which = at.below(100);
    if (which < 80) {
      co_await read(at);
    } else if (which < 96) {
      co_await write(at);
    } else if (which < 98) {
      pause.expires_after(std::chrono::milliseconds{at.below(10)});
      co_await pause.async_wait(asio::use_awaitable);
    } else if (which < 99) {
      at.cache.invalidate_all();
    } else {
      sluice::query loss = sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
                               "feed_of_" + at.relation);
      (void)co_await at.pool.execute(std::move(loss));
    }
    EXPECT_LE(at.cache.stats().bytes, 6'000U + 3'000U);
  }
}

void play(const std::string& relation, unsigned seed) {
  psql("drop table if exists " + relation + "; create table " + relation +
       " (k int primary key, data jsonb); insert into " + relation +
       " select n, jsonb_build_object('k', n, 'v', 0, 'x', '') from generate_series(0, 23) n");
  asio::io_context context{1};
  scene at{context, relation, seed};
  constexpr int tasks = 8;
  int left = tasks;
  for (int i = 0; i < tasks; ++i)
    asio::co_spawn(context, act(at, 250), [&](const std::exception_ptr& why) {
      try {
        if (why) std::rethrow_exception(why);
      } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
      }
      if (--left != 0) return;
      at.feed.reset();
      at.pool.close();
    });
  context.run();
  const sluice::cache_stats stats = at.cache.stats();
  EXPECT_GT(at.reads, 1'000);
  EXPECT_GT(stats.hits, 0U);
  EXPECT_GT(stats.evicted, 0U);
  EXPECT_GT(stats.discarded, 0U);
}

TEST(CacheModel, ServesNothingOlderThanAllowedAndNothingOfAnotherKey) {
  for (unsigned seed = 1; seed <= 4; ++seed) play("cache_model", seed);
}

TEST(CacheModel, IsTheSameForACacheInEachThread) {
  std::jthread one{[] { play("cache_model_1", 11); }};
  std::jthread two{[] { play("cache_model_2", 12); }};
}

}  // namespace
}  // namespace cache_model_test
