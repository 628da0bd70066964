// The same generic code drives every kind of stream, because all have the same verbs.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <sluice/sluice.hpp>
#include <sluice/stream/typed_stream.hpp>
#include <string>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace verbs_test {
namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::from;
using sluice::leaving;
using sluice::sql;

struct number {
  std::int64_t n{};
};
SLUICE_JSON(number, n)

constexpr std::int64_t many = 20'000;
const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 500};

sluice::relation numbers() {
  static const std::string made = psql(
      "create table verbs_numbers as select json_build_object('n', n, 'filler', repeat('x', 100)) as data from "
      "generate_series(1, 20000) n; "
      "analyze verbs_numbers; select ''");
  (void)made;
  return from("verbs_numbers");
}

std::int64_t value_of(const sluice::row& each) { return each.as<number>().n; }
std::int64_t value_of(const number& each) { return each.n; }

template <class Chunk>
std::int64_t sum_of(Chunk&& rows) {
  std::int64_t sum = 0;
  for (const auto& each : rows) sum += value_of(each);
  return sum;
}

template <class Call>
std::error_code failure_of(const Call& call) {
  try {
    call();
  } catch (const sluice::error& e) {
    return e.code();
  }
  return {};
}

void expect_all(std::int64_t sum, const sluice::stream_stats& seen, leaving how, bool goes_on) {
  EXPECT_EQ(sum, many * (many + 1) / 2);
  EXPECT_EQ(seen.rows, static_cast<std::uint64_t>(many));
  EXPECT_GT(seen.bytes, seen.rows * 100);
  EXPECT_GT(seen.chunks, 1U);
  EXPECT_GT(seen.reads, 1U);
  EXPECT_GT(seen.first_row.count(), 0);
  EXPECT_GE(seen.elapsed, seen.first_row);
  EXPECT_GT(seen.buffer_peak, 0U);
  EXPECT_EQ(how, leaving::drained);
  EXPECT_FALSE(goes_on);
}

// Calls each verb once, and reads to the end.
template <sluice::blocking_stream Stream>
void read_through(Stream rows) {
  std::int64_t sum = sum_of(rows.next());
  if constexpr (sluice::pausable_stream<Stream>) {
    rows.pause({.reason = "a verb"});
    rows.resume();
    EXPECT_EQ(rows.stats().pauses, 1U);
  }
  while (const auto some = rows.next()) sum += sum_of(some);
  if constexpr (sluice::pausable_stream<Stream>) {
    rows.pause();
    EXPECT_EQ(rows.stats().pauses, 1U) << "at the end there is nothing to pause";
  }
  const leaving how = rows.cancel();
  expect_all(sum, rows.stats(), how, static_cast<bool>(rows.next()));
}
template <sluice::blocking_stream Stream>
void leave_early(Stream rows) {
  EXPECT_TRUE(rows.next());
  EXPECT_NE(rows.cancel(), leaving::closed);
  EXPECT_EQ(failure_of([&] { (void)rows.next(); }), errc::cancelled);
}
template <sluice::awaitable_stream Stream>
asio::awaitable<void> read_through(Stream& rows) {
  std::int64_t sum = sum_of(co_await rows.next());
  if constexpr (sluice::pausable_stream<Stream>) {
    co_await rows.pause();
    rows.resume();
    EXPECT_EQ(rows.stats().pauses, 1U);
  }
  while (const auto some = co_await rows.next()) sum += sum_of(some);
  if constexpr (sluice::pausable_stream<Stream>) {
    co_await rows.pause();
    EXPECT_EQ(rows.stats().pauses, 1U) << "at the end there is nothing to pause";
  }
  const auto took = rows.stats().elapsed;
  const leaving how = co_await rows.cancel();
  EXPECT_EQ(rows.stats().elapsed, took) << "at the end there is nothing to cancel";
  const auto after = co_await rows.next();
  const auto here = co_await asio::this_coro::executor;
  EXPECT_TRUE(rows.get_executor() == here);
  expect_all(sum, rows.stats(), how, static_cast<bool>(after));
}
template <sluice::awaitable_stream Stream>
asio::awaitable<void> leave_early(Stream& rows) {
  const auto first = co_await rows.next();
  EXPECT_TRUE(first);
  const leaving how = co_await rows.cancel();
  EXPECT_NE(how, leaving::closed);
  std::error_code failure;
  try {
    (void)co_await rows.next();
  } catch (const sluice::error& e) {
    failure = e.code();
  }
  EXPECT_EQ(failure, errc::cancelled);
}

