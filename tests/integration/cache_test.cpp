// The result cache on a real server: what is sent, what is not, and what a hit is.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
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
#include <sluice/stream/columns.hpp>
#include <sluice/stream/typed_stream.hpp>
#include <string>
#include <vector>

#include "caching.hpp"

namespace cache_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::cache_use;
using sluice::condition;
using sluice::errc;
using sluice::sql;

asio::awaitable<void> hit(place& at) {
  for (int i = 0; i < 3; ++i) {
    const std::string text = co_await all_of(at.cache.stream(documents(1, 3)));
    EXPECT_EQ(text, "1;2;3;");
  }
  const std::string other = co_await all_of(at.cache.stream(documents(1, 4)));
  EXPECT_EQ(other, "1;2;3;4;");
  for (int i = 0; i < 2; ++i) {
    const std::string none = co_await all_of(at.cache.stream(documents(1, 0)));
    EXPECT_EQ(none, "");
  }
  EXPECT_EQ(at.queries.sent, 3);
  EXPECT_EQ(at.cache.stats().hits, 3U);
  EXPECT_EQ(at.cache.stats().entries, 3U);
}
TEST(ResultCache, AsksTheServerOncePerKey) { with_cache({}, hit); }

asio::awaitable<void> in_place(place& at) {
  (void)co_await all_of(at.cache.stream(documents(1, 3)));
  sluice::pooled_stream one = at.cache.stream(documents(1, 3));
  sluice::pooled_stream two = at.cache.stream(documents(1, 3));
  const sluice::chunk first = co_await one.next();
  const sluice::chunk second = co_await two.next();
  EXPECT_EQ((*first.begin()).text().data(), (*second.begin()).text().data()) << "both read the stored bytes";
  at.cache.invalidate_all();
  EXPECT_EQ((*first.begin()).text(), "1") << "a reader keeps them";
  EXPECT_EQ(at.pool.stats().lent, 0U);
  const sluice::chunk end = co_await one.next();
  EXPECT_FALSE(end);
  const sluice::chunk still = co_await one.next();
  EXPECT_FALSE(still);
  EXPECT_EQ(one.stats().rows, 3U);
  EXPECT_EQ(one.stats().bytes, 3U);
  EXPECT_EQ(one.attempts(), 0);
  EXPECT_EQ(two.get_executor(), at.pool.get_executor());
  const sluice::leaving left = co_await two.cancel();
  EXPECT_EQ(left, sluice::leaving::drained);
  try {
    (void)co_await two.next();
    ADD_FAILURE() << "it was cancelled";
  } catch (const sluice::error& why) {
    EXPECT_EQ(why.code(), errc::cancelled);
  }
}
TEST(ResultCache, HandsOutStoredBytesInPlaceAndWithoutAConnection) { with_cache({}, in_place); }

asio::awaitable<void> other_shapes(place& at) {
  const auto columns = [] { return sql("select n, 'x' || n as text from generate_series(1, 2) n").as_columns(); };
  for (int i = 0; i < 2; ++i) {
    sluice::pooled_stream rows = at.cache.stream(columns());
    const sluice::chunk chunk = co_await rows.next();
    std::string seen;
    for (const sluice::row row : chunk) seen += row.get<std::string>(1) + std::to_string(row.get<int>(0)) + ' ';
    EXPECT_EQ(seen, "x11 x22 ");
    EXPECT_EQ(rows.columns().size(), 2U);
    const sluice::chunk end = co_await rows.next();
    EXPECT_FALSE(end);
    EXPECT_EQ(rows.columns().size(), 2U);
    const std::string objects =
        co_await all_of(at.cache.stream(sql("select n, 1.50 as d from generate_series(1, 2) n")));
    EXPECT_EQ(objects, R"({"n":1,"d":1.50};{"n":2,"d":1.50};)");
    auto typed = at.cache.stream<int>(documents(4, 5));
    const auto numbers = co_await typed.next();
    int sum = 0;
    for (const int each : numbers) sum += each;
    EXPECT_EQ(sum, 9);
    const auto none = co_await typed.next();
    EXPECT_FALSE(none);
  }
  EXPECT_EQ(at.cache.stats().hits, 3U);
  // The same text in another shape is another result.
  const std::string texts =
      co_await all_of(at.cache.stream(sql("select n, 'x' || n as text from generate_series(1, 2) n").as_object()));
  EXPECT_EQ(texts, R"({"n":1,"text":"x1"};{"n":2,"text":"x2"};)");
  EXPECT_EQ(at.cache.stats().hits, 3U);
}
TEST(ResultCache, StoresColumnsObjectsAndTypedRows) { with_cache({}, other_shapes); }

