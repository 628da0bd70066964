// One relation over several connections: every row exactly once and in one snapshot, whatever others write; and no
// session remains, however the read ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <sluice/stream/parallel.hpp>
#include <string>
#include <thread>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace parallel_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::column;
using sluice::errc;
using sluice::fetch_mode;
using sluice::field;
using sluice::from;
using sluice::parallel_options;
using sluice::split_by;
using sluice::sql;

/// A connection string whose sessions can be told from all others.
std::string named(const std::string& name) { return dsn() + " application_name=" + name; }

/// Waits until all sessions of that name have ended.
void expect_none_left(const std::string& name) {
  wait_until("not exists (select from pg_stat_activity where application_name = '" + name + "')");
}

struct parallel_loop {
  static std::vector<std::string> read(const std::string& where, const sluice::relation& what,
                                       const parallel_options& how) {
    std::vector<std::string> seen;
    sluice::parallel_range rows{where, what, how};
    for (const sluice::row each : rows) seen.push_back(each.is_null() ? "NULL" : std::string{each.text()});
    const sluice::parallel_progress end = rows.progress();
    EXPECT_EQ(end.done, end.planned);
    EXPECT_EQ(end.rows, seen.size());
    return seen;
  }
};
struct parallel_coroutine {
  static asio::awaitable<std::vector<std::string>> work(std::string where, sluice::relation what,
                                                        parallel_options how) {
    std::vector<std::string> seen;
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(where, what, how);
    while (const sluice::chunk batch = co_await rows.next())
      for (const sluice::row each : batch) seen.push_back(each.is_null() ? "NULL" : std::string{each.text()});
    co_return seen;
  }
  static std::vector<std::string> read(const std::string& where, const sluice::relation& what,
                                       const parallel_options& how) {
    return run(work(where, what, how));
  }
};

void load() {
  psql(R"(drop table if exists par cascade; create table par (data jsonb);
            insert into par select jsonb_build_object('id', n, 'x', n % 7, 's', md5(n::text))
              from generate_series(1, 30000) n;
            insert into par values (null), ('{"id": "no number"}'), ('{"id": null}'), ('[]'), ('{"id": -9000000000000}');
            create view v_par as select data from par;
            drop table if exists par_empty; create table par_empty (data jsonb);
            drop table if exists par_each; create table par_each (data jsonb, n int);
            insert into par_each select to_jsonb(n), n from generate_series(1, 200000) n)");
}

template <class Face>
class Parallel : public testing::Test {
 protected:
  static void SetUpTestSuite() { load(); }
  /// Reads all rows, and sorts them, because they arrive in no particular order.
  static std::vector<std::string> read(const sluice::relation& what, const parallel_options& how) {
    std::vector<std::string> seen = Face::read(named("par_rows"), what, how);
    std::ranges::sort(seen);
    expect_none_left("par_rows");
    return seen;
  }
  static std::vector<std::string> on_one(const sluice::relation& what) {
    std::vector<std::string> seen = blocking_face::ask(dsn(), what).rows;
    std::ranges::sort(seen);
    return seen;
  }
};
using faces = testing::Types<parallel_loop, parallel_coroutine>;
TYPED_TEST_SUITE(Parallel, faces);

TYPED_TEST(Parallel, GivesEachRowOnce) {
  for (const std::uint32_t connections : {1U, 2U, 5U})
    for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::bulk, fetch_mode::paged})
      EXPECT_EQ(this->read(from("par"), {.connections = connections, .query = {.mode = mode}}),
                this->on_one(from("par")));
  for (const split_by& split : {split_by::key("id"), split_by::key("s"), split_by::key("x"), split_by::hash("s"),
                                split_by::hash("nothing.there")})
    EXPECT_EQ(this->read(from("v_par"), {.split = split, .connections = 3}), this->on_one(from("v_par")))
        << split.path();
  EXPECT_TRUE(this->read(from("par_empty"), {}).empty());
  EXPECT_TRUE(this->read(from("par_empty"), {.split = split_by::key("id")}).empty());
}

