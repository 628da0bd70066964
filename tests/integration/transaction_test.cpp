// Transactions: what is committed, what is rolled back, and what neither the program nor a pool can get wrong.
#include <gtest/gtest.h>

#include <optional>
#include <sluice/sluice.hpp>
#include <string>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "relay.hpp"

namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::isolation;
using sluice::sql;

const sluice::query insert = sql("insert into kept values ($1)", 1);

/// The error of a call, or nothing.
template <class Call>
std::optional<sluice::error> failure_of(const Call& call) {
  try {
    (void)call();
  } catch (const sluice::error& why) {
    return why;
  }
  return std::nullopt;
}
/// A table `kept`, anew for each test.
class Transaction : public testing::Test {
 protected:
  Transaction() { psql("drop table if exists kept; create table kept (n int)"); }

  static std::string count() { return psql("select count(*) from kept"); }
  /// Whether the connection is in a block, as the server sees it.
  static std::string state_of(std::uint32_t pid) {
    return psql("select state from pg_stat_activity where pid = " + std::to_string(pid));
  }

  sluice::client db{dsn()};
};

TEST_F(Transaction, OfAClientIsCommitted) {
  sluice::blocking_transaction tx = db.begin();
  const sluice::command_result done = tx.execute(insert);
  EXPECT_EQ(done.tag, "INSERT 0 1");
  EXPECT_EQ(done.affected_rows, 1U);
  EXPECT_EQ(count(), "0");
  EXPECT_TRUE(tx.is_open());
  tx.commit();
  EXPECT_FALSE(tx.is_open());
  EXPECT_EQ(count(), "1");
}

TEST_F(Transaction, OfAClientIsRolledBackWhenItIsDropped) {
  {
    sluice::blocking_transaction tx = db.begin();
    tx.execute(insert);
  }
  EXPECT_EQ(state_of(db.backend_pid()), "idle") << "at once";
  EXPECT_EQ(count(), "0");
  db.execute(insert);
  EXPECT_EQ(count(), "1") << "on its own";
}

TEST_F(Transaction, OfAClientIsRolledBackWhenItIsAsked) {
  sluice::blocking_transaction tx = db.begin();
  tx.execute(insert);
  tx.rollback();
  EXPECT_EQ(failure_of([&] { tx.commit(); })->code(), errc::bad_state);
  EXPECT_EQ(count(), "0");
}

TEST_F(Transaction, RunsAsItWasAsked) {
  const auto settings = [&](const sluice::transaction_options& how) {
    sluice::blocking_transaction tx = db.begin(how);
    std::string all;
    for (const sluice::row row :
         tx.stream(sql("select to_json(concat_ws(' ', current_setting('transaction_isolation'), "
                       "current_setting('transaction_read_only'), current_setting('transaction_deferrable')))")
                       .as_document()))
      all += row.text();
    return all;
  };
  EXPECT_EQ(settings({}), "\"read committed off off\"");
  EXPECT_EQ(settings({.isolation = isolation::read_committed, .read_only = false}), "\"read committed off off\"");
  EXPECT_EQ(settings({.isolation = isolation::repeatable_read}), "\"repeatable read off off\"");
  EXPECT_EQ(settings({.isolation = isolation::serializable, .read_only = true, .deferrable = true}),
            "\"serializable on on\"");
  sluice::blocking_transaction tx = db.begin({.read_only = true});
  EXPECT_EQ(failure_of([&] { tx.execute(insert); })->sqlstate(), "25006");
}

