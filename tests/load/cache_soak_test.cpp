// A result cache in storms of invalidations, for SLUICE_SOAK_SECONDS (20 by default): readers of skewed keys, writers
// that invalidate what they wrote, tags and everything invalidated thousands of times a second, a feed of changes whose
// connection is terminated again and again. No result is older than the last announced write; memory stays within its
// bound and does not grow. Run by ci/cache-soak.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sluice/cache/invalidations.hpp>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <string>
#include <vector>

#include "cluster.hpp"
#include "process.hpp"

namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::cache_use;
using sluice::sql;
using clock = std::chrono::steady_clock;

constexpr std::size_t keys = 2'000;
constexpr std::size_t most_bytes{64U << 10U};  // less than all results need
constexpr long slack{8L << 20};                // an allocator keeps freed memory

/// Draws keys by Zipf's law.
class skewed {
 public:
  skewed() {
    for (std::size_t i = 0; i < keys; ++i)
      sums_.push_back((sums_.empty() ? 0 : sums_.back()) + 1 / static_cast<double>(i + 1));
  }
  std::size_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution{0.0, sums_.back()}(random);
    return static_cast<std::size_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

struct storm {
  explicit storm(asio::io_context& on, clock::duration length)
      : pool{on.get_executor(), dsn(), {.max_size = 6}},
        cache{pool, {.max_bytes = most_bytes, .ttl = 5s, .serve_stale = 1s, .max_wait = 100ms}},
        ends{clock::now() + length} {}

  sluice::pool pool;
  sluice::result_cache cache;
  clock::time_point ends;
  skewed draw{};
  std::mt19937_64 random{7};               // NOLINT(cert-msc32-c, cert-msc51-cpp): the same each time
  std::array<int, keys> begun{};           ///< the highest version that there may be
  std::array<int, keys> announced{};       ///< committed, and invalidated after that
  std::array<bool, keys> being_written{};  ///< by one writer at a time
  std::uint64_t reads{0};
  std::uint64_t wrong{0};
  std::uint64_t failed{0};
  std::uint64_t writes{0};
  std::uint64_t invalidations{0};
  std::size_t peak{0};

  [[nodiscard]] bool goes_on() const { return clock::now() < ends; }
  [[nodiscard]] bool one_in(std::uint64_t count) { return random() % count == 0; }
};

asio::awaitable<void> rest(clock::duration time) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  asio::steady_timer timer{on, time};
  co_await timer.async_wait(asio::use_awaitable);
}

std::string tag_of(std::size_t key) { return "key " + std::to_string(key); }

asio::awaitable<void> read_one(storm& in) {
  const std::size_t key = in.draw(in.random);
  const int least = in.announced[key];
  cache_use how;
  const std::string tag = tag_of(key);
  how.tag = tag;
  how.only_reads = true;
  if (in.one_in(50)) how.how = in.one_in(2) ? cache_use::mode::refresh : cache_use::mode::bypass;
  sluice::query what = sql("select version, pad from soaked where key = $1", static_cast<int>(key)).as_columns();
  sluice::pooled_stream rows = in.cache.stream(std::move(what), how);
  if (in.one_in(40)) co_return;  // dropped before it began
  int version = -1;
  for (;;) {
    const sluice::chunk some = co_await rows.next();
    if (!some) break;
    for (const sluice::row each : some) version = each.get<std::int32_t>(0);
    if (in.one_in(40)) co_return;  // or halfway
  }
  ++in.reads;
  in.wrong += version < least || version > in.begun[key];
  in.peak = std::max(in.peak, static_cast<std::size_t>(in.cache.stats().bytes));
}

asio::awaitable<void> write_one(storm& in) {
  const std::size_t key = in.draw(in.random);
  if (in.being_written[key]) co_return;
  in.being_written[key] = true;
  const int version = ++in.begun[key];
  const sluice::query what = sql("update soaked set version = $1 where key = $2", version, static_cast<int>(key));
  bool is_done = false;
  try {
    co_await in.pool.execute(what);
    is_done = true;
  } catch (const sluice::error&) {  // whether it was committed is unknown
    ++in.failed;
  }
  in.cache.invalidate(tag_of(key));
  if (is_done) in.announced[key] = version;
  in.being_written[key] = false;
  ++in.writes;
}

