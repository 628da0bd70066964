// Invalidation by NOTIFY on a real server: the triggers of sql/invalidate.sql, lost and lying feeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <sluice/cache/invalidations.hpp>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <string>
#include <vector>

#include "cluster.hpp"

namespace cache_feed_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::sql;
using kind = sluice::cache_event::kind;

struct event_list : sluice::observer {
  void on_cache(const sluice::cache_event& event) noexcept override { seen.push_back(event.is); }
  [[nodiscard]] std::ptrdiff_t count(kind of) const { return std::ranges::count(seen, of); }
  std::vector<kind> seen;
};

struct place {
  place(asio::io_context& on, sluice::while_deaf deaf, const sluice::invalidation_options& how)
      : pool{on.get_executor(), dsn(), {.max_size = 2}}, cache{pool, {.deaf = deaf, .watch = &events}} {
    feed.emplace(dsn() + " application_name=cache_feed", cache, how);
  }
  event_list events;
  sluice::pool pool;
  sluice::result_cache cache;
  std::optional<sluice::invalidations> feed;
};

using work = std::function<asio::awaitable<void>(place&)>;

void with_feed(const work& run, const sluice::invalidation_options& how = {},
               sluice::while_deaf deaf = sluice::while_deaf::bypass) {
  asio::io_context context{1};
  place all{context, deaf, how};
  std::exception_ptr failure;
  asio::co_spawn(context, run(all), [&](std::exception_ptr why) {
    failure = std::move(why);
    all.feed.reset();
    all.pool.close();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> pause_for(std::chrono::milliseconds time) {
  asio::steady_timer timer{co_await asio::this_coro::executor, time};
  co_await timer.async_wait(asio::use_awaitable);
}

/// Waits until a condition of this program holds, for ten seconds at most.
asio::awaitable<bool> becomes(std::function<bool()> condition) {
  for (int i = 0; i < 5'000 && !condition(); ++i) co_await pause_for(2ms);
  co_return condition();
}
asio::awaitable<void> heard(place& at) {
  const bool listens = co_await becomes([&] { return at.feed->is_listening(); });
  EXPECT_TRUE(listens) << at.feed->last_failure();
}

asio::awaitable<std::string> documents(place& at, sluice::query what) {
  sluice::pooled_stream rows = at.cache.stream(std::move(what));
  std::string text;
  for (;;) {
    const sluice::chunk chunk = co_await rows.next();
    if (!chunk) break;
    for (const sluice::row row : chunk) text += row.text();
  }
  co_return text;
}

void load_triggers() {
  std::ifstream file{SLUICE_SOURCE "/sql/invalidate.sql"};
  psql(std::string{std::istreambuf_iterator<char>{file}, {}});
}

/// Reads a relation twice, so that it is stored; whether a statement drops it.
asio::awaitable<bool> is_dropped_by(place& at, std::string relation, std::string statement) {
  (void)co_await documents(at, sluice::from(relation));
  const auto hits = at.cache.stats().hits;
  (void)co_await documents(at, sluice::from(relation));
  EXPECT_EQ(at.cache.stats().hits, hits + 1) << relation;
  const auto invalidated = at.events.count(kind::invalidated);
  psql(statement + "; notify sluice_invalidate, 'end of statement'");
  (void)co_await becomes([&] { return at.events.count(kind::invalidated) > invalidated; });
  co_await pause_for(5ms);
  const auto misses = at.cache.stats().misses;
  (void)co_await documents(at, sluice::from(relation));
  co_return at.cache.stats().misses > misses;
}

asio::awaitable<void> follow_tables(place& at) {
  psql(R"(drop schema if exists cached cascade; create schema cached;
       create table cached.users (id int primary key, data jsonb);
       create table cached.orders (id int, owner int references cached.users on delete cascade, data jsonb);
       create table cached."Odd ""name""" (data jsonb);
       create table cached.parts (id int, data jsonb) partition by range (id);
       create table cached.part_1 partition of cached.parts for values from (0) to (10);
       create view cached.v_user as select data from cached.users;
       create view cached.v_deep as select v.data from cached.v_user v join cached.orders o on true;
       create table cached.unrelated (data jsonb);
       insert into cached.users values (1, '{}'), (2, '{}'), (3, '{}'); insert into cached.orders values (1, 2, '{}');)");
  load_triggers();
  load_triggers();
  psql(
      "select sluice_cache.watch('cached.users', 'cached.orders', 'cached.\"Odd \"\"name\"\"\"', 'cached.parts', "
      "'cached.unrelated')");
  psql("create view cached.v_late as select data from cached.v_deep");
  co_await heard(at);
  struct expected {
    const char* relation;
    const char* statement;
    bool drops;
  };
  const std::vector<expected> all{
      {"cached.users", "insert into cached.users values (9, '{}')", true},
      {"cached.users", "update cached.users set data = '1' where id = 9", true},
      {"cached.users", "update cached.users set data = '1' where false", true},
      {"cached.users", "begin; insert into cached.users values (8, '{}'); rollback", false},
      {"cached.users", "insert into cached.unrelated values ('1')", false},
      {"cached.users", "select 1 from cached.users", false},
      {"cached.v_user", "update cached.users set data = '3' where id = 9", true},
      {"cached.v_deep", "update cached.users set data = '4' where id = 9", true},
      {"cached.v_late", "update cached.users set data = '5' where id = 9", true},
      {"cached.v_deep", "delete from cached.orders", true},
      {"cached.orders", "delete from cached.users where id = 2", true},
      {"cached.parts", "insert into cached.part_1 values (1, '{}')", true},
      {"cached.parts", "insert into cached.parts values (2, '{}')", true},
      {"cached.part_1", "insert into cached.parts values (3, '{}')", false},
      {R"(cached."Odd ""name""")", R"(insert into cached."Odd ""name""" values ('1'))", true},
      {"cached.orders", "truncate cached.users cascade", true},
  };
  for (const expected& each : all) {
    asio::awaitable<bool> dropping = is_dropped_by(at, each.relation, each.statement);
    const bool drops = co_await std::move(dropping);
    EXPECT_EQ(drops, each.drops) << each.relation << " by " << each.statement;
  }
  psql("select sluice_cache.unwatch('cached.users')");
  asio::awaitable<bool> unwatched = is_dropped_by(at, "cached.users", "insert into cached.users values (30, '{}')");
  const bool drops = co_await std::move(unwatched);
  EXPECT_FALSE(drops);
  psql("select sluice_cache.watch('cached.v_deep')");
  asio::awaitable<bool> through_view = is_dropped_by(at, "cached.users", "insert into cached.users values (31, '{}')");
  const bool drops_again = co_await std::move(through_view);
  EXPECT_TRUE(drops_again) << "a view stands for its tables";
  const std::string writer = as_user("trust_user");
  psql("grant usage on schema cached to trust_user; grant insert on cached.users to trust_user");
  psql("insert into cached.users values (40, '{}')", writer);  // without rights in the schema of the triggers
}
TEST(CacheFeed, DropsWhatATablesTriggersName) { with_feed(follow_tables); }

sluice::query counted() { return sql("select to_json(count(*)) from pg_class").as_document(); }

asio::awaitable<void> lose_it(place& at) {
  (void)co_await documents(at, counted());
  EXPECT_EQ(at.cache.stats().bypasses, 1U) << "it does not listen yet";
  co_await heard(at);
  (void)co_await documents(at, counted());
  (void)co_await documents(at, counted());
  EXPECT_EQ(at.cache.stats().hits, 1U);
  const auto before = at.events.count(kind::invalidated);
  psql("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'cache_feed'");
  const bool again =
      co_await becomes([&] { return at.events.count(kind::invalidated) > before && at.feed->is_listening(); });
  EXPECT_TRUE(again);
  (void)co_await documents(at, counted());
  EXPECT_EQ(at.cache.stats().hits, 1U) << "something may have been missed";
  (void)co_await documents(at, counted());
  EXPECT_EQ(at.cache.stats().hits, 2U);
  at.feed.reset();
  (void)co_await documents(at, counted());
  EXPECT_EQ(at.cache.stats().hits, 2U) << "nobody listens any more";
}
TEST(CacheFeed, DropsEverythingWhenTheConnectionIsLost) { with_feed(lose_it, {.listen = {.backoff = 1ms}}); }

TEST(CacheFeed, BypassesOrKeepsToTtlWhileItCannotListen) {
  for (const auto deaf : {sluice::while_deaf::bypass, sluice::while_deaf::keep_to_ttl}) {
    asio::io_context context{1};
    sluice::pool pool{context.get_executor(), dsn()};
    sluice::result_cache cache{pool, {.deaf = deaf}};
    std::optional<sluice::invalidations> feed{std::in_place, dsn() + " dbname=there_is_none", cache};
    EXPECT_THROW((sluice::invalidations{dsn(), cache}), sluice::error) << "one feed per cache";
    const std::string longest(64, 'c');
    for (const std::string_view channel : {std::string_view{}, std::string_view{longest}}) {
      sluice::result_cache other{pool};
      EXPECT_THROW((sluice::invalidations{dsn(), other, {.channel = channel}}), sluice::error);
    }
    const auto ask = [&]() -> asio::awaitable<void> {
      (void)co_await becomes([&] { return !feed->last_failure().empty(); });
      EXPECT_FALSE(feed->is_listening());
      EXPECT_NE(feed->last_failure().find("there_is_none"), std::string::npos) << feed->last_failure();
      for (int i = 0; i < 2; ++i) {
        sluice::pooled_stream rows = cache.stream(counted());
        for (;;) {
          const sluice::chunk chunk = co_await rows.next();
          if (!chunk) break;
        }
      }
    };
    asio::co_spawn(context, ask(), [&](const std::exception_ptr&) {
      feed.reset();
      pool.close();
    });
    context.run();
    EXPECT_EQ(cache.stats().hits, deaf == sluice::while_deaf::bypass ? 0U : 1U);
    EXPECT_EQ(cache.stats().bypasses, deaf == sluice::while_deaf::bypass ? 2U : 0U);
  }
}

asio::awaitable<void> lose_the_listen(place& at) {
  co_await heard(at);
  co_await pause_for(60ms);
  EXPECT_TRUE(at.feed->is_listening());
  EXPECT_EQ(at.events.count(kind::listening), 1) << "its own probes are heard";
  EXPECT_EQ(at.events.count(kind::invalidated), 1) << "and drop nothing";
  (void)co_await documents(at, counted());
  psql(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'cache_feed' and query "
      "like '%pg_notify%'");
  const bool goes_on = co_await becomes([&] { return at.feed->is_listening(); });
  EXPECT_TRUE(goes_on);
}
TEST(CacheFeed, ProbesItself) { with_feed(lose_the_listen, {.probe_interval = 10ms, .probe_timeout = 500ms}); }

asio::awaitable<void> silent(place& at) {
  const bool deaf = co_await becomes([&] { return at.events.count(kind::deaf) > 0; });
  EXPECT_TRUE(deaf);
  EXPECT_NE(at.feed->last_failure().find("probe"), std::string::npos) << at.feed->last_failure();
  const bool again = co_await becomes([&] { return at.events.count(kind::listening) > 1; });
  EXPECT_TRUE(again);
}
TEST(CacheFeed, StartsOverWhenAProbeIsNotAnswered) {
  // No answer is as fast as that.
  with_feed(silent, {.probe_interval = 5ms, .probe_timeout = std::chrono::milliseconds{0}, .backoff = 1ms});
}

asio::awaitable<void> lie(place& at) {
  co_await heard(at);
  (void)co_await documents(at, counted());
  const auto misses = at.cache.stats().misses;
  const auto before = at.events.count(kind::invalidated);
  psql(
      "select pg_notify('sluice_invalidate', tag) from (values ('unknown'), (repeat('x', 7900)), (E'\\x01\\x7f'), "
      "('sluice probe 1 1'), ('\"'), ('*')) as t(tag)");
  psql("select pg_notify('sluice_invalidate', 'flood ' || n) from generate_series(1, 100000) n");
  const bool all = co_await becomes([&] { return at.events.count(kind::invalidated) >= before + 100'006; });
  EXPECT_TRUE(all);
  (void)co_await documents(at, counted());
  EXPECT_EQ(at.cache.stats().misses, misses) << "unknown tags drop nothing";
  EXPECT_LT(at.cache.stats().bytes, 10'000U) << "and are not remembered";
  psql("notify sluice_invalidate");
  const bool is_heard = co_await becomes([&] { return at.events.count(kind::invalidated) > before + 100'006; });
  EXPECT_TRUE(is_heard);
  (void)co_await documents(at, counted());
  EXPECT_EQ(at.cache.stats().misses, misses + 1) << "an empty payload drops everything";
}
TEST(CacheFeed, IsNotImpressedByAFloodOfLies) { with_feed(lie, {.probe_interval = 0ms}); }

struct ender : sluice::observer {
  void on_cache(const sluice::cache_event& /*event*/) noexcept override {
    if (++seen == at) end();
  }
  std::function<void()> end;
  int at{1};
  int seen{0};
};

TEST(CacheFeed, MayBeDestroyedByWhatItCauses) {
  for (int at = 1; at < 6; ++at) {
    asio::io_context context{1};
    ender watch;
    watch.at = at;
    sluice::pool pool{context.get_executor(), dsn()};
    const sluice::result_cache cache{pool, {.watch = &watch}};
    std::optional<sluice::invalidations> feed{std::in_place, dsn(), cache};
    watch.end = [&] { feed.reset(); };
    const auto use = [&]() -> asio::awaitable<void> {
      for (int i = 0; i < 5'000 && feed; ++i) {
        co_await pause_for(1ms);
        sluice::pooled_stream rows = cache.stream(counted());
        for (;;) {
          const sluice::chunk chunk = co_await rows.next();
          if (!chunk) break;
        }
      }
      EXPECT_FALSE(feed) << at;
    };
    std::exception_ptr failure;
    asio::co_spawn(context, use(), [&](std::exception_ptr why) {
      failure = std::move(why);
      feed.reset();
      pool.close();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
  }
}

TEST(CacheFeed, TheCacheMayBeDestroyedByWhatItReports) {
  asio::io_context context{1};
  for (const bool all : {false, true}) {
    ender watch;
    sluice::pool pool{context.get_executor(), dsn()};
    std::optional<sluice::result_cache> cache{std::in_place, pool, sluice::cache_options{.watch = &watch}};
    watch.end = [&] { cache.reset(); };
    all ? cache->invalidate_all() : cache->invalidate("nobody has it");
    EXPECT_FALSE(cache);
  }
}

}  // namespace
}  // namespace cache_feed_test