TEST(BlockingStreams, ShareTheirVerbs) {
  const auto what = numbers();
  sluice::client db{dsn()};
  read_through(db.stream(what, in_pages));
  read_through(db.stream<number>(what, in_pages));
  read_through(sluice::parallel_range{dsn(), what});
  read_through(sluice::typed_range<number, sluice::parallel_range>{{dsn(), what}});
  leave_early(db.stream(what));
  leave_early(db.stream<number>(what));
  leave_early(db.stream(what, in_pages));
  leave_early(sluice::parallel_range{dsn(), what});
  leave_early(sluice::typed_range<number, sluice::parallel_range>{{dsn(), what}});
  EXPECT_EQ(sum_of(db.stream<number>(what)), many * (many + 1) / 2) << "ranges of their rows, too";
  EXPECT_EQ(sum_of(sluice::typed_range<number, sluice::parallel_range>{{dsn(), what}}), many * (many + 1) / 2);
}

TEST(TypedRange, IsOfNoUseOnceItWasMovedFrom) {
  sluice::client db{dsn()};
  auto rows = db.stream<number>(numbers());
  const auto taken = std::move(rows);
  EXPECT_EQ(failure_of([&] { (void)rows.next(); }), errc::bad_state);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(failure_of([&] { (void)rows.cancel(); }), errc::bad_state);
  EXPECT_EQ(failure_of([&] { (void)rows.stats(); }), errc::bad_state);
  EXPECT_EQ(taken.stats().rows, 0U);
}

asio::awaitable<void> drive_coroutines() {
  const auto what = numbers();
  sluice::connection db = co_await sluice::connect(dsn());
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  sluice::pool shared{here, dsn()};
  {
    sluice::row_stream rows = co_await db.stream(what, in_pages);
    co_await read_through(rows);
    sluice::typed_stream<number> typed = co_await db.stream<number>(what, in_pages);
    co_await read_through(typed);
    sluice::pooled_stream pooled = shared.stream(what, in_pages);
    co_await read_through(pooled);
    sluice::typed_stream<number, sluice::pooled_stream> both = shared.stream<number>(what, in_pages);
    co_await read_through(both);
    sluice::parallel_stream parallel = co_await sluice::stream_in_parallel(dsn(), what);
    co_await read_through(parallel);
    auto all = co_await sluice::stream_in_parallel<number>(dsn(), what);
    co_await read_through(all);
  }
  sluice::row_stream rows = co_await db.stream(what);
  co_await leave_early(rows);
  sluice::typed_stream<number> typed = co_await db.stream<number>(what);
  co_await leave_early(typed);
  sluice::pooled_stream pooled = shared.stream(what);
  co_await leave_early(pooled);
  sluice::typed_stream<number, sluice::pooled_stream> both = shared.stream<number>(what);
  co_await leave_early(both);
  sluice::parallel_stream parallel = co_await sluice::stream_in_parallel(dsn(), what);
  co_await leave_early(parallel);
  auto all = co_await sluice::stream_in_parallel<number>(dsn(), what);
  co_await leave_early(all);
  shared.close();
}

TEST(CoroutineStreams, ShareTheirVerbs) { run(drive_coroutines()); }