/// A few thousand at once, most of them of tags that nothing carries.
void blow(storm& in) {
  for (int i = 0; i < 2'000; ++i) in.cache.invalidate(tag_of(in.random() % (4 * keys)));
  if (in.one_in(4)) in.cache.invalidate_all();
  in.invalidations += 2'000;
}

template <class Work>
asio::awaitable<void> again(storm& in, Work work, clock::duration pause) {
  while (in.goes_on()) {
    try {
      asio::awaitable<void> once = work(in);
      co_await std::move(once);
    } catch (const sluice::error&) {
      ++in.failed;
    }
    co_await rest(pause);
  }
}

asio::awaitable<void> blow_now(storm& in) {
  blow(in);
  co_return;
}
asio::awaitable<void> end_connections(storm& in) {
  const sluice::query what =
      sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'soak_feed'");
  co_await in.pool.execute(what);
}

TEST(CacheSoak, KeepsItsWordInStorms) {
  const char* const asked = std::getenv("SLUICE_SOAK_SECONDS");
  const std::chrono::seconds length{asked == nullptr ? 20 : std::atoi(asked)};
  psql(
      "drop publication if exists soaked; drop table if exists soaked; create table soaked (key int primary key, "
      "version int, "
      "pad text); insert into soaked select n, 0, repeat('x', 50 + n % 900) from generate_series(0, 1999) n; create "
      "publication soaked for table soaked");
  asio::io_context context{1};
  storm in{context, length};
  sluice::change_invalidation_options how;
  how.publications = {"soaked"};
  how.backoff = 10ms;
  std::optional<sluice::invalidations> feed{
      sluice::invalidations::by_changes(dsn() + " application_name=soak_feed", in.cache, how)};

  int open = 0;
  const auto ended = [&](const std::exception_ptr& why) {
    EXPECT_FALSE(why);
    if (--open != 0) return;
    feed.reset();
    in.pool.close();
  };
  const auto start = [&](auto work, clock::duration pause) {
    ++open;
    asio::co_spawn(context, again(in, work, pause), ended);
  };
  for (int i = 0; i < 32; ++i) start(read_one, i == 0 ? 1ms : 0ms);
  for (int i = 0; i < 3; ++i) start(write_one, 5ms);
  start(blow_now, 20ms);
  start(end_connections, 700ms);
  long early = 0;
  start(
      [&early, began = clock::now(), length](storm&) -> asio::awaitable<void> {
        if (early == 0 && clock::now() - began > length / 4) early = resident_bytes();
        co_return;
      },
      100ms);
  context.run();

  const long late = resident_bytes();
  in.cache.invalidate_all();
  context.restart();
  context.run();  // frees what was invalidated
  const sluice::cache_stats stats = in.cache.stats();
  std::cout << in.reads << " reads, " << stats.hits + stats.wait_hits + stats.stale_hits << " hits, " << stats.misses
            << " misses, " << stats.bypasses << " bypasses, " << stats.discarded << " discarded, " << stats.evicted
            << " evicted, " << in.writes << " writes, " << in.invalidations << " invalidations, " << in.failed
            << " failed, peak " << in.peak << " bytes, " << (late - early) / 1024 << " KiB more than early on\n";
  EXPECT_EQ(in.wrong, 0U) << "of the results were older than the last announced write, or from the future";
  EXPECT_GT(in.reads, 100U);
  EXPECT_GT(stats.hits, 0U);
  EXPECT_GT(stats.discarded, 0U);
  EXPECT_GT(stats.evicted, 0U);
  EXPECT_LE(in.peak, most_bytes);
  EXPECT_EQ(stats.entries, 0U);
  EXPECT_LT(stats.bytes, 10'000U);
  if (!has_sanitizer) {
    EXPECT_LT(late - early, slack);
  }
}

}  // namespace