TEST_F(Transaction, CommitOfAFailedOneIsAnError) {
  sluice::blocking_transaction tx = db.begin();
  tx.execute(insert);
  EXPECT_EQ(failure_of([&] { tx.execute("select 1/0"); })->sqlstate(), "22012");
  EXPECT_EQ(failure_of([&] { tx.execute(insert); })->sqlstate(), "25P02");
  const std::optional<sluice::error> why = failure_of([&] { tx.commit(); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::rolled_back);
  EXPECT_TRUE(why->connection_usable());
  EXPECT_FALSE(why->retryable());
  EXPECT_EQ(count(), "0");
  db.execute(insert);
  EXPECT_EQ(count(), "1");
}

TEST_F(Transaction, FailsWithItsFirstStatementWhichBeganIt) {
  {
    sluice::blocking_transaction tx = db.begin();
    EXPECT_EQ(failure_of([&] { tx.execute(sql("insert into nowhere values ($1)", 1)); })->sqlstate(), "42P01");
    EXPECT_EQ(failure_of([&] { tx.execute(insert); })->sqlstate(), "25P02") << "it is in the failed block";
  }
  db.execute(insert);
  EXPECT_EQ(count(), "1");
}

TEST_F(Transaction, IsRolledBackByADeferredConstraint) {
  db.execute("create temp table once (n int unique deferrable initially deferred)");
  sluice::blocking_transaction tx = db.begin();
  tx.execute("insert into once values (1); insert into once values (1)");
  EXPECT_EQ(failure_of([&] { tx.commit(); })->sqlstate(), "23505");
  EXPECT_FALSE(tx.is_open());
  EXPECT_EQ(answer(db, sql("select to_json(count(*)) from once").as_document()), "0");
}

TEST_F(Transaction, HasSavepoints) {
  sluice::blocking_transaction tx = db.begin();
  {
    sluice::blocking_transaction dropped = tx.begin();
    dropped.execute(insert);
    EXPECT_EQ(failure_of([&] { tx.execute(insert); })->code(), errc::bad_state) << "the savepoint is open";
    EXPECT_EQ(failure_of([&] { tx.commit(); })->code(), errc::bad_state);
  }
  sluice::blocking_transaction failed = tx.begin();
  EXPECT_TRUE(failure_of([&] { failed.execute("select 1/0"); }));
  EXPECT_EQ(failure_of([&] { failed.commit(); })->code(), errc::rolled_back);
  sluice::blocking_transaction undone = tx.begin();
  undone.execute(insert);
  undone.rollback();
  sluice::blocking_transaction good = tx.begin();
  sluice::blocking_transaction inner = good.begin();
  inner.execute(insert);
  inner.commit();
  good.execute(insert);
  good.commit();
  tx.commit();
  EXPECT_EQ(count(), "2");
}

TEST_F(Transaction, TakesItsSavepointsWithIt) {
  std::optional<sluice::blocking_transaction> tx{db.begin()};
  sluice::blocking_transaction inner = tx->begin();
  sluice::blocking_transaction innermost = inner.begin();
  innermost.execute(insert);
  tx.reset();
  EXPECT_FALSE(inner.is_open());
  tx = db.begin();
  EXPECT_EQ(failure_of([&] { innermost.execute(insert); })->code(), errc::bad_state);
  tx->execute(insert);
  tx->commit();
  EXPECT_EQ(count(), "1");
}

TEST_F(Transaction, SendsNothingWithoutAStatement) {
  relay between{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT")))};
  sluice::client far{as_user("trust_user") + " sslmode=disable port=" + std::to_string(between.port())};
  const int before = between.flights();
  far.begin().commit();
  far.begin().rollback();
  (void)far.begin();
  EXPECT_EQ(between.flights(), before);
}

TEST_F(Transaction, OfThreeStatementsTakesFourRoundTrips) {
  psql("grant all on kept to trust_user");
  relay between{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT")))};
  sluice::client far{as_user("trust_user") + " sslmode=disable port=" + std::to_string(between.port())};
  const int before = between.flights();
  sluice::blocking_transaction tx = far.begin();
  for (int i = 0; i < 3; ++i) tx.execute(insert);
  tx.commit();
  EXPECT_EQ(between.flights() - before, 4);
  EXPECT_EQ(count(), "3");
}

TEST_F(Transaction, StreamsInEachMode) {
  for (const auto mode : {sluice::fetch_mode::plain, sluice::fetch_mode::paged, sluice::fetch_mode::bulk}) {
    sluice::blocking_transaction tx = db.begin();
    std::size_t rows = 0;
    for (const sluice::row row :
         tx.stream(sql("insert into kept select generate_series(1, 10) returning n"),
                   {.mode = mode == sluice::fetch_mode::bulk ? sluice::fetch_mode::plain : mode, .page_rows = 3}))
      rows += row.text().empty() ? 0 : 1;
    EXPECT_EQ(rows, 10U);
    rows = 0;
    for (const sluice::row row : tx.stream(sql("select n from kept"), {.mode = mode, .page_rows = 3}))
      rows += row.text().empty() ? 0 : 1;
    EXPECT_EQ(rows, 10U) << "its own writes";
    tx.rollback();
    EXPECT_EQ(count(), "0");
  }
}

TEST_F(Transaction, BeginsWithAnyKindOfStatement) {
  const auto expect_taken_back = [&](const auto& use) {
    {
      sluice::blocking_transaction tx = db.begin();
      use(tx);
    }
    EXPECT_EQ(count(), "0");
    EXPECT_EQ(state_of(db.backend_pid()), "idle");
  };
  using tx = sluice::blocking_transaction;
  const sluice::query returning = sql("insert into kept values ($1) returning n", 1).as_object();
  expect_taken_back([&](tx& in) { in.execute("insert into kept values (1); insert into kept values (2)"); });
  expect_taken_back([&](tx& in) { (void)in.stream(returning).next(); });
  expect_taken_back([&](tx& in) { (void)in.stream(returning, {.mode = sluice::fetch_mode::paged}).next(); });
  expect_taken_back([&](tx& in) { (void)in.stream(returning); });
  expect_taken_back([&](tx& in) { (void)in.stream(returning, {.server_timeout = std::chrono::seconds{9}}).next(); });
  expect_taken_back([&](tx& in) {
    for (sluice::row_range& each : in.send({returning, returning}))
      while (each.next()) {
      }
  });
  expect_taken_back([&](tx& in) { (void)in.send({returning, returning}); });
  expect_taken_back([&](tx& in) {
    db.execute(insert);  // on its connection: in it, too
    (void)in;
  });
}

TEST_F(Transaction, OutlivedByItsStreamIsRolledBackAfterwards) {
  std::optional<sluice::blocking_transaction> tx{db.begin()};
  tx->execute(insert);
  sluice::row_range rows = tx->stream(sql("select generate_series(1, 100000)"));
  EXPECT_TRUE(rows.next());
  EXPECT_EQ(failure_of([&] { tx->commit(); })->code(), errc::bad_state) << "the stream is open";
  EXPECT_TRUE(tx->is_open());
  tx.reset();
  while (rows.next()) {
  }
  db.execute("select 1");
  EXPECT_EQ(state_of(db.backend_pid()), "idle");
  EXPECT_EQ(count(), "0");
}

TEST_F(Transaction, KnowsWhenAStatementHasEndedIt) {
  sluice::blocking_transaction tx = db.begin();
  tx.execute(insert);
  tx.execute("commit");
  EXPECT_EQ(failure_of([&] { tx.execute(insert); })->code(), errc::bad_state);
  EXPECT_EQ(failure_of([&] { tx.commit(); })->code(), errc::bad_state);
  sluice::blocking_transaction next = db.begin();
  next.execute(insert);
  EXPECT_FALSE(tx.is_open());
  tx = std::move(next);
  tx.commit();
  EXPECT_EQ(count(), "2");
}

TEST_F(Transaction, IsRefusedInAnother) {
  sluice::blocking_transaction tx = db.begin();
  EXPECT_EQ(failure_of([&] { (void)db.begin(); })->code(), errc::bad_state);
  tx.execute(insert);
  EXPECT_EQ(failure_of([&] { (void)db.begin(); })->code(), errc::bad_state);
  tx.commit();
  db.execute("begin");
  EXPECT_EQ(failure_of([&] { (void)db.begin(); })->code(), errc::bad_state);
  db.execute("commit");
  sluice::row_range pages =
      db.stream(sql("select generate_series(1, 10)"), {.mode = sluice::fetch_mode::paged, .page_rows = 2});
  (void)pages.next();
  EXPECT_EQ(failure_of([&] { (void)db.begin(); })->code(), errc::bad_state) << "pages are in a block of their own";
}

TEST_F(Transaction, OutlivesItsClient) {
  std::optional<sluice::client> gone{std::in_place, dsn()};
  const std::uint32_t pid = gone->backend_pid();
  {
    sluice::blocking_transaction tx = gone->begin();
    gone.reset();
    tx.execute(insert);
    tx.commit();
  }
  EXPECT_EQ(count(), "1");
  wait_until("not exists (select from pg_stat_activity where pid = " + std::to_string(pid) + ")");
}

TEST_F(Transaction, WhoseServerWasLostBeforeCommitIsNotCommitted) {
  sluice::blocking_transaction tx = db.begin();
  tx.execute(insert);
  psql("select pg_terminate_backend(" + std::to_string(db.backend_pid()) + ", 5000)");
  const std::optional<sluice::error> why = failure_of([&] { tx.commit(); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::outcome_unknown) << "whether the server has read the COMMIT cannot be seen from here";
  EXPECT_FALSE(why->retryable());
  EXPECT_EQ(failure_of([&] { tx.commit(); })->code(), errc::bad_state);
  EXPECT_EQ(count(), "0");
}

// In coroutines.

TEST_F(Transaction, OfAConnectionHasSavepoints) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn());
    sluice::transaction tx = co_await conn.begin();
    (void)co_await tx.execute(insert);
    {
      sluice::transaction inner = co_await tx.begin();
      (void)co_await inner.execute(insert);
    }
    sluice::transaction inner = co_await tx.begin();
    (void)co_await inner.execute(insert);
    co_await inner.commit();
    co_await tx.commit();
    EXPECT_EQ(count(), "2");
    sluice::transaction dropped = co_await conn.begin();
    (void)co_await dropped.execute("insert into kept values (3); insert into kept values (4)");
    dropped = {};
    (void)co_await conn.execute("select 1");
    EXPECT_EQ(state_of(conn.backend_pid()), "idle");
    EXPECT_EQ(count(), "2");
  };
  run(body());
}

TEST_F(Transaction, DroppedOnAConnectionIsRolledBackThoughNothingFollows) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn());
    {
      sluice::transaction tx = co_await conn.begin();
      sluice::row_stream rows = co_await tx.stream(sql("insert into kept values (1) returning pg_sleep(0.01)"));
      (void)co_await rows.next();
      tx = {};  // before its stream
    }
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    while (state_of(conn.backend_pid()) != "idle") co_await asio::post(on, asio::use_awaitable);
    EXPECT_EQ(count(), "0");
  };
  run(body());
}