asio::awaitable<void> pause_pooled() {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  sluice::pool shared{here, dsn()};
  sluice::pooled_stream rows = shared.stream(numbers(), in_pages);
  std::error_code unsent;
  try {
    co_await rows.pause();
  } catch (const sluice::error& e) {
    unsent = e.code();
  }
  EXPECT_EQ(unsent, errc::bad_state);
  EXPECT_EQ(rows.attempts(), 0);
  const sluice::chunk first = co_await rows.next();
  EXPECT_TRUE(first);
  co_await rows.pause({.reason = "full"});
  EXPECT_EQ(rows.stats().pause_reason, "full");
  sluice::pooled_stream plain = shared.stream(numbers());
  (void)co_await plain.next();
  std::error_code refused;
  try {
    co_await plain.pause();
  } catch (const sluice::error& e) {
    refused = e.code();
  }
  EXPECT_EQ(refused, errc::bad_state);
  const sluice::chunk more = co_await rows.next();
  EXPECT_TRUE(more);
  shared.close();
}

TEST(PooledStream, PausesItsPagesOnceTheyWereSent) { run(pause_pooled()); }

// Reports about the end of a parallel stream.

TEST(ParallelRange, SaysHowItsQueriesWereEnded) {
  const auto what = numbers();
  sluice::parallel_range unsent{dsn(), what};
  EXPECT_EQ(unsent.cancel(), leaving::drained);
  EXPECT_EQ(unsent.cancel(), leaving::drained);
  sluice::parallel_range early{dsn(), what};
  EXPECT_TRUE(early.next());
  EXPECT_EQ(early.cancel(), leaving::cancelled);
  EXPECT_EQ(early.cancel(), leaving::cancelled);
  sluice::parallel_range lost{dsn() + " application_name=verbs_lost", what};
  EXPECT_TRUE(lost.next());
  psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'verbs_lost'");
  wait_until("not exists (select from pg_stat_activity where application_name = 'verbs_lost')");
  EXPECT_EQ(lost.cancel(), leaving::closed);
}

// Typed rows.

sluice::query some_bad() {
  return sql("select case when n % 3 = 0 then '{\"n\": \"none\"}'::json else json_build_object('n', n) end "
             "from generate_series(1, 3000) n")
      .as_document();
}

std::string told(const sluice::error& e) {
  const std::string text = e.what();
  return text.substr(0, text.find(','));
}

/// Reads each chunk up to its first malformed row.
template <class Next>
asio::awaitable<void> count_rows(Next& rows, std::int64_t& good, std::vector<std::string>& bad) {
  while (auto some = co_await rows.next()) {
    try {
      for (const number& each : some) good += each.n > 0 ? 1 : 0;
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::bad_json);
      bad.push_back(told(e));
    }
  }
}

asio::awaitable<void> number_rows() {
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query_options threes{.mode = sluice::fetch_mode::paged, .page_rows = 3};
  const sluice::query what =
      sql("select case when n % 3 = 2 then '{\"n\": \"none\"}'::json else json_build_object('n', "
          "n) end from generate_series(1, 9) n")
          .as_document();
  sluice::typed_stream<number> rows = co_await db.stream<number>(what, threes);
  std::int64_t good = 0;
  std::vector<std::string> bad;
  co_await count_rows(rows, good, bad);
  EXPECT_EQ(good, 3);
  EXPECT_EQ(bad, (std::vector<std::string>{"row 2", "row 5", "row 8"})) << "a chunk left at its second row has three";
  EXPECT_EQ(rows.skipped(), 0U);
}

TEST(TypedStream, CountsTheRowsOfChunksThatWereLeft) { run(number_rows()); }

TEST(TypedRange, CountsTheRowsOfChunksThatWereLeft) {
  sluice::client db{dsn()};
  auto rows = db.stream<number>(some_bad());
  std::size_t checked = 0;
  while (auto some = rows.next()) {
    std::int64_t last = 0;
    try {
      for (const number& each : some) last = each.n;
    } catch (const sluice::error& e) {
      if (last == 0) continue;  // the first row of its chunk
      EXPECT_EQ(told(e), "row " + std::to_string(last + 1));
      ++checked;
    }
  }
  EXPECT_GT(checked, 0U);
}

