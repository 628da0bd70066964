// Paged streams: other queries in between, several streams at once, pauses, and leaving.
#include <gtest/gtest.h>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <string>
#include <thread>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace paged_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::errc;
using sluice::fetch_mode;
using sluice::leaving;
using sluice::query_options;
using sluice::sql;

constexpr query_options in_pages{.mode = fetch_mode::paged, .page_rows = 100};

sluice::query numbers(int count) {
  return sql("select to_json(n) as paged_test from generate_series(1, $1) n", count).as_document();
}

/// The server computes these rows one by one and does not store them.
sluice::query endless() { return sql("select to_json(generate_series(1, 1000000000)) as paged_test").as_document(); }

template <class Face>
class Paged : public testing::Test {};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(Paged, faces);

TYPED_TEST(Paged, GiveTheSameRowsInTheSameOrder) {
  for (const int count : {0, 1, 99, 100, 101, 1'000, 12'345}) {
    SCOPED_TRACE(count);
    const outcome plain = TypeParam::ask(dsn(), numbers(count));
    const outcome paged = TypeParam::ask(dsn(), numbers(count), in_pages);
    EXPECT_FALSE(paged.failure) << paged.failure->what();
    EXPECT_EQ(paged.rows, plain.rows);
    EXPECT_EQ(paged.stats.rows, plain.stats.rows);
    EXPECT_EQ(paged.stats.bytes, plain.stats.bytes);
    EXPECT_EQ(paged.stats.pages, static_cast<std::uint64_t>(count / 100 + 1));
    EXPECT_TRUE(paged.usable);
  }
}

TYPED_TEST(Paged, TakeEveryShapeOfRows) {
  query_options small = in_pages;
  small.page_rows = 1;
  for (const auto& what : {sql("select n, n + 1 as m from generate_series(1, 3) n"),
                           sql("select n, n + 1 as m from generate_series(1, 3) n").as_object(),
                           sql("select to_json(n) from generate_series(1, 3) n")}) {
    const outcome plain = TypeParam::ask(dsn(), what);
    const outcome paged = TypeParam::ask(dsn(), what, small);
    EXPECT_FALSE(paged.failure) << paged.failure->what();
    EXPECT_EQ(paged.rows, plain.rows);
    EXPECT_EQ(paged.rows.size(), 3U);
  }
}

/// Two streams in pages and other queries in between: the rows that a loop has reached stay where they are.
TEST(PagedStream, RowsStayWhileOtherQueriesRun) {
  const auto long_ones = [](int count) {
    return sql("select to_json(n || repeat('x', n % 300)) as paged_test from generate_series(1, $1) n", count)
        .as_document();
  };
  for (const std::uint32_t rows : {1U, 7U, 100U}) {
    SCOPED_TRACE(rows);
    const query_options options{.mode = fetch_mode::paged, .page_rows = rows};
    sluice::client db{dsn(), {.buffer_bytes = 4'096, .first_buffer_bytes = 1'024}};
    sluice::row_range second = db.stream(long_ones(250), options);
    sluice::row_range::iterator other = second.begin();
    std::string seen;
    std::string seen_of_second;
    for (const sluice::row each : db.stream(long_ones(250), options)) {
      const std::string_view before = each.text();
      const std::string text{before};
      (void)answer(db, sql("select to_json(repeat('y', 2000))").as_document());
      seen_of_second += (*other).text();
      ++other;
      db.execute("select repeat('z', 5000)");
      EXPECT_EQ(before, text);
      seen += before;
    }
    EXPECT_EQ(seen, seen_of_second);
    EXPECT_EQ(seen, answer(db, long_ones(250)));
  }
}

TEST(PagedStream, ChunksStayWhileOtherQueriesRun) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn());
    const sluice::query what = sql("select n, repeat('x', n % 300) as t from generate_series(1, 1000) n").as_object();
    sluice::row_stream rows = co_await conn.stream(what, {.mode = fetch_mode::paged, .page_rows = 64});
    std::string seen;
    while (const sluice::chunk some = co_await rows.next()) {
      sluice::chunk::iterator at = some.begin();
      if (at != std::default_sentinel) seen += (*at++).text();
      (void)co_await answer(conn, sql("select to_json(repeat('y', 100000))").as_document());
      (void)co_await conn.execute("select repeat('z', 5000)");
      for (; at != std::default_sentinel; ++at) seen += (*at).text();
    }
    EXPECT_EQ(seen, co_await answer(conn, what));
  };
  run(body());
}

