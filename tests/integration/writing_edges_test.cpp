// Writing at its edges: objects that were moved from, limits that cannot be kept, and what is run again.
#include <gtest/gtest.h>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <sluice/sluice.hpp>
#include <sluice/stream/batch.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/in_transaction.hpp>
#include <string>
#include <thread>
#include <utility>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "failures.hpp"

namespace writing_edges_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::errc;
using sluice::sql;

/// A table `edge_rows`, anew for each test.
class WritingEdge : public testing::Test {
 protected:
  WritingEdge() { psql("drop table if exists edge_rows; create table edge_rows (n int)"); }
  static std::string count() { return psql("select count(*) from edge_rows"); }

  sluice::client db{dsn()};
};

template <class Call>
bool is_bad_state(const Call& call) {
  const auto why = failure_of(call);
  return why && why->code() == errc::bad_state;
}

TEST_F(WritingEdge, AMovedFromClientRefusesEverything) {
  const sluice::client moved{std::move(db)};
  EXPECT_TRUE(db.is_closed());
  EXPECT_FALSE(db.is_idle());
  EXPECT_EQ(db.backend_pid(), 0U);
  EXPECT_EQ(db.tls_version(), "");
  db.interrupt();
  EXPECT_TRUE(is_bad_state([&] { db.execute("select 1"); }));
  EXPECT_TRUE(is_bad_state([&] { db.execute(sql("select 1")); }));
  EXPECT_TRUE(is_bad_state([&] { (void)db.stream(sql("select 1")); }));
  EXPECT_TRUE(is_bad_state([&] { (void)db.send({}); }));
  EXPECT_TRUE(is_bad_state([&] { (void)db.begin(); }));
  EXPECT_TRUE(is_bad_state([&] { (void)db.batch("select 1"); }));
  EXPECT_TRUE(is_bad_state([&] { (void)db.copy_into("edge_rows"); }));
  EXPECT_TRUE(is_bad_state([&] { (void)db.copy_data("copy edge_rows from stdin"); }));
  EXPECT_TRUE(is_bad_state([&] { (void)db.parameter("TimeZone"); }));
  EXPECT_TRUE(is_bad_state([&] { db.on_notice({}); }));
}

TEST_F(WritingEdge, AMovedFromPoolRefusesEverything) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::pool from{co_await asio::this_coro::executor, dsn()};
    sluice::pool to{std::move(from)};
    EXPECT_TRUE(is_bad_state([&] { (void)from.acquire(); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.begin(); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.execute(sql("select 1")); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.execute("select 1"); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.copy_into("edge_rows"); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.copy_data("copy edge_rows from stdin"); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.batch("select 1"); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.stream(sql("select 1")); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.warm_up(); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.drain(1s); }));
    EXPECT_TRUE(is_bad_state([&] { (void)from.stats(); }));
    from.close();
    to.close();
  };
  run(body());
}

/// It would not be kept otherwise, and nobody would know.
TEST_F(WritingEdge, AServerTimeoutIsRefusedWhereItCannotBeSent) {
  const sluice::query_options limited{.server_timeout = 1s};
  const auto is_refused = [](const auto& call) {
    const auto why = failure_of(call);
    return why && why->code() == errc::bad_query && why->connection_usable();
  };
  EXPECT_TRUE(is_refused([&] { db.execute("select 1", limited); }));
  EXPECT_TRUE(is_refused([&] { (void)db.copy_into("edge_rows", {"n"}, limited); }));
  EXPECT_TRUE(is_refused([&] { (void)db.copy_data("copy edge_rows from stdin", limited); }));
  sluice::blocking_transaction tx = db.begin();
  tx.execute(sql("insert into edge_rows values (1)"), limited);
  EXPECT_TRUE(is_refused([&] { (void)tx.begin(limited); }));
  EXPECT_TRUE(is_refused([&] { tx.commit(limited); }));
  EXPECT_TRUE(is_refused([&] { tx.rollback(limited); }));
  tx.commit();
  EXPECT_EQ(count(), "1");
}

/// Each row in a savepoint of its own, which a failing one does not survive.
TEST_F(WritingEdge, SavepointsEndBesideAStreamInPages) {
  sluice::blocking_transaction tx = db.begin();
  int seen = 0;
  for (const sluice::row row : tx.stream(sql("select g from generate_series(1, 100) g").as_columns(),
                                         {.mode = sluice::fetch_mode::paged, .page_rows = 7})) {
    ++seen;
    const auto [n] = row.get<int>();
    sluice::blocking_transaction each = tx.begin();
    const auto why = failure_of([&] { each.execute(sql("insert into edge_rows values (1 / ($1 % 10))", n)); });
    if (n % 20 == 0)
      each.rollback();
    else if (!why)
      each.commit();
    EXPECT_TRUE(n != 50 || is_bad_state([&] { tx.commit(); })) << "its stream is open";
  }
  EXPECT_EQ(seen, 100);
  tx.commit();
  EXPECT_EQ(count(), "90");
}

asio::awaitable<std::optional<sluice::error>> failure_in(asio::awaitable<void> work) {
  std::optional<sluice::error> failure;
  try {
    co_await std::move(work);
  } catch (const sluice::error& why) {
    failure = why;
  }
  co_return failure;
}