asio::awaitable<std::string> status_in(sluice::pool& from) {
  sluice::pooled_connection lent = co_await from.acquire();
  co_return co_await answer(*lent, sql("select to_json(pg_current_xact_id_if_assigned() is null)").as_document());
}

TEST_F(Transaction, OfAPoolGivesItsConnectionBackWhenItIsOver) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::pool shared{co_await asio::this_coro::executor, dsn(), {.max_size = 1}};
    {
      sluice::transaction tx = co_await shared.begin();
      (void)co_await tx.execute(insert);
      co_await tx.commit();
      EXPECT_EQ(shared.stats().lent, 0U) << "with the commit";
      EXPECT_EQ(co_await status_in(shared), "true");
    }
    {
      sluice::transaction tx = co_await shared.begin();
      (void)co_await tx.execute(insert);
    }
    EXPECT_EQ(co_await status_in(shared), "true");
    std::optional<sluice::transaction> tx;
    {
      sluice::pooled_connection lent = co_await shared.acquire();
      tx = co_await lent->begin();
      (void)co_await tx->execute(insert);
    }
    (void)co_await tx->execute(insert);  // outlives the handle: the connection stays with it
    tx.reset();
    EXPECT_EQ(co_await status_in(shared), "true");
    const sluice::command_result done = co_await shared.execute(insert);
    EXPECT_EQ(done.affected_rows, 1U);
    EXPECT_EQ(count(), "2");
    const bool came_back = co_await shared.drain(std::chrono::seconds{5});
    EXPECT_TRUE(came_back);
  };
  run(body());
}

}  // namespace