TYPED_TEST(Parallel, KeepsConditionsAndProjections) {
  const sluice::relation some = from("par").where(field("x") == 3 && field("s").like("%a%")).select("id", "s");
  EXPECT_EQ(this->read(some, {.connections = 2}), this->on_one(some));
  EXPECT_EQ(this->read(some, {.split = split_by::key("id"), .connections = 2}), this->on_one(some));
  const sluice::relation here = from("par").where(
      sluice::local([](const sluice::row& each) { return each.text().find("77") != std::string_view::npos; }));
  EXPECT_EQ(this->read(here, {.connections = 2}), this->on_one(here));
}

TYPED_TEST(Parallel, RefusesWhatWouldBeWrongOrSlower) {
  psql(
      "drop table if exists par_indexed; create table par_indexed (data jsonb, n int);"
      "insert into par_indexed select jsonb_build_object('id', n), n from generate_series(1, 20000) n;"
      "create index on par_indexed ((data->'id')); create index on par_indexed (n); analyze par_indexed");
  const auto refusal = [&](const sluice::relation& what, const split_by& split) -> std::string {
    try {
      (void)TypeParam::read(named("par_refused"), what, {.split = split});
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::bad_query) << e.what();
      return e.what();
    }
    return "none";
  };
  const auto has = [](const std::string& text, const char* words) { return text.find(words) != text.npos; };
  EXPECT_TRUE(has(refusal(from("par").order_by(column("data")), split_by::ctid()), "ORDER BY jsonb"));
  EXPECT_TRUE(has(refusal(from("par").order_by(sluice::sort_key(field("s")).collate("en-x-icu")), split_by::ctid()),
                  "collation"));
  EXPECT_TRUE(has(refusal(from("par_indexed").order_by(column("n")), split_by::ctid()), "by an index"));
  EXPECT_TRUE(has(refusal(from("par").limit(5), split_by::ctid()), "LIMIT"));
  EXPECT_TRUE(has(refusal(from("v_par"), split_by::ctid()), "only tables"));
  EXPECT_TRUE(has(refusal(from("par_indexed").where(sluice::sql_predicate("data->'id' = '77'")), split_by::ctid()),
                  "by an index"));
  EXPECT_THROW((void)TypeParam::read(named("par_refused"), from("par"), {.connections = 0}), sluice::error);
  expect_none_left("par_refused");
}

TYPED_TEST(Parallel, EndsAllAtAnErrorOfOne) {
  psql(
      "create or replace view v_par_bad as select to_jsonb(1 / (n - 29000)) as data, jsonb_build_object('n', n) as n "
      "from generate_series(1, 30000) n");
  try {
    (void)TypeParam::read(named("par_error"), from("v_par_bad"), {.split = split_by::hash("n"), .connections = 3});
    ADD_FAILURE() << "no error";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "22012") << e.what();
  }
  expect_none_left("par_error");
}