TYPED_TEST(Paged, KeepWhatAStatementWithoutRowsHasDone) {
  const std::string table = "paged_" + std::string{std::is_same_v<TypeParam, blocking_face> ? "a" : "b"};
  psql("drop table if exists " + table + "; create table " + table + " (n int)");
  const outcome inserted = TypeParam::ask(dsn(), sql("insert into " + table + " values (1)"), in_pages);
  EXPECT_FALSE(inserted.failure) << inserted.failure->what();
  const outcome returned =
      TypeParam::ask(dsn(), sql("insert into " + table + " select generate_series(2, 500) returning n"), in_pages);
  EXPECT_FALSE(returned.failure) << returned.failure->what();
  EXPECT_EQ(returned.rows.size(), 499U);
  EXPECT_EQ(psql("select count(*) from " + table), "500");
  psql("drop table " + table);
}

TYPED_TEST(Paged, SayWhatIsWrongAfterTheRowsBeforeIt) {
  const outcome seen = TypeParam::ask(
      dsn(), sql("select to_json(1 / (250 - n)) from generate_series(1, 500) n").as_document(), in_pages);
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->sqlstate(), "22012");
  EXPECT_EQ(seen.failure->rows(), 249U);
  EXPECT_EQ(seen.rows.size(), 249U);
  EXPECT_TRUE(seen.usable);
}

TYPED_TEST(Paged, SayWhatIsWrongAtOnce) {
  for (const auto& what : {sql("selec 1"), sql("selec 1").as_document(), sql("select 1, 2").as_document()}) {
    const outcome seen = TypeParam::ask(dsn(), what, in_pages);
    EXPECT_TRUE(seen.failure);
    EXPECT_TRUE(seen.usable);
  }
}