TEST_F(WritingEdge, ATransactionIsNotRunAgainAfterItsDeadline) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::pool shared{co_await asio::this_coro::executor, dsn()};
    int runs = 0;
    const auto slow = [&runs](sluice::transaction& tx) -> asio::awaitable<void> {
      ++runs;
      const sluice::query sleep = sql("select pg_sleep(60)");
      (void)co_await tx.execute(sleep, {.timeout = 50ms});
    };
    asio::awaitable<void> done = sluice::in_transaction(shared, slow);
    const auto why = co_await failure_in(std::move(done));
    EXPECT_TRUE(why && why->code() == errc::deadline_exceeded);
    EXPECT_EQ(runs, 1);
    shared.close();
  };
  run(body());
}

/// The savepoint's rollback meets the lost connection, not a call of the body.
TEST_F(WritingEdge, ATransactionIsRunAgainWhoeverLostItsConnection) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::pool shared{co_await asio::this_coro::executor, dsn() + " application_name=losing"};
    int runs = 0;
    const auto losing = [&runs](sluice::transaction& tx) -> asio::awaitable<void> {
      ++runs;
      (void)co_await tx.execute("insert into edge_rows values (1)");
      sluice::transaction dropped = co_await tx.begin();
      (void)co_await dropped.execute("insert into edge_rows values (2)");
      if (runs == 1)
        psql("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'losing'");
    };
    asio::awaitable<void> done = sluice::in_transaction(shared, losing);
    co_await std::move(done);
    EXPECT_EQ(runs, 2);
    shared.close();
  };
  run(body());
  EXPECT_EQ(psql("select string_agg(n::text, ' ') from edge_rows"), "1");
}

/// What a call that was made, but not awaited, is told by then.
asio::awaitable<void> expect_cancelled(asio::awaitable<void> call) {
  const auto why = co_await failure_in(std::move(call));
  EXPECT_TRUE(why && why->code() == errc::cancelled) << (why ? why->what() : "no error");
}
asio::awaitable<void> finish_later(asio::awaitable<std::uint64_t> call) { (void)co_await std::move(call); }

TEST_F(WritingEdge, ACopyMayGoBeforeItsCallIsAwaited) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn());
    const std::string large(100'000, ' ');
    for (const bool finishes : {true, false}) {
      sluice::copy_writer to = co_await conn.copy_into("edge_rows", "n");
      for (int n = 0; !finishes && n < 6'551; ++n) co_await to.write(n);  // the next row fills the buffer
      asio::awaitable<void> call = finishes ? finish_later(to.finish()) : to.write(1);
      to = {};
      co_await expect_cancelled(std::move(call));
      sluice::copy_data_writer text = co_await conn.copy_data("copy edge_rows from stdin");
      call = finishes ? finish_later(text.finish()) : text.write(large);
      text = {};
      co_await expect_cancelled(std::move(call));
    }
    (void)co_await conn.execute("insert into edge_rows values (1)");
  };
  run(body());
  EXPECT_EQ(count(), "1");
}

TEST_F(WritingEdge, ACopyThatIsFinishedAfterItsDeadlineStoresNothing) {
  const sluice::query_options soon{.timeout = 1s, .timeout_counts_pauses = true};
  {
    sluice::blocking_copy_writer to = db.copy_into("edge_rows", {"n"}, soon);
    to.write(1);
    std::this_thread::sleep_for(soon.timeout + 100ms);
    EXPECT_EQ(failure_of([&] { to.finish(); })->code(), errc::deadline_exceeded);
  }
  db.execute("select 1");
  const auto body = [](sluice::query_options limited) -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn());
    sluice::copy_data_writer text = co_await conn.copy_data("copy edge_rows from stdin", limited);
    co_await text.write("1\n");
    std::this_thread::sleep_for(limited.timeout + 100ms);
    const auto why = co_await failure_in(finish_later(text.finish()));
    EXPECT_TRUE(why && why->code() == errc::deadline_exceeded);
    text = {};
    (void)co_await conn.execute("select 1");
  };
  run(body(soon));
  EXPECT_EQ(count(), "0");
}

TEST_F(WritingEdge, ACopyThatIsOverLeavesItsConnectionUsable) {
  sluice::blocking_copy_writer to = db.copy_into("edge_rows", "n");
  to.write(1);
  to.finish();
  const auto why = failure_of([&] { to.write(2); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::bad_state);
  EXPECT_TRUE(why->connection_usable());
}

TEST_F(WritingEdge, ABatchSaysHowManyRowsWereRunBeforeItsStatementWasRefused) {
  sluice::client prepared{dsn(), {.statement_cache = 10}};
  sluice::blocking_batch_writer to = prepared.batch("insert into edge_rows values ($1)", {.rows = 10});
  to.write(1);
  to.write(2);
  to.write(true);  // another statement, in which the column does not fit
  const auto why = failure_of([&] { (void)to.finish(); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->sqlstate(), "42804");
  EXPECT_EQ(why->rows(), 2U);
  EXPECT_NE(std::string{why->what()}.find("row 3 of the batch and those behind it were not run"), std::string::npos)
      << why->what();
  EXPECT_EQ(count(), "2");
}

}  // namespace
}  // namespace writing_edges_test
