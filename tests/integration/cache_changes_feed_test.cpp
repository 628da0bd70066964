// Invalidation by a change stream on a real server: tables, views, messages, lost streams.
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <sluice/cache/invalidations.hpp>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <string>
#include <vector>

#include "cluster.hpp"

namespace cache_changes_feed_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using kind = sluice::cache_event::kind;

struct event_log : sluice::observer {
  void on_cache(const sluice::cache_event& event) noexcept override { seen.push_back(event.is); }
  [[nodiscard]] std::ptrdiff_t count(kind of) const { return std::ranges::count(seen, of); }
  std::vector<kind> seen;
};

constexpr const char* tables = R"(
  drop publication if exists followed_by_cache;
  drop schema if exists fed cascade;
  create schema fed;
  create table fed.users (id int primary key, data jsonb);
  create table fed.orders (id int primary key, data jsonb);
  create table fed."Odd ""name"""(data jsonb);
  create table fed.unpublished (data jsonb);
  create view fed.v_user as select data from fed.users;
  insert into fed.users values (1, '{}');
  create publication followed_by_cache for table fed.users, fed.orders, fed."Odd ""name""";
)";

sluice::change_invalidation_options by_publication() {
  sluice::change_invalidation_options how;
  how.publications = {"followed_by_cache"};
  how.tags = {{"fed.users", {"v_user", "fed.v_user"}}, {"fed.users", {std::string{"odd\0tag", 7}}}};
  how.backoff = 1ms;
  return how;
}

struct following {
  explicit following(asio::io_context& on)
      : pool{on.get_executor(), dsn(), {.max_size = 2}}, cache{pool, {.watch = &events}} {
    feed.emplace(sluice::invalidations::by_changes(dsn() + " application_name=changes_feed", cache, by_publication()));
  }
  event_log events;
  sluice::pool pool;
  sluice::result_cache cache;
  std::optional<sluice::invalidations> feed;
  int markers{0};
};

using work = std::function<asio::awaitable<void>(following&)>;