asio::awaitable<void> keep_apart(place& at) {
  const auto number = [](const sluice::bind_value& value) { return sql("select to_json($1)", value).as_document(); };
  const std::vector<sluice::bind_value> values{1, std::int64_t{1}, sluice::bind_value::numeric("1"), true,
                                               sluice::bind_value::json("1")};
  for (const sluice::bind_value& each : values) (void)co_await all_of(at.cache.stream(number(each)));
  EXPECT_EQ(at.cache.stats().misses, values.size()) << "types are part of the key";
  cache_use tenant;
  tenant.session = "tenant=1";
  (void)co_await all_of(at.cache.stream(number(1), tenant));
  tenant.session = "tenant=2";
  (void)co_await all_of(at.cache.stream(number(1), tenant));
  (void)co_await all_of(at.cache.stream(number(1), tagged("t")));
  EXPECT_EQ(at.cache.stats().hits, 0U);
  const auto pair = [](const char* a, const char* b) {
    return sql("select to_json($1::text || '|' || $2::text)", a, b).as_document();
  };
  const std::string one = co_await all_of(at.cache.stream(pair("ab", "c")));
  const std::string two = co_await all_of(at.cache.stream(pair("a", "bc")));
  EXPECT_NE(one, two);
}
TEST(ResultCache, KeepsApartWhatDiffersInTypesSessionTagsOrBoundaries) { with_cache({}, keep_apart); }

asio::awaitable<void> only_reads(place& at) {
  psql(
      "drop table if exists cache_writes; create table cache_writes (n int); create or replace function cache_write() "
      "returns int language sql as 'insert into cache_writes values (1) returning n'");
  const auto twice = [&](const char* text, const cache_use& how) -> asio::awaitable<int> {
    const int before = at.queries.sent;
    const std::string statement{text};
    for (int i = 0; i < 2; ++i) (void)co_await all_of(at.cache.stream(sql(statement).as_object(), how));
    co_return at.queries.sent - before;
  };
  const cache_use plain;
  cache_use declared;
  declared.only_reads = true;
  for (const char* text : {"insert into cache_writes values (2) returning n", "select cache_write() as n",
                           "select n from cache_writes for share", "select n from cache_writes for update",
                           "select n /* why */ from cache_writes", "show work_mem",
                           "with w as (delete from cache_writes where n = 5 returning n) select n from w"}) {
    asio::awaitable<int> asked = twice(text, plain);
    const int sent = co_await std::move(asked);
    EXPECT_EQ(sent, 2) << text;
  }
  asio::awaitable<int> insert = twice("insert into cache_writes values (3) returning n", declared);
  const int inserted = co_await std::move(insert);
  EXPECT_EQ(inserted, 2) << "no word makes it a read";
  asio::awaitable<int> vouched = twice("select cache_write() as n", declared);
  const int sent = co_await std::move(vouched);
  EXPECT_EQ(sent, 1);
  asio::awaitable<int> read = twice("select count(*) as n from cache_writes where n in (1, 2)", plain);
  const int reads = co_await std::move(read);
  EXPECT_EQ(reads, 1);
  {
    const sluice::pooled_stream unread = at.cache.stream(sql("insert into cache_writes values (77)"));
  }
  (void)co_await all_of(at.pool.stream(sql("select 1").as_object()));
  wait_until("exists (select from cache_writes where n = 77)");
}
TEST(ResultCache, ServesNothingButReads) { with_cache({}, only_reads); }