/// For keys of every type, the rows arrive in the same order as over one connection.
TYPED_TEST(Parallel, MergesInOrder) {
  psql(R"(set timezone = 'UTC';
      drop table if exists par_sorted; create table par_sorted (id serial, data jsonb, b bool, i2 int2, i4 int4,
          i8 int8, o oid, f4 float4, f8 float8, n numeric, t text collate "C", v varchar collate "C", nm name, d date,
          tm time, ts timestamp, tz timestamptz, u uuid, y bytea);
      insert into par_sorted select n, jsonb_build_object('id', n, 'k', n % 11, 's', md5(n::text)),
          case n % 3 when 0 then true when 1 then false end,
          (n * 7919) % 200 - 100, (n * 7919) % 100000 - 50000, (n * 7919::int8) * 4000000000 % 77777777777 - 33333333333,
          ((n * 104729::int8) % 4294967296)::oid,
          (array['NaN', '-Infinity', 'Infinity', '-0', '0', '1e-30', null])[n % 9 + 1]::float4,
          case n % 5 when 0 then 'NaN' when 1 then -n / 3.0 when 2 then n * 1e300 when 3 then 0 end::float8,
          case n % 8 when 0 then 'NaN' when 1 then 'Infinity' when 2 then '-Infinity' when 3 then -n / 7.0
            when 4 then n * 1e-20 when 5 then n * 1e30 when 6 then 0.00 end::numeric,
          case when n % 13 != 0 then repeat(chr(n % 300 + 40), n % 4) end, md5(n::text), md5((n % 50)::text)::name,
          case n % 6 when 0 then 'infinity' when 1 then '-infinity' else date '2000-01-01' + (n % 1000 - 500) end,
          time '00:00' + n * interval '1 second', timestamp '1999-12-31' + (n % 3000 - 1500) * interval '1 hour',
          case n % 6 when 0 then 'infinity' when 1 then '-infinity' else timestamptz '2000-01-01' + n * interval '1 us'
            end, md5(n::text)::uuid, decode(left(md5(n::text), n % 3 * 2), 'hex')
        from generate_series(1, 4000) n;
      analyze par_sorted)");
  const auto same = [&](const sluice::relation& what, const split_by& split, std::uint32_t connections,
                        fetch_mode mode = fetch_mode::plain) {
    const std::vector<std::string> expected = blocking_face::ask(dsn(), what).rows;
    EXPECT_EQ(TypeParam::read(named("par_order"), what,
                              {.split = split, .connections = connections, .query = {.mode = mode}}),
              expected);
  };
  for (const char* key :
       {"b", "i2", "i4", "i8", "o", "f4", "f8", "n", "t", "v", "nm", "d", "tm", "ts", "tz", "u", "y"}) {
    SCOPED_TRACE(key);
    const sluice::relation all = from("par_sorted");
    same(sluice::relation{all}.order_by(column(key)).order_by(column("id")), split_by::ctid(), 4);
    same(sluice::relation{all}.order_by(desc(column(key))).order_by(desc(column("id"))), split_by::hash("s"), 3);
    same(sluice::relation{all}.order_by(desc(column(key)).nulls_last()).order_by(column("id")), split_by::key("id"), 2);
    same(sluice::relation{all}.order_by(asc(column(key)).nulls_first()).order_by(column("id")), split_by::ctid(), 3,
         fetch_mode::bulk);
  }
  const sluice::relation some = from("par_sorted")
                                    .where(field("k") < 5)
                                    .select("id", "s")
                                    .order_by(desc(field("k").as_numeric()))
                                    .order_by(sluice::sort_key(field("s")).collate("C"))
                                    .after({3, "8"});
  same(some, split_by::ctid(), 3, fetch_mode::paged);
  same(from("par_sorted")
           .where(
               sluice::local([](const sluice::row& each) { return each.text().find("77") != std::string_view::npos; }))
           .order_by(column("id")),
       split_by::ctid(), 3);
  same(from("par_sorted").where(field("k") == 99).order_by(column("id")), split_by::ctid(), 3);
  expect_none_left("par_order");
}

TYPED_TEST(Parallel, ReadsThePartsOfATable) {
  psql(R"(drop table if exists par_parts; create table par_parts (data jsonb, n int) partition by range (n);
      create table par_parts_1 partition of par_parts for values from (0) to (9000);
      create table par_parts_2 partition of par_parts for values from (9000) to (10000) partition by hash (n);
      create table par_parts_2a partition of par_parts_2 for values with (modulus 2, remainder 0);
      create table par_parts_2b partition of par_parts_2 for values with (modulus 2, remainder 1);
      insert into par_parts select jsonb_build_object('n', n), n from generate_series(0, 9999) n;
      drop table if exists par_heir, par_parent; create table par_parent (data jsonb);
      create table par_heir () inherits (par_parent);
      insert into par_heir select jsonb_build_object('n', n) from generate_series(0, 9999) n)");
  for (const char* table : {"par_parts", "par_parent"})
    EXPECT_EQ(this->read(from(table), {.connections = 3}), this->on_one(from(table))) << table;
}

class ParallelConsumers : public testing::Test {
 protected:
  static void SetUpTestSuite() { load(); }
};
class ParallelStream : public testing::Test {
 protected:
  static void SetUpTestSuite() { load(); }
};