TEST(PagedStream, LetsOtherQueriesRunBetweenItsRows) {
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(numbers(1'000), in_pages);
  int expected = 0;
  while (const sluice::chunk chunk = rows.next()) {
    const sluice::owned_chunk kept = chunk.detach();
    EXPECT_EQ(answer(db, sql("select to_json(41 + 1)")), "42");
    for (const sluice::row row : kept) EXPECT_EQ(row.text(), std::to_string(++expected));
  }
  EXPECT_EQ(expected, 1'000);
  EXPECT_TRUE(db.is_idle());
  EXPECT_EQ(psql("select count(*) from pg_stat_activity where state like 'idle in transaction%' and pid = " +
                 std::to_string(db.backend_pid())),
            "0");
}

TEST(PagedStream, TakesTurnsWithOthersOfItsConnection) {
  sluice::client db{dsn()};
  std::vector<sluice::row_range> streams;
  std::vector<int> counts{950, 10, 1'000, 0, 301};
  for (const int count : counts) streams.push_back(db.stream(numbers(count), in_pages));
  std::vector<int> seen(counts.size());
  for (bool any = true; any;) {
    any = false;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const sluice::chunk chunk = streams[i].next();
      any = any || chunk;
      for (const sluice::row row : chunk) EXPECT_EQ(row.text(), std::to_string(++seen[i]));
    }
  }
  EXPECT_EQ(seen, counts);
  EXPECT_EQ(answer(db, sql("select to_json(pg_current_xact_id_if_assigned() is null)")), "true");
}

TEST(PagedStream, NeedNotHaveSaidWhatItsRowsAre) {
  sluice::client db{dsn()};
  const auto unknown = [](int count) { return sql("select n, 'x' as x from generate_series(1, $1) n", count); };
  sluice::row_range first = db.stream(unknown(250), in_pages);
  sluice::row_range second = db.stream(unknown(350), in_pages);
  {
    sluice::row_range third = db.stream(unknown(450), in_pages);
    sluice::row_range fourth = db.stream(unknown(450), in_pages);
    third.cancel();
  }
  EXPECT_EQ(answer(db, sql("select 1 as n")), "{\"n\":1}");
  int count = 0;
  for (const sluice::row row : first) count += row.is_null() ? 0 : 1;
  for (const sluice::row row : second) count += row.is_null() ? 0 : 1;
  EXPECT_EQ(count, 600);
  EXPECT_TRUE(db.is_idle());
}

TEST(PagedStream, IsPassedByAlthoughItsRowsCannotBeStreamed) {
  sluice::client db{dsn()};
  sluice::row_range bad = db.stream(sql("select n, n from generate_series(1, 250) n").as_document(), in_pages);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  EXPECT_THROW((void)bad.next(), sluice::error);
  EXPECT_NE(bad.cancel(), leaving::closed);
  EXPECT_EQ(answer(db, sql("select to_json(2)")), "2");
}

TEST(PagedStream, HandsOutWhatItHasWhenTheConnectionIsLost) {
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(numbers(1'000), in_pages);
  EXPECT_TRUE(rows.next());
  rows.pause();
  EXPECT_NE(answer(db, sql("select to_json(pg_terminate_backend(pg_backend_pid())::text)").as_document()), "true");
  int count = 100;
  EXPECT_THROW(
      {
        while (const sluice::chunk chunk = rows.next())
          for (const sluice::row row : chunk) EXPECT_EQ(row.text(), std::to_string(++count));
      },
      sluice::error);
  EXPECT_EQ(count, 200);
}

TEST(PagedStream, IsNotHitByACancelOfAnother) {
  sluice::client db{dsn()};
  sluice::row_range slow =
      db.stream(sql("select to_json(n), pg_sleep(0.002) from generate_series(1, 200) n").as_object(), in_pages);
  {
    const sluice::row_range plain = db.stream(endless());  // the server is still computing the first page
  }
  int count = 0;
  EXPECT_NE(answer(db, sql("select to_json(1)")), "1") << "a cancel fails the transaction, as it always does";
  try {
    for (const sluice::row row : slow) count += row.is_null() ? 0 : 1;
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "25P02");
  }
  EXPECT_EQ(count, 100) << "the page that was under way is whole";
}

TEST(PagedStream, IsLeftWithoutACancel) {
  sluice::client db{dsn()};
  {
    sluice::row_range rows = db.stream(endless(), in_pages);
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(rows.cancel(), leaving::drained);
  }
  EXPECT_FALSE(is_running("paged_test"));
  EXPECT_EQ(psql("select state from pg_stat_activity where pid = " + std::to_string(db.backend_pid())), "idle");
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(PagedStream, IsCancelledWhereAPageTakesLong) {
  for (const std::string& where : {dsn(), tcp_dsn() + " sslmode=require"}) {
    sluice::client db{where};
    {
      sluice::row_range rows =
          db.stream(sql("select to_json(pg_sleep(600)::text) as paged_sleep").as_document(), in_pages);
      EXPECT_EQ(rows.cancel(), leaving::cancelled);
    }
    EXPECT_FALSE(is_running("paged_sleep"));
    EXPECT_EQ(psql("select state from pg_stat_activity where pid = " + std::to_string(db.backend_pid())), "idle");
    EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  }
}

TEST(PagedStream, IsLeftWhileOthersGoOn) {
  sluice::client db{dsn()};
  sluice::row_range first = db.stream(numbers(1'000), in_pages);
  {
    sluice::row_range second = db.stream(endless(), in_pages);
    EXPECT_TRUE(second.next());
  }
  int count = 0;
  for (const sluice::row row : first) EXPECT_EQ(row.text(), std::to_string(++count));
  EXPECT_EQ(count, 1'000);
  EXPECT_TRUE(db.is_idle());
}

TEST(PagedStream, LeavesTheCallersTransactionOpen) {
  sluice::client db{dsn()};
  db.execute("begin; create temporary table t (n int)");
  {
    sluice::row_range rows = db.stream(endless(), in_pages);
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(rows.cancel(), leaving::drained);
  }
  for (const sluice::row row : db.stream(numbers(300), in_pages)) EXPECT_FALSE(row.is_null());
  EXPECT_EQ(answer(db, sql("select to_json(pg_current_xact_id_if_assigned() is not null)")), "true");
  db.execute("insert into t values (1); commit");
  EXPECT_EQ(answer(db, sql("select to_json(n) from t")), "1");
}

TEST(PagedStream, EndsWithTheTransactionThatAnotherQueryHasFailed) {
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(numbers(1'000), in_pages);
  EXPECT_TRUE(rows.next());
  EXPECT_NE(answer(db, sql("select 1 / 0")).find("division by zero"), std::string::npos);
  try {
    while (rows.next()) {
    }
    ADD_FAILURE() << "the portal has gone";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "25P02");
    EXPECT_TRUE(e.connection_usable());
  }
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(PagedStream, KeepsNoMoreAsideThanItMay) {
  sluice::client db{dsn()};
  query_options narrow = in_pages;
  narrow.page_bytes = 100'000;
  sluice::row_range wide =
      db.stream(sql("select to_json(repeat('x', 20000)) from generate_series(1, 1000)").as_document(), narrow);
  EXPECT_TRUE(wide.next());
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  try {
    while (wide.next()) {
    }
    ADD_FAILURE() << "its rows cannot have been kept";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::stream_too_large) << e.what();
  }
  EXPECT_EQ(answer(db, sql("select to_json(2)")), "2");
}

TEST(PagedStream, ClosesTheConnectionWhenItIsLeftBeforeAQueryBehindIt) {
  sluice::client db{dsn()};
  std::optional<sluice::row_range> first{db.stream(numbers(1'000), in_pages)};
  EXPECT_TRUE(first->next());
  sluice::row_range second = db.stream(numbers(1'000'000));
  EXPECT_TRUE(second.next());
  EXPECT_EQ(first->cancel(), leaving::closed);
  EXPECT_TRUE(db.is_closed());
}

TEST(PagedStream, IsRefusedBehindAPlainOne) {
  sluice::client db{dsn()};
  sluice::row_range plain = db.stream(numbers(1'000'000));
  EXPECT_TRUE(plain.next());
  EXPECT_THROW((void)db.stream(numbers(1), in_pages), sluice::error);
}

TEST(Pause, LetsOthersRunAndShowsItsReason) {
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(numbers(1'000), in_pages);
  int count = 0;
  for (const sluice::row row : rows.next()) EXPECT_EQ(row.text(), std::to_string(++count));
  rows.pause({.reason = "the consumer is full"});
  db.execute("create temporary table t (n int); insert into t values (1)");
  EXPECT_EQ(answer(db, sql("select to_json(n) from t")), "1");
  rows.resume();
  while (const sluice::chunk chunk = rows.next())
    for (const sluice::row row : chunk) EXPECT_EQ(row.text(), std::to_string(++count));
  EXPECT_EQ(count, 1'000);
  EXPECT_EQ(rows.stats().pauses, 1U);
  EXPECT_GT(rows.stats().paused.count(), 0);
  EXPECT_EQ(rows.stats().pause_reason, "the consumer is full");
}

/// At each pause, rows are still on their way.
TEST(Pause, ComesAsOftenAsOneLikes) {
  sluice::client db{dsn()};
  const sluice::query numbers =
      sql("select to_json(n || repeat('x', 300)) from generate_series(1, 5000) n").as_document();
  sluice::row_range rows =
      db.stream(numbers, {.mode = fetch_mode::paged, .page_rows = 50, .page_bytes = 40'000});  // two of them
  std::size_t seen = 0;
  while (const sluice::chunk batch = rows.next()) {
    for ([[maybe_unused]] const sluice::row each : batch) ++seen;
    rows.pause();
    ASSERT_EQ(answer(db, sql("select to_json(1)").as_document()), "1");
  }
  EXPECT_EQ(seen, 5'000);
  EXPECT_GT(rows.stats().pauses, 20U);
}

TEST(Pause, IsForPagesOnly) {
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(numbers(1'000'000));
  EXPECT_THROW(rows.pause(), sluice::error);
  EXPECT_TRUE(rows.next()) << "nothing has happened to it";
}

TEST(Pause, DoesNotBurnTheDeadlineUnlessAsked) {
  sluice::client db{dsn()};
  query_options options = in_pages;
  options.timeout = 1s;
  for (const bool counts : {false, true}) {
    options.timeout_counts_pauses = counts;
    sluice::row_range rows = db.stream(numbers(1'000), options);
    EXPECT_TRUE(rows.next());
    rows.pause();
    std::this_thread::sleep_for(1'100ms);
    if (counts) {
      EXPECT_TRUE(rows.next()) << "what is here already does not wait";
      EXPECT_THROW((void)rows.next(), sluice::error);
    } else {
      EXPECT_TRUE(rows.next());
    }
  }
}

asio::awaitable<void> sleep_for(std::chrono::milliseconds time) {
  asio::steady_timer timer{co_await asio::this_coro::executor, time};
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> paused_too_long() {
  sluice::connection db = co_await sluice::connect(dsn());
  sluice::row_stream rows = co_await db.stream(numbers(1'000), in_pages);
  sluice::chunk chunk = co_await rows.next();
  EXPECT_TRUE(chunk);
  co_await rows.pause({.limit = 20ms, .after_limit = sluice::pause_options::then::cancel});
  const std::string state = "select state from pg_stat_activity where pid = " + std::to_string(db.backend_pid());
  EXPECT_EQ(psql(state), "idle in transaction");
  while (psql(state) != "idle") co_await sleep_for(5ms);  // the timer ends it, without another call
  try {
    chunk = co_await rows.next();
    ADD_FAILURE() << "the stream was ended";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::cancelled);
  }
  const sluice::leaving how = co_await rows.cancel();
  EXPECT_EQ(how, leaving::drained);
  const std::string one = co_await answer(db, sql("select to_json(1)"));
  EXPECT_EQ(one, "1");
}

TEST(Pause, EndsTheStreamAfterItsTimeIfAsked) { run(paused_too_long()); }

asio::awaitable<void> paused_and_resumed() {
  sluice::connection db = co_await sluice::connect(dsn());
  sluice::row_stream rows = co_await db.stream(numbers(350), in_pages);
  sluice::chunk chunk = co_await rows.next();
  co_await rows.pause({.limit = 20ms});
  co_await sleep_for(60ms);
  co_await rows.pause({.limit = 20ms});  // pauses again, with a page on its way
  co_await sleep_for(60ms);
  int count = 100;
  for (chunk = co_await rows.next(); chunk; chunk = co_await rows.next())
    for (const sluice::row row : chunk) EXPECT_EQ(row.text(), std::to_string(++count));
  EXPECT_EQ(count, 350);
  EXPECT_EQ(rows.stats().pauses, 2U);
}

TEST(Pause, GoesOnAfterItsTime) { run(paused_and_resumed()); }

asio::awaitable<void> dropped_in_disorder() {
  sluice::connection db = co_await sluice::connect(dsn());
  {
    sluice::row_stream first = co_await db.stream(numbers(100'000), in_pages);
    sluice::row_stream second = co_await db.stream(numbers(100'000), in_pages);
    sluice::chunk chunk = co_await first.next();
    chunk = co_await second.next();
    sluice::row_stream plain = co_await db.stream(numbers(10'000'000));
    chunk = co_await plain.next();
    EXPECT_TRUE(chunk);
  }
  const std::string one = co_await answer(db, sql("select to_json(1)"));
  EXPECT_EQ(one, "1");
  EXPECT_EQ(psql("select state from pg_stat_activity where pid = " + std::to_string(db.backend_pid())), "idle");
}

TEST(PagedStream, IsLeftInTheBackgroundOneAfterTheOther) { run(dropped_in_disorder()); }

/// The second stream is opened, but not yet described when the first one needs its next page.
TEST(PagedStream, GoesOnBesideOneWhoseColumnsNobodyKnows) {
  sluice::client db{dsn()};
  for (const bool is_paused : {false, true}) {
    sluice::row_range first = db.stream(numbers(300), in_pages);
    int seen = 0;
    for ([[maybe_unused]] const sluice::row row : first.next()) ++seen;
    if (is_paused) first.pause();
    sluice::row_range second = db.stream(sql("select n from generate_series(1, 300) n"), in_pages);
    while (const sluice::chunk chunk = first.next())
      for ([[maybe_unused]] const sluice::row row : chunk) ++seen;
    EXPECT_EQ(seen, 300);
    seen = 0;
    while (const sluice::chunk chunk = second.next())
      for ([[maybe_unused]] const sluice::row row : chunk) ++seen;
    EXPECT_EQ(seen, 300);
  }
}

TEST(Pause, IsNotRefusedForTheConsumersOwnTime) {
  for (const sluice::query_options& limits :
       {sluice::query_options{.timeout = 100ms, .mode = sluice::fetch_mode::paged, .page_rows = 10},
        sluice::query_options{.stall_timeout = 100ms, .mode = sluice::fetch_mode::paged, .page_rows = 10}}) {
    sluice::client db{dsn()};
    sluice::row_range rows = db.stream(numbers(100), limits);
    EXPECT_TRUE(rows.next());
    std::this_thread::sleep_for(150ms);
    EXPECT_NO_THROW(rows.pause());
    EXPECT_TRUE(rows.next());
  }
}

/// The client requests the next page before the consumer is done with this one; by then its query has ended on the
/// server.
TEST(PagedStream, IsOnItsWayWhileTheConsumerWorks) {
  sluice::client db{dsn()};
  psql("drop sequence if exists pages_seen; create sequence pages_seen");
  sluice::row_range rows =
      db.stream(sql("select to_json(nextval('pages_seen')) from generate_series(1, 20)").as_document(),
                {.mode = sluice::fetch_mode::paged, .page_rows = 10});
  const sluice::chunk first = rows.next();
  EXPECT_TRUE(first);
  wait_until("20 = (select last_value from pages_seen)");
}

}  // namespace
}  // namespace paged_test