asio::awaitable<void> client_part(place& at) {
  psql(
      "drop table if exists cache_docs; create table cache_docs (data jsonb); insert into cache_docs select "
      "jsonb_build_object('n', n) from generate_series(1, 4) n");
  for (int least : {1, 3}) {
    const sluice::predicate here = sluice::local(
        [least](sluice::row row) { return row.text().find(std::to_string(least)) != std::string_view::npos; });
    const std::string text = co_await all_of(at.cache.stream(sluice::from("cache_docs").where(here)));
    EXPECT_EQ(text, "{\"n\": " + std::to_string(least) + "};");
  }
  EXPECT_EQ(at.cache.stats().bypasses, 2U);
}
TEST(ResultCache, SendsWhatTheClientFilters) { with_cache({}, client_part); }

asio::awaitable<void> by_relation(place& at) {
  psql(
      "drop table if exists \"Cache Odd\"; create table \"Cache Odd\" (data jsonb); insert into \"Cache Odd\" values "
      "('1')");
  const auto ask = [&] { return all_of(at.cache.stream(sluice::from("public.\"Cache Odd\""))); };
  (void)co_await ask();
  psql("update \"Cache Odd\" set data = '2'");
  const std::string old = co_await ask();
  EXPECT_EQ(old, "1;");
  at.cache.invalidate("Cache Odd");
  const std::string still = co_await ask();
  EXPECT_EQ(still, "1;") << "that is not its tag";
  at.cache.invalidate("public.\"Cache Odd\"");
  const std::string fresh = co_await ask();
  EXPECT_EQ(fresh, "2;");
  psql("update \"Cache Odd\" set data = '3'");
  const std::string own =
      co_await all_of(at.cache.stream(sluice::from("public.\"Cache Odd\""), as(cache_use::mode::refresh)));
  EXPECT_EQ(own, "3;");
  const std::string after = co_await ask();
  EXPECT_EQ(after, "3;") << "a refresh stores its result";
  psql("update \"Cache Odd\" set data = '4'");
  const std::string beside =
      co_await all_of(at.cache.stream(sluice::from("public.\"Cache Odd\""), as(cache_use::mode::bypass)));
  EXPECT_EQ(beside, "4;");
  const std::string kept = co_await ask();
  EXPECT_EQ(kept, "3;") << "a bypass stores nothing";
}
TEST(ResultCache, DropsARelationsResultsByItsName) { with_cache({}, by_relation); }