/// One thread per consumer: together they see each row exactly once.
TEST_F(ParallelConsumers, TakeTheRowsOfTheirConnections) {
  struct tally {
    std::uint64_t rows{0};
    std::uint64_t sum{0};
  };
  std::vector<tally> seen(3);  // each element is used by one connection at a time
  asio::thread_pool threads{3};
  const auto add = [&seen](sluice::chunk rows, std::uint32_t connection) -> asio::awaitable<void> {
    for (const sluice::row each : rows) {
      ++seen.at(connection).rows;
      seen.at(connection).sum += std::stoull(std::string{each.text()});
    }
    co_return;
  };
  const sluice::parallel_progress done =
      asio::co_spawn(threads,
                     sluice::for_each_in_parallel(named("par_each"), from("par_each"), add, {.connections = 3}),
                     asio::use_future)
          .get();
  EXPECT_EQ(done.rows, 200'000);
  EXPECT_EQ(done.done, done.planned);
  EXPECT_EQ(done.connections, 3);
  tally all;
  for (const tally& each : seen) {
    all.rows += each.rows;
    all.sum += each.sum;
  }
  EXPECT_EQ(all.rows, 200'000);
  EXPECT_EQ(all.sum, 200'000ULL * 200'001 / 2);
  expect_none_left("par_each");
}

TEST_F(ParallelConsumers, EndAllWhenOneFails) {
  asio::thread_pool threads{3};
  std::atomic<int> calls{0};
  const auto fail = [&calls](sluice::chunk rows, std::uint32_t) -> asio::awaitable<void> {
    if (rows && ++calls == 3) throw std::logic_error{"enough"};
    co_return;
  };
  // Caught in the coroutine, because ThreadSanitizer does not see the reference counts of exceptions in the standard
  // library.
  const auto read = [&fail](sluice::relation what) -> asio::awaitable<std::string> {
    std::string said{"nothing"};
    try {
      const sluice::parallel_progress done =
          co_await sluice::for_each_in_parallel(named("par_fail"), what, fail, {.connections = 3});
      said = std::to_string(done.rows) + " rows";
    } catch (const std::exception& e) {
      said = e.what();
    }
    co_return said;
  };
  const auto failure = [&](const sluice::relation& what) {
    return asio::co_spawn(threads, read(what), asio::use_future).get();
  };
  EXPECT_EQ(failure(from("par_each")), "enough");
  EXPECT_NE(failure(from("par_each").order_by(column("n"))).find("no order"), std::string::npos);
  EXPECT_NE(failure(from("nothing.there")).find("does not exist"), std::string::npos);
  expect_none_left("par_fail");
}

/// The consumer of a chunk need not be on the strand of the connection that it came from.
TEST_F(ParallelStream, IsReadOnManyThreads) {
  asio::thread_pool threads{3};
  const auto read = [](std::string where, sluice::relation what) -> asio::awaitable<std::uint64_t> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(where, what, {.connections = 3});
    std::uint64_t sum = 0;
    while (const sluice::chunk batch = co_await rows.next())
      for (const sluice::row each : batch) sum += std::stoull(std::string{each.text()});
    co_return sum;
  };
  for (const sluice::relation& what : {from("par_each"), from("par_each").order_by(column("n"))})
    EXPECT_EQ(asio::co_spawn(threads, read(named("par_threads"), what), asio::use_future).get(),
              200'000ULL * 200'001 / 2);
  expect_none_left("par_threads");
}

TEST_F(ParallelStream, IsLeftEarly) {
  for (const bool cancels : {true, false}) {
    {
      sluice::parallel_range rows{named("par_left"), from("par"), {.connections = 3}};
      EXPECT_TRUE(rows.next());
      if (cancels) rows.cancel();
    }
    expect_none_left("par_left");
  }
  const auto leave = [](std::string where) -> asio::awaitable<void> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(where, from("par"), {.connections = 3});
    (void)co_await rows.next();
  };
  run(leave(named("par_left")));
  expect_none_left("par_left");
}

