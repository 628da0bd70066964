// Transactions: what is committed, what is rolled back, and what neither the program nor a pool can get wrong.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <optional>
#include <set>
#include <sluice/sluice.hpp>
#include <sluice/stream/in_transaction.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "failures.hpp"
#include "relay.hpp"

namespace transaction_test {
namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::isolation;
using sluice::sql;

const sluice::query insert = sql("insert into tx_rows values ($1)", 1);

/// A table `tx_rows`, anew for each test.
class Transaction : public testing::Test {
 protected:
  Transaction() { psql("drop table if exists tx_rows; create table tx_rows (n int)"); }

  static std::string count() { return psql("select count(*) from tx_rows"); }
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
  psql("grant all on tx_rows to trust_user");
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
         tx.stream(sql("insert into tx_rows select generate_series(1, 10) returning n"),
                   {.mode = mode == sluice::fetch_mode::bulk ? sluice::fetch_mode::plain : mode, .page_rows = 3}))
      rows += row.text().empty() ? 0U : 1U;
    EXPECT_EQ(rows, 10U);
    rows = 0;
    for (const sluice::row row : tx.stream(sql("select n from tx_rows"), {.mode = mode, .page_rows = 3}))
      rows += row.text().empty() ? 0U : 1U;
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
  const sluice::query returning = sql("insert into tx_rows values ($1) returning n", 1).as_object();
  expect_taken_back([&](tx& in) { in.execute("insert into tx_rows values (1); insert into tx_rows values (2)"); });
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

/// Inserts `n` and commits, over a connection that is cut after so many bytes of the server's.
/// @return whether it is committed: "yes", "no", or "unknown"; or "unconnected"
template <class Work>
std::string commit_over(std::uint64_t bytes, cut how, const Work& work) {
  relay between{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT"))), bytes, how};
  try {
    sluice::client far{as_user("trust_user") + " sslmode=disable port=" + std::to_string(between.port())};
    try {
      work(far);
    } catch (const sluice::error& why) {
      EXPECT_TRUE(why.kind() == sluice::condition::connection || why.sqlstate() == "57P01") << why.what();
      return why.code() == errc::outcome_unknown ? "unknown" : "no";
    }
    return "yes";
  } catch (const sluice::error&) {
    return "unconnected";
  }
}

TEST_F(Transaction, SaysWhetherItIsCommittedWhereverTheConnectionIsCut) {
  psql("grant all on tx_rows to trust_user");
  for (const cut how : {cut::close, cut::reset}) {
    std::set<std::string> seen;
    int n = 0;
    for (std::uint64_t bytes = 0; seen.count("yes") < 1 || n < 40; ++bytes) {
      ASSERT_LT(bytes, 2'000U);
      const std::string committed = commit_over(bytes, how, [&](sluice::client& far) {
        sluice::blocking_transaction tx = far.begin();
        tx.execute(sql("insert into tx_rows values ($1)", static_cast<std::int64_t>(bytes)));
        tx.commit();
      });
      if (committed == "unconnected") continue;
      seen.insert(committed);
      ++n;
      const std::string stored = answer(
          db,
          sql("select to_json(count(*)) from tx_rows where n = $1", static_cast<std::int64_t>(bytes)).as_document());
      if (committed != "unknown") {
        EXPECT_EQ(stored, committed == "yes" ? "1" : "0") << "after " << bytes << " bytes";
      }
    }
    EXPECT_EQ(seen, (std::set<std::string>{"no", "unknown", "yes"}));
    psql("truncate tx_rows");
  }
}

TEST_F(Transaction, OfASavepointIsNeverUnknown) {
  const std::string committed = commit_over(relay::all, cut::close, [&](sluice::client& far) {
    sluice::blocking_transaction tx = far.begin();
    sluice::blocking_transaction inner = tx.begin();
    psql("select pg_terminate_backend(" + std::to_string(far.backend_pid()) + ", 5000)");
    inner.commit();
  });
  EXPECT_EQ(committed, "no");
}

// Run again when another transaction is in the way.

TEST_F(Transaction, IsRunAgainAfterASerializationFailure) {
  psql("insert into tx_rows values (0)");
  int runs = 0;
  const int seen = sluice::in_transaction(db,
                                          [&](sluice::blocking_transaction& tx) {
                                            ++runs;
                                            tx.execute("select n from tx_rows");
                                            if (runs < 3) psql("update tx_rows set n = n + 1");
                                            tx.execute("update tx_rows set n = n + 10");
                                            return runs;
                                          },
                                          {.attempts = 5, .backoff = std::chrono::milliseconds{1}},
                                          {.isolation = isolation::repeatable_read});
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(psql("select n from tx_rows"), "12");
}

TEST_F(Transaction, IsRunAgainOnlySoOften) {
  psql("insert into tx_rows values (0)");
  int runs = 0;
  const auto work = [&](sluice::blocking_transaction& tx) {
    ++runs;
    tx.execute("select n from tx_rows");
    psql("update tx_rows set n = n + 1");
    tx.execute("update tx_rows set n = n + 10");
  };
  const auto why = failure_of([&] {
    sluice::in_transaction(db, work, {.attempts = 2, .backoff = std::chrono::milliseconds{1}},
                           {.isolation = isolation::serializable});
    return 0;
  });
  EXPECT_EQ(why->sqlstate(), "40001");
  EXPECT_EQ(runs, 2);
}

TEST_F(Transaction, IsNotRunAgainForWhatItsBodyThrows) {
  int runs = 0;
  EXPECT_THROW(sluice::in_transaction(db,
                                      [&](sluice::blocking_transaction& tx) {
                                        ++runs;
                                        tx.execute(insert);
                                        throw std::runtime_error{"the program's own"};
                                      }),
               std::runtime_error);
  EXPECT_EQ(failure_of([&] {
              sluice::in_transaction(db, [&](sluice::blocking_transaction& tx) {
                ++runs;
                tx.execute("select 1/0");
              });
              return 0;
            })->sqlstate(),
            "22012");
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(count(), "0");
  EXPECT_EQ(state_of(db.backend_pid()), "idle");
}

/// Moves an amount between two of four accounts, so that writers meet.
asio::awaitable<void> move_amount(sluice::pool& from, int note, int giver, int taker) {
  const auto body = [&](sluice::transaction& tx) -> asio::awaitable<void> {
    const sluice::query give = sql("update tx_accounts set balance = balance - 1 where id = $1", giver);
    (void)co_await tx.execute(give);
    const sluice::query take = sql("update tx_accounts set balance = balance + 1 where id = $1", taker);
    (void)co_await tx.execute(take);
    const sluice::query insert_note = sql("insert into tx_rows values ($1)", note);
    (void)co_await tx.execute(insert_note);
  };
  asio::awaitable<void> done = sluice::in_transaction(
      from, body, {.attempts = 1'000, .backoff = std::chrono::milliseconds{1}}, {.isolation = isolation::serializable});
  co_await std::move(done);
}

asio::awaitable<bool> is_noted(sluice::pool& from, int note) {
  const sluice::query known = sql("select to_json(n) from tx_rows where n = $1", note).as_document();
  sluice::pooled_stream rows = from.stream(known, {}, {.attempts = 100});
  const sluice::chunk some = co_await rows.next();
  co_return static_cast<bool>(some);
}

asio::awaitable<void> move_amounts(sluice::pool& from, int& writers_left, int writer, int times) {
  for (int i = 0; i < times; ++i) {
    const int note = writer * 1'000 + i;
    for (bool is_done = false; !is_done;) {
      std::optional<sluice::error> failure;
      try {
        co_await move_amount(from, note, 1 + (writer + i) % 4, 1 + (writer + 3 * i + 1) % 4);
      } catch (const sluice::error& why) {
        failure = why;
      }
      if (failure && failure->code() != errc::outcome_unknown) ADD_FAILURE() << failure->what();
      is_done = true;
      if (failure) is_done = co_await is_noted(from, note);  // the data tells
    }
  }
  if (--writers_left == 0) from.close();  // an idle pool keeps the executor busy
}

TEST_F(Transaction, OfManyWritersHappensOnceEach) {
  psql(
      "drop table if exists tx_accounts; create table tx_accounts (id int primary key, balance int); insert into "
      "tx_accounts select n, 100 from generate_series(1, 4) n");
  constexpr int writers = 16;
  constexpr int times = 8;
  asio::io_context context{1};
  sluice::pool shared{context.get_executor(), dsn() + " application_name=moving", {.max_size = writers}};
  std::vector<std::future<void>> all;
  int left = writers;
  for (int i = 0; i < writers; ++i)
    all.push_back(asio::co_spawn(context, move_amounts(shared, left, i, times), asio::use_future));
  std::atomic<bool> is_over{false};
  std::thread killer{[&] {
    while (!is_over) {
      psql(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'moving' and state = 'idle "
          "in "
          "transaction' limit 1");
    }
  }};
  context.run();
  is_over = true;
  killer.join();
  for (auto& each : all) EXPECT_NO_THROW(each.get());
  EXPECT_EQ(psql("select sum(balance) from tx_accounts"), "400");
  EXPECT_EQ(psql("select count(*), count(distinct n) from tx_rows"),
            std::to_string(writers * times) + "|" + std::to_string(writers * times));
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
    (void)co_await dropped.execute("insert into tx_rows values (3); insert into tx_rows values (4)");
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
      sluice::row_stream rows = co_await tx.stream(sql("insert into tx_rows values (1) returning pg_sleep(0.01)"));
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
}  // namespace transaction_test