void with_changes(const work& run) {
  psql(tables);
  asio::io_context context{1};
  following all{context};
  std::exception_ptr failure;
  asio::co_spawn(context, run(all), [&](std::exception_ptr why) {
    failure = std::move(why);
    all.feed.reset();
    all.pool.close();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  wait_until("not exists (select from pg_replication_slots where slot_name like 'sluice_cache_%')");
}

asio::awaitable<bool> turns(std::function<bool()> condition) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  for (int i = 0; i < 5'000 && !condition(); ++i) {
    asio::steady_timer timer{on, 2ms};
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return condition();
}

asio::awaitable<void> ask(following& at, sluice::query what, std::string tag) {
  sluice::cache_use how;
  how.tag = tag;
  sluice::pooled_stream rows = at.cache.stream(std::move(what), how);
  for (;;) {
    const sluice::chunk some = co_await rows.next();
    if (!some) break;
  }
}

/// Whether a stored result is gone once the marker, a message that is sent behind the statement, has been heard.
asio::awaitable<bool> is_dropped(following& at, std::string relation, std::string statement) {
  const sluice::query what = sluice::from(relation);
  asio::awaitable<void> stored = ask(at, what, {});
  co_await std::move(stored);
  const sluice::query marker = sluice::sql("select to_json(1)").as_document();
  const std::string tag = "marker " + std::to_string(at.markers++);  // one that was dropped with all others comes later
  asio::awaitable<void> marked = ask(at, marker, tag);
  co_await std::move(marked);
  const auto entries = at.cache.stats().entries;
  psql(statement);
  psql("select pg_logical_emit_message(true, 'sluice_invalidate', '" + tag + "')");
  const auto misses = at.cache.stats().misses;
  const std::function<bool()> heard = [&] { return at.events.count(kind::invalidated) > 0; };
  for (int i = 0; i < 1'000 && at.cache.stats().misses == misses; ++i) {
    asio::awaitable<void> again = ask(at, marker, tag);
    co_await std::move(again);
    const bool any = co_await turns(heard);
    EXPECT_TRUE(any);
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    asio::steady_timer timer{on, 1ms};
    co_await timer.async_wait(asio::use_awaitable);
  }
  EXPECT_GT(at.cache.stats().misses, misses) << "the marker was not heard";
  const auto before = at.cache.stats().misses;
  asio::awaitable<void> again = ask(at, what, {});
  co_await std::move(again);
  EXPECT_GE(entries, 2U);
  co_return at.cache.stats().misses > before;
}

asio::awaitable<void> follow_changes(following& at) {
  const bool listens = co_await turns([&] { return at.feed->is_listening(); });
  EXPECT_TRUE(listens) << at.feed->last_failure();
  struct expected {
    const char* relation;
    const char* statement;
    bool drops;
  };
  const std::vector<expected> all{
      {"fed.users", "insert into fed.users values (9, '{}')", true},
      {"fed.users", "update fed.users set data = '1' where id = 9", true},
      {"fed.users", "update fed.users set data = '1' where false", false},
      {"fed.users", "begin; insert into fed.users values (8, '{}'); rollback", false},
      {"fed.users", "insert into fed.unpublished values ('1')", false},
      {"fed.users", "insert into fed.orders values (1, '{}')", false},
      {"fed.v_user", "update fed.users set data = '3' where id = 9", true},
      {"fed.users", "delete from fed.users where id = 9", true},
      {"fed.orders", "truncate fed.orders", true},
      {R"(fed."Odd ""name""")", R"(insert into fed."Odd ""name""" values ('1'))", true},
      {"fed.users", "select pg_logical_emit_message(true, 'another', '')", false},
      {"fed.orders", "select pg_logical_emit_message(false, 'sluice_invalidate', 'fed.orders')", true},
      {"fed.v_user", "select pg_logical_emit_message(true, 'sluice_invalidate', '')", true},
      {"fed.orders", "insert into fed.orders select n, '{}' from generate_series(1, 20000) n", true},
  };
  for (const expected& each : all) {
    asio::awaitable<bool> dropping = is_dropped(at, each.relation, each.statement);
    const bool drops = co_await std::move(dropping);
    EXPECT_EQ(drops, each.drops) << each.relation << " by " << each.statement;
  }
  EXPECT_EQ(at.events.count(kind::listening), 1);
  EXPECT_EQ(at.events.count(kind::deaf), 0);
  EXPECT_LT(at.events.count(kind::invalidated), 20'000)
      << "the rows of a large statement are one invalidation per read";
}
TEST(CacheChangesFeed, DropsWhatChangesName) { with_changes(follow_changes); }

asio::awaitable<void> lose_the_stream(following& at) {
  const bool listens = co_await turns([&] { return at.feed->is_listening(); });
  EXPECT_TRUE(listens) << at.feed->last_failure();
  const sluice::query what = sluice::from("fed.users");
  for (int i = 0; i < 2; ++i) {
    asio::awaitable<void> asked = ask(at, what, {});
    co_await std::move(asked);
  }
  EXPECT_EQ(at.cache.stats().hits, 1U);
  psql("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'changes_feed'");
  const bool is_deaf = co_await turns([&] { return at.events.count(kind::deaf) == 1; });
  EXPECT_TRUE(is_deaf);
  EXPECT_EQ(at.cache.stats().entries, 0U) << "a change may have been missed";
  EXPECT_FALSE(at.feed->last_failure().empty());
  const bool again = co_await turns([&] { return at.feed->is_listening(); });
  EXPECT_TRUE(again) << at.feed->last_failure();
  for (int i = 0; i < 2; ++i) {
    asio::awaitable<void> asked = ask(at, what, {});
    co_await std::move(asked);
  }
  EXPECT_EQ(at.cache.stats().hits, 2U);
  asio::awaitable<bool> dropping = is_dropped(at, "fed.users", "update fed.users set data = '5'");
  const bool drops = co_await std::move(dropping);
  EXPECT_TRUE(drops);
}
TEST(CacheChangesFeed, DropsEverythingWhenTheStreamIsLost) { with_changes(lose_the_stream); }

TEST(CacheChangesFeed, SaysWhyItCannotListen) {
  asio::io_context context{1};
  sluice::pool pool{context.get_executor(), dsn()};
  const sluice::result_cache cache{pool};
  EXPECT_THROW((void)sluice::invalidations::by_changes(dsn(), cache, {}), sluice::error) << "no publication";
  sluice::change_invalidation_options how;
  how.publications = {"there_is_none"};
  std::optional<sluice::invalidations> feed{sluice::invalidations::by_changes(dsn(), cache, how)};
  EXPECT_THROW((sluice::invalidations{dsn(), cache}), sluice::error) << "one feed per cache";
  const auto look = [&]() -> asio::awaitable<void> {
    const bool has_failed = co_await turns([&] { return !feed->last_failure().empty(); });
    EXPECT_TRUE(has_failed);
    EXPECT_NE(feed->last_failure().find("there_is_none"), std::string::npos) << feed->last_failure();
    EXPECT_FALSE(feed->is_listening());
  };
  asio::co_spawn(context, look(), [&](const std::exception_ptr&) {
    feed.reset();
    pool.close();
  });
  context.run();
}

struct feed_ender : sluice::observer {
  void on_cache(const sluice::cache_event& event) noexcept override {
    if (event.is == kind::listening) listens = true;
    if (event.is == kind::invalidated && listens) to_end->reset();
  }
  std::optional<sluice::invalidations>* to_end{};
  bool listens{false};
};

TEST(CacheChangesFeed, MayBeDestroyedByWhatItCauses) {
  psql(tables);
  asio::io_context context{1};
  feed_ender ender;
  sluice::pool pool{context.get_executor(), dsn()};
  const sluice::result_cache cache{pool, {.watch = &ender}};
  std::optional<sluice::invalidations> feed{sluice::invalidations::by_changes(dsn(), cache, by_publication())};
  ender.to_end = &feed;
  const auto change = [&]() -> asio::awaitable<void> {
    const bool listens = co_await turns([&] { return ender.listens; });
    EXPECT_TRUE(listens);
    psql("insert into fed.users select n, '{}' from generate_series(100, 200) n; truncate fed.orders");
    const bool is_gone = co_await turns([&] { return !feed; });
    EXPECT_TRUE(is_gone);
  };
  std::exception_ptr failure;
  asio::co_spawn(context, change(), [&](std::exception_ptr why) {
    failure = std::move(why);
    feed.reset();
    pool.close();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
}

TEST(CacheChangesFeed, EndsWhileItConnects) {
  asio::io_context context{1};
  sluice::pool pool{context.get_executor(), dsn()};
  const sluice::result_cache cache{pool};
  for (int polls = 0; polls < 40; ++polls) {
    sluice::change_invalidation_options how = by_publication();
    std::optional<sluice::invalidations> feed{sluice::invalidations::by_changes(dsn(), cache, how)};
    for (int i = 0; i < polls; ++i) context.poll_one();
    feed.reset();
  }
  pool.close();
  context.run();
  wait_until("not exists (select from pg_replication_slots where slot_name like 'sluice_cache_%')");
}

}  // namespace
}  // namespace cache_changes_feed_test