/// Left while connecting, dividing or reading, with its connections on other threads.
TEST_F(ParallelStream, IsLeftOnManyThreads) {
  asio::thread_pool threads{3};
  const auto leave = [](std::string where, int chunks) -> asio::awaitable<void> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(where, from("par"), {.connections = 3});
    for (int i = 0; i < chunks; ++i) (void)co_await rows.next();
  };
  for (int turn = 0; turn < 40; ++turn)
    asio::co_spawn(threads, leave(named("par_left"), turn % 8), asio::use_future).get();
  for (int turn = 0; turn < 40; ++turn) {
    asio::cancellation_signal stop;  // used on this strand only
    const auto strand = asio::make_strand(threads);
    auto ended = asio::co_spawn(strand, leave(named("par_left"), 1'000),
                                asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    std::this_thread::sleep_for(turn * 500us);
    asio::post(strand, [&stop] { stop.emit(asio::cancellation_type::terminal); });
    ended.wait();
    asio::post(strand, asio::use_future([] {})).get();
  }
  expect_none_left("par_left");
}

TEST_F(ParallelStream, IsInterrupted) {
  psql("create or replace view v_par_slow as select to_jsonb(pg_sleep(600)::text) as data from generate_series(1, 9)");
  std::optional<sluice::parallel_range> rows;
  rows.emplace(named("par_stopped"), from("v_par_slow"),
               parallel_options{.split = split_by::hash("x"), .connections = 2});
  std::thread other{[&] {
    wait_until_running("v_par_slow");
    rows->interrupt();
  }};
  EXPECT_THROW((void)rows->next(), sluice::error);
  other.join();
  rows.reset();
  expect_none_left("par_stopped");
}

/// Writers move money between accounts, and insert and delete accounts; the sum does not change.
TEST_F(ParallelStream, ReadsOneSnapshotWhileOthersWrite) {
  psql(
      "drop table if exists accounts; create table accounts (data jsonb) with (autovacuum_enabled = off);"
      "insert into accounts select jsonb_build_object('id', n, 'money', 100) from generate_series(1, 4000) n");
  std::atomic<bool> over{false};
  std::vector<std::thread> writers;
  const auto writes = [&](const std::string& statements) {
    writers.emplace_back([&over, statements] {
      sluice::client db{dsn()};
      while (!over) {
        try {
          db.execute(statements);
        } catch (const sluice::error& e) {
          EXPECT_TRUE(e.retryable()) << e.what();
        }
      }
    });
  };
  const std::string picked = "(random() * 3999 + 1)::int";
  writes(
      "begin; update accounts set data = jsonb_set(data, '{money}', to_jsonb((data->>'money')::int - 5)) where ctid = "
      "(select min(ctid) from accounts where (data->>'id')::int >= " +
      picked +
      ") and (data->>'money')::int >= 5; "
      "rollback");
  writes(
      "with taken as (delete from accounts where ctid in (select ctid from accounts tablesample system (2) limit 50 "
      "for update skip locked) returning data) insert into accounts select data from taken");
  writes(
      "with pair as (select array_agg(ctid) as c from (select ctid from accounts tablesample system (5) limit 2 for "
      "update skip locked) q having count(*) = 2) update accounts set data = jsonb_set(data, '{money}', "
      "to_jsonb((data->>'money')::int + case when accounts.ctid = pair.c[1] then 7 else -7 end)) from pair where "
      "accounts.ctid = any(pair.c)");
  writes("vacuum accounts");
  for (int turn = 0; turn < 100; ++turn) {
    std::int64_t sum = 0;
    std::vector<int> times(4'001);
    sluice::parallel_range rows{dsn(), from("accounts"), {.connections = 1U + static_cast<std::uint32_t>(turn % 4)}};
    while (const sluice::chunk batch = rows.next())
      for (const sluice::row each : batch) {
        int id = 0;
        int money = 0;
        const std::string text{each.text()};
        ASSERT_EQ(std::sscanf(text.c_str(), R"({"id": %d, "money": %d})", &id, &money), 2) << text;
        ++times.at(static_cast<std::size_t>(id));
        sum += money;
      }
    EXPECT_EQ(sum, 400'000) << "turn " << turn;
    EXPECT_EQ(std::ranges::count(times, 1), 4'000) << "turn " << turn;
  }
  over = true;
  for (std::thread& each : writers) each.join();
}

}  // namespace
}  // namespace parallel_test
