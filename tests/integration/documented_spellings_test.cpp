// Every documented way to write options, inside a coroutine. In an expression with co_await, GCC 12 destroys the
// members of an aggregate twice if braces or a default argument create it. Run with a sanitizer.
#include <gtest/gtest.h>

#include <asio/any_io_executor.hpp>
#include <asio/this_coro.hpp>
#include <chrono>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/in_transaction.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace documented_spellings_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::sql;

/// Options are safe to create with braces in such an expression, because they own nothing.
template <class... Options>
constexpr bool own_nothing = (std::is_trivially_destructible_v<Options> && ...);
static_assert(own_nothing<sluice::connection_options, sluice::query_options, sluice::pool_options,
                          sluice::retry_options, sluice::pause_options, sluice::listen_options,
                          sluice::parallel_options, sluice::split_by, sluice::transaction_options>);

asio::awaitable<std::string> first_of(sluice::pool& pool) {
  std::string text;
  sluice::pooled_stream rows = pool.stream(sql("select to_json(1)"), {.timeout = 30s}, {.attempts = 3, .backoff = 1ms});
  while (sluice::chunk chunk = co_await rows.next())
    for (const sluice::row row : chunk) text = row.text();
  co_return text;
}

asio::awaitable<void> make_pools() {
  const std::string conninfo = dsn() + " application_name=a_name_that_is_longer_than_a_small_string";
  sluice::pool plain{co_await asio::this_coro::executor, conninfo};
  sluice::pool sized{co_await asio::this_coro::executor, conninfo, {.max_size = 8}};
  sluice::pool reset{co_await asio::this_coro::executor, conninfo, {.max_size = 1, .reset_statements = "discard all"}};
  sluice::pool each{co_await asio::this_coro::executor, conninfo, {}, {.leave_timeout = 5s}};
  sluice::pool parsed{co_await asio::this_coro::executor, sluice::conninfo::parse(conninfo), {.max_size = 2}};
  sluice::pool bare{co_await asio::this_coro::executor, sluice::conninfo::parse(conninfo)};
  for (sluice::pool* const one : {&plain, &sized, &reset, &each, &parsed, &bare}) {
    const std::string got = co_await first_of(*one);
    EXPECT_EQ(got, "1");
    const std::string again = co_await first_of(*one);
    EXPECT_EQ(again, "1");
  }
}

TEST(DocumentedSpelling, OfPools) { run(make_pools()); }

asio::awaitable<void> make_pool_with_a_text() {
  const std::string statements = "set application_name = 'reset by a text that is longer than a small string'";
  sluice::pool pool{co_await asio::this_coro::executor, dsn(), {.max_size = 1, .reset_statements = statements}};
  {
    const sluice::pooled_connection db = co_await pool.acquire();
  }
  sluice::pooled_connection db = co_await pool.acquire();
  const std::string name = co_await answer(*db, sql("select to_json(current_setting('application_name'))"));
  EXPECT_EQ(name, "\"reset by a text that is longer than a small string\"");
}

TEST(PoolOptions, AreReadWhileThePoolIsMade) { run(make_pool_with_a_text()); }