asio::awaitable<void> skip_rows() {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(dsn());
  sluice::pool shared{here, dsn()};
  const sluice::query what = some_bad();
  std::int64_t good = 0;
  std::vector<std::string> bad;
  sluice::typed_stream<number> rows = co_await db.stream<number>(what);
  rows.skip_bad_rows();
  co_await count_rows(rows, good, bad);
  EXPECT_EQ(good, 2000);
  EXPECT_EQ(rows.skipped(), 1000U);
  auto pooled = shared.stream<number>(what).skip_bad_rows();
  co_await count_rows(pooled, good, bad);
  EXPECT_EQ(good, 4000);
  EXPECT_EQ(pooled.skipped(), 1000U);
  EXPECT_TRUE(bad.empty());
  shared.close();
}

TEST(TypedStream, SkipsBadRowsAsARangeDoes) { run(skip_rows()); }

TEST(TypedParallelRange, NumbersRowsInTheOrderInWhichTheyCome) {
  psql(
      "create table verbs_bad as select jsonb_build_object('n', case when n = 900 then '\"x\"' else to_jsonb(n) end) "
      "as data "
      "from generate_series(1, 1000) n");
  sluice::typed_range<number, sluice::parallel_range> rows{{dsn(), from("verbs_bad")}};
  std::uint64_t good = 0;
  try {
    for (const number& each : rows) good += each.n > 0 ? 1U : 0U;
    FAIL() << "a row does not fit";
  } catch (const sluice::error& e) {
    EXPECT_EQ(told(e), "row " + std::to_string(good + 1));
  }
}

asio::awaitable<void> move_while_waiting() {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query what =
      sql("select json_build_object('n', n) from (select n, pg_sleep(0.05) from generate_series(1, 2) n) t")
          .as_document();
  auto rows = std::make_unique<sluice::typed_stream<number>>(co_await db.stream<number>(what));
  std::optional<std::int64_t> sum;
  asio::co_spawn(
      here,
      [](auto waiting) -> asio::awaitable<std::int64_t> {
        co_return sum_of(co_await std::move(waiting));
      }(rows->next()),
      [&](std::exception_ptr failure, std::int64_t got) {
        EXPECT_FALSE(failure);
        sum = got;
      });
  co_await asio::post(here, asio::use_awaitable);
  sluice::typed_stream<number> moved = std::move(*rows);
  rows.reset();
  while (!sum) co_await asio::post(here, asio::use_awaitable);
  EXPECT_GT(*sum, 0);
  moved = sluice::typed_stream<number>{};
  const auto none = co_await moved.next();
  EXPECT_FALSE(none);
}

TEST(TypedStream, GoesOnWaitingWhenItIsMoved) { run(move_while_waiting()); }

asio::awaitable<void> destroy_while_waiting() {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query what = sql("select to_json(n) from generate_series(1, 2) n, pg_sleep(600)").as_document();
  std::optional<sluice::typed_stream<std::int64_t>> rows{co_await db.stream<std::int64_t>(what)};
  std::optional<std::error_code> failure;
  asio::co_spawn(here, rows->next(), [&](std::exception_ptr thrown, sluice::typed_chunk<std::int64_t> got) {
    EXPECT_FALSE(got);
    failure = failure_of([&] {
      if (thrown) std::rethrow_exception(thrown);
    });
  });
  for (int i = 0; i < 20; ++i) co_await asio::post(here, asio::use_awaitable);
  rows.reset();
  while (!failure) co_await asio::post(here, asio::use_awaitable);
  EXPECT_EQ(*failure, errc::cancelled);
  (void)co_await db.execute("select 1");
}

TEST(TypedStream, EndsItsWaitWithCancelledWhenItIsDestroyed) { run(destroy_while_waiting()); }

}  // namespace
}  // namespace verbs_test