asio::awaitable<void> grow_old(place& at) {
  cache_use brief;
  brief.ttl = 2s;
  (void)co_await all_of(at.cache.stream(documents(1, 1), brief));
  (void)co_await all_of(at.cache.stream(documents(1, 1), brief));
  EXPECT_EQ(at.queries.sent, 1);
  asio::steady_timer pause{co_await asio::this_coro::executor, 2'050ms};
  co_await pause.async_wait(asio::use_awaitable);
  (void)co_await all_of(at.cache.stream(documents(1, 1)));
  EXPECT_EQ(at.queries.sent, 1) << "young enough for this one";
  (void)co_await all_of(at.cache.stream(documents(1, 1), brief));
  EXPECT_EQ(at.queries.sent, 2);
  for (const auto ttl : {0ms, -5ms, std::chrono::milliseconds::min()}) {
    brief.ttl = ttl;
    (void)co_await all_of(at.cache.stream(documents(1, 1), brief));
  }
  EXPECT_EQ(at.queries.sent, 5);
  brief.ttl = std::chrono::milliseconds::max();
  (void)co_await all_of(at.cache.stream(documents(1, 1), brief));
  EXPECT_EQ(at.queries.sent, 5);
}
TEST(ResultCache, ServesNothingOlderThanACallAllows) { with_cache({}, grow_old); }

asio::awaitable<void> exceed(place& at) {
  for (int i = 0; i < 2; ++i) {
    const std::string text = co_await all_of(at.cache.stream(documents(1, 50'000)));
    EXPECT_TRUE(text.starts_with("1;2;3;") && text.ends_with("49999;50000;"));
    const std::string key(300'000, 'k');
    const std::string echo = co_await all_of(at.cache.stream(sql("select to_json(length($1))", key).as_document()));
    EXPECT_EQ(echo, "300000;");
  }
  EXPECT_EQ(at.cache.stats().outgrown, 2U);
  EXPECT_EQ(at.cache.stats().entries, 0U);
  EXPECT_EQ(at.cache.stats().bytes, 0U);
}
TEST(ResultCache, LetsWhatIsTooLargeFlowOn) {
  with_cache({.max_bytes = 1U << 20U, .max_entry_bytes = 100'000}, exceed);
}

asio::awaitable<void> nothing_kept(place& at) {
  for (int i = 0; i < 3; ++i) (void)co_await all_of(at.cache.stream(documents(1, 2)));
  EXPECT_EQ(at.queries.sent, 3);
  EXPECT_EQ(at.cache.stats().bytes, 0U);
}
TEST(ResultCache, WithoutRoomSendsEverything) {
  with_cache({.max_bytes = 0}, nothing_kept);
  with_cache({.max_entry_bytes = 0}, nothing_kept);
  with_cache({.max_bytes = 10}, nothing_kept);
  with_cache({.ttl = 0ms}, nothing_kept);
}

asio::awaitable<void> in_pages(place& at) {
  const sluice::query_options paged{.mode = sluice::fetch_mode::paged, .page_rows = 2};
  for (int i = 0; i < 2; ++i) {
    sluice::pooled_stream rows = at.cache.stream(documents(1, 9), {}, paged);
    std::string text;
    for (;;) {
      const sluice::chunk chunk = co_await rows.next();
      if (!chunk) break;
      for (const sluice::row row : chunk) text += row.text();
      asio::awaitable<void> paused = rows.pause();
      co_await std::move(paused);
      rows.resume();
    }
    EXPECT_EQ(text, "123456789");
  }
  EXPECT_EQ(at.cache.stats().hits, 1U);
  sluice::pooled_stream plain = at.cache.stream(documents(1, 9));
  (void)co_await plain.next();
  for (const auto mode : {sluice::fetch_mode::bulk}) {
    const sluice::query_options bulk{.mode = mode};
    for (int i = 0; i < 2; ++i) {
      const std::string text = co_await all_of(
          at.cache.stream(sql("select to_jsonb(n) from generate_series(1, 3) n").as_document(), {}, bulk));
      EXPECT_EQ(text, "1;2;3;");
    }
  }
  EXPECT_EQ(at.cache.stats().hits, 2U);
}
TEST(ResultCache, StoresPagesAndBulkRows) { with_cache({}, in_pages); }

TEST(ResultCache, IsEmptyOnceItWasMovedFrom) {
  asio::io_context context{1};
  const sluice::pool pool{context.get_executor(), dsn()};
  sluice::result_cache cache{pool};
  const sluice::result_cache moved{std::move(cache)};
  EXPECT_THROW((void)cache.stats(), sluice::error);  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW((void)cache.stream(documents(1, 1)), sluice::error);
  EXPECT_THROW((sluice::invalidations{dsn(), cache}), sluice::error);
  EXPECT_EQ(moved.stats().hits, 0U);
}

TEST(ResultCache, LeavesItsStreamsAlone) {
  asio::io_context context{1};
  std::optional<place> all{std::in_place, context};
  std::string seen;
  const auto outlive = [](std::optional<place>& at, std::string& text) -> asio::awaitable<void> {
    (void)co_await all_of(at->cache.stream(documents(1, 2)));
    sluice::pooled_stream hit = at->cache.stream(documents(1, 2));
    const sluice::chunk rows = co_await hit.next();
    at.reset();
    for (const sluice::row row : rows) text += row.text();
    const sluice::chunk end = co_await hit.next();
    text += end ? '?' : '.';
  };
  asio::co_spawn(context, outlive(all, seen), asio::detached);
  context.run();
  EXPECT_EQ(seen, "12.");
}

}  // namespace
}  // namespace cache_test