asio::awaitable<void> make_streams() {
  psql(
      "drop table if exists spelled; create table spelled (data jsonb);"
      "insert into spelled select jsonb_build_object('id', n, 'name', repeat('x', 40)) from generate_series(1, 100) n");
  sluice::connection db = co_await sluice::connect(dsn(), {.leave_timeout = 5s, .statement_cache = 4});
  sluice::connection parsed = co_await sluice::connect(sluice::conninfo::parse(dsn()), {.buffer_bytes = 1U << 15U});
  std::size_t count = 0;
  {
    auto stream = co_await db.stream(sluice::from("spelled")
                                         .where(sluice::field("name") == "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" &&
                                                sluice::field("id").as_numeric() >= 18)
                                         .select("id", "name")
                                         .order_by(sluice::field("id").as_numeric())
                                         .limit(10),
                                     {.timeout = 30s, .mode = sluice::fetch_mode::paged, .page_rows = 3});
    (void)co_await stream.next();
    co_await stream.pause(
        {.limit = 30s, .after_limit = sluice::pause_options::then::cancel, .reason = "the disk is full"});
    while (sluice::chunk chunk = co_await stream.next())
      for ([[maybe_unused]] const sluice::row row : chunk) ++count;
  }
  EXPECT_EQ(count, 7U);
  {
    auto stream = co_await parsed.stream(
        sql("select data from spelled where data->>'name' = $1 and (data->>'id')::int > $2", std::string(40, 'x'), 98));
    count = 0;
    while (sluice::chunk chunk = co_await stream.next())
      for ([[maybe_unused]] const sluice::row row : chunk) ++count;
  }
  EXPECT_EQ(count, 2U);
  std::vector<sluice::query> wanted{sluice::from("spelled").limit(10), sluice::from("spelled").limit(10)};
  auto results = co_await db.send(wanted, {.timeout = 30s});
  count = 0;
  while (results.has_next()) {
    auto stream = co_await results.next();
    while (sluice::chunk chunk = co_await stream.next())
      for ([[maybe_unused]] const sluice::row row : chunk) ++count;
  }
  EXPECT_EQ(count, 20U);
  (void)co_await db.execute("select 1", {.timeout = 30s});
}

TEST(DocumentedSpelling, OfStreams) { run(make_streams()); }

asio::awaitable<void> write_in_a_transaction() {
  psql("drop table if exists spelled_rows; create table spelled_rows (n int, t text)");
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::pool pool{on, dsn(), {.max_size = 2}};
  sluice::connection db = co_await sluice::connect(dsn());
  {
    sluice::transaction tx = co_await db.begin({.isolation = sluice::isolation::serializable, .read_only = false});
    const auto done = co_await tx.execute(
        sql("insert into spelled_rows values ($1, $2)", 1, "a text that is longer than a small string"));
    EXPECT_EQ(done.affected_rows, 1U);
    auto to = co_await tx.copy_into("spelled_rows", "n", "t");
    co_await to.write(2, "a text that is longer than a small string");
    EXPECT_EQ(co_await to.finish(), 1U);
    co_await tx.commit();
  }
  co_await sluice::in_transaction(
      pool,
      [&](sluice::transaction& tx) -> asio::awaitable<void> {
        (void)co_await tx.execute(sql("insert into spelled_rows values ($1, $2)", 3, dsn()));
      },
      {.attempts = 3}, {.isolation = sluice::isolation::repeatable_read});
  const std::string text = "a text that is longer than a small string";
  const auto named = [text](sluice::transaction& tx) -> asio::awaitable<void> {
    (void)co_await tx.execute(sql("update spelled_rows set t = $1 where n = 3", text));
  };
  co_await sluice::in_transaction(pool, named);
  const auto counted = co_await pool.execute(sql("update spelled_rows set n = n + 1"), {.timeout = 30s});
  EXPECT_EQ(counted.affected_rows, 3U);
}

TEST(DocumentedSpelling, OfWriting) { run(write_in_a_transaction()); }

asio::awaitable<void> read_in_parallel() {
  auto rows = co_await sluice::stream_in_parallel(dsn(), sluice::from("spelled"), {.connections = 2});
  std::size_t count = 0;
  while (sluice::chunk chunk = co_await rows.next())
    for ([[maybe_unused]] const sluice::row row : chunk) ++count;
  EXPECT_EQ(count, 100U);
}

TEST(DocumentedSpelling, OfParallelStreams) {
  psql(
      "drop table if exists spelled; create table spelled (data jsonb);"
      "insert into spelled select jsonb_build_object('id', n) from generate_series(1, 100) n");
  run(read_in_parallel());
}

asio::awaitable<void> listen() {
  sluice::notifications news{dsn(), {"a_channel_with_a_long_name_for_a_small_string"}, {.check_interval = 30s}};
  (void)news.is_connected();
  co_return;
}

TEST(DocumentedSpelling, OfNotifications) { run(listen()); }

}  // namespace
}  // namespace documented_spellings_test
