// Queries on one connection that come between each other's flights: while the columns of one are still being asked
// about, others end, fail, or are dropped.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>
#include <sluice/sluice.hpp>
#include <string>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace half_sent_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::sql;

const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 9};

/// Rows with types of the database's own, which a new connection has to ask about.
class HalfSent : public testing::Test {
 protected:
  HalfSent() {
    psql(
        "drop table if exists half_sent; drop type if exists half_pair; create type half_pair as (id int, tags "
        "text[]); "
        "create table half_sent (n int, p half_pair, ps half_pair[]); "
        "insert into half_sent select n, (n, '{a,b}')::half_pair, array[(n, '{c}')::half_pair] "
        "from generate_series(1, 30) n");
  }

  static sluice::query rows(int most) { return sql("select n, p, ps from half_sent where n <= $1 order by n", most); }
  static std::string as_the_server(int most) {
    return psql("select coalesce(string_agg(row_to_json(h)::text, '' order by n), '') from half_sent h where n <= " +
                std::to_string(most));
  }
  static std::size_t count(sluice::row_range& of) {
    std::size_t rows = 0;
    for ([[maybe_unused]] const sluice::row each : of) ++rows;
    return rows;
  }
  static std::string text(sluice::row_range& of) {
    std::string all;
    for (const sluice::row each : of) all += each.text();
    return all;
  }

  sluice::client db{dsn()};
};

TEST_F(HalfSent, DroppedBeforeItsColumnsLeavesTheTypesUnknown) {
  for (const sluice::query& dropped :
       {rows(3).as_object(), sluice::from("half_sent").of_columns().select("n", "p").build()})
    for (const bool is_cancelled : {false, true}) {
      sluice::client fresh{dsn()};
      {
        sluice::row_range unread = fresh.stream(dropped, in_pages);
        if (is_cancelled) (void)unread.cancel();
      }
      EXPECT_EQ(answer(fresh, rows(3).as_object()), as_the_server(3));
      EXPECT_EQ(answer(fresh, rows(3)), as_the_server(3));
    }
}

TEST_F(HalfSent, ATimeoutOnTheServerIsNoAnswer) {
  db.execute("begin");
  sluice::row_range limited = db.stream(rows(3).as_object(), {.server_timeout = 10s});
  EXPECT_EQ(text(limited), as_the_server(3));
  db.execute("commit");
}

TEST_F(HalfSent, SeveralInPagesTakeTurns) {
  for (const bool are_objects : {false, true}) {
    sluice::client fresh{dsn()};
    const auto query = [&](int most) { return are_objects ? rows(most).as_object() : rows(most); };
    sluice::row_range a = fresh.stream(query(5), in_pages);
    sluice::row_range b = fresh.stream(query(30), in_pages);
    sluice::row_range c = fresh.stream(query(9), in_pages);
    EXPECT_EQ(text(b), as_the_server(30));
    EXPECT_EQ(text(a), as_the_server(5));
    EXPECT_EQ(text(c), as_the_server(9));
    EXPECT_EQ(answer(fresh, rows(1)), as_the_server(1));
  }
}

TEST_F(HalfSent, TheFirstEndsWhileTheSecondIsDescribed) {
  for (const bool first_is_read : {false, true}) {
    sluice::client fresh{dsn()};
    sluice::row_range a = fresh.stream(sql("select g as id from generate_series(1, 5) g"), in_pages);
    if (first_is_read) (void)a.next();
    sluice::row_range b = fresh.stream(sql("select g as id, 1 as x from generate_series(1, 5) g"), in_pages);
    if (!first_is_read) {
      EXPECT_EQ(count(a), 5U);
    }
    EXPECT_EQ(count(b), 5U);
    while (a.next()) {
    }
    EXPECT_EQ(answer(fresh, sql("select to_json(1)").as_document()), "1");
  }
}

TEST_F(HalfSent, TheFirstFailsWhileTheSecondIsDescribed) {
  sluice::row_range a = db.stream(sql("select 1 / (n - 3) as id from half_sent order by n"), in_pages);
  sluice::row_range b = db.stream(rows(3), in_pages);
  EXPECT_THROW(count(a), sluice::error);
  EXPECT_THROW(count(b), sluice::error) << "they are in one transaction";
  EXPECT_EQ(answer(db, rows(3)), as_the_server(3));
}

asio::awaitable<void> read(sluice::connection& db, sluice::query what, sluice::query_options how, std::string& said) {
  try {
    sluice::row_stream rows = co_await db.stream(what, how);
    std::size_t count = 0;
    while (const sluice::chunk some = co_await rows.next())
      for ([[maybe_unused]] const sluice::row row : some) ++count;
    said = std::to_string(count);
  } catch (const sluice::error& why) {
    said = why.what();
  }
}

asio::awaitable<sluice::connection> connected() {
  sluice::connection made = co_await sluice::connect(dsn(), {.leave_timeout = 500ms});
  co_return made;
}

/// Coroutines that read on one connection.
class HalfSentInCoroutines : public HalfSent {
 protected:
  HalfSentInCoroutines() {
    asio::co_spawn(context, connected(), [this](const std::exception_ptr& failure, sluice::connection made) {
      EXPECT_FALSE(failure);
      conn = std::move(made);
    });
    context.run();
    context.restart();
  }
  void start(sluice::query what, sluice::query_options how, std::string& said) {
    asio::co_spawn(context, read(conn, std::move(what), how, said), asio::detached);
  }

  asio::io_context context{1};
  sluice::connection conn;
};

TEST_F(HalfSentInCoroutines, AQueryWaitsForOneThatFails) {
  for (const char* const wrong : {"select 1 / (n - n) from half_sent", "select nothing from half_sent"}) {
    std::string a;
    std::string b;
    std::string c;
    start(sql(wrong), in_pages, a);
    start(sql("select 1 as one"), {}, b);
    context.run();
    context.restart();
    EXPECT_TRUE(a.find("division by zero") != a.npos || a.find("does not exist") != a.npos) << a;
    EXPECT_TRUE(b == "1" || b.find("25P02") != b.npos) << "in the same transaction, or after it: " << b;
    start(sql("select 1 as one"), {}, c);
    context.run();
    context.restart();
    EXPECT_EQ(c, "1");
    EXPECT_EQ(psql("select state from pg_stat_activity where pid = " + std::to_string(conn.backend_pid())), "idle");
  }
}

TEST_F(HalfSentInCoroutines, AQueryWaitsForOneThatIsCancelledBeforeItsColumns) {
  sluice::client locker{dsn()};
  locker.execute("begin; lock table half_sent");
  asio::cancellation_signal stop;
  std::string a;
  std::string b;
  asio::co_spawn(context, read(conn, rows(3), in_pages, a), asio::bind_cancellation_slot(stop.slot(), asio::detached));
  while (!is_running("from half_sent where n <=")) context.run_one_for(10ms);
  start(sql("select 1 as one"), {}, b);
  context.poll();
  stop.emit(asio::cancellation_type::terminal);
  context.run();
  locker.execute("rollback");
  EXPECT_NE(a.find("cancelled"), a.npos) << a;
  EXPECT_EQ(b, "1");
}

TEST_F(HalfSentInCoroutines, SeveralInPagesWakeEachOther) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> said(3);
    start(rows(30).as_object(), in_pages, said[0]);
    start(rows(19), in_pages, said[1]);
    start(sql("select n from half_sent"), in_pages, said[2]);
    context.run();
    context.restart();
    EXPECT_EQ(said, (std::vector<std::string>{"30", "19", "30"}));
  }
}

asio::awaitable<std::string> drop_a_pipeline(int how) {
  sluice::connection db = co_await sluice::connect(dsn());
  std::vector<sluice::query> all(3, sql("select g as id from generate_series(1, 5000) g").as_object());
  sluice::pipeline sent = co_await db.send(all);
  sluice::row_stream first = co_await sent.next();
  sent = {};
  if (how == 1) (void)co_await first.cancel();
  if (how == 2)
    while (co_await first.next()) {
    }
  if (how == 3) first = {};
  if (how == 0) {
    (void)co_await first.next();
    first = {};
  }
  co_return co_await answer(db, sql("select to_json(1)").as_document());
}

TEST(DroppedPipeline, IsWaitedForWhateverBecomesOfTheResultBeforeIt) {
  for (int how = 0; how < 4; ++how) EXPECT_EQ(run(drop_a_pipeline(how)), "1") << how;
}

TEST(MovedFromStream, IsAtItsEnd) {
  // NOLINTBEGIN(bugprone-use-after-move): moved-from objects are what is tested
  sluice::client db{dsn()};
  sluice::row_range range = db.stream(sql("select 1"));
  const sluice::row_range moved = std::move(range);
  EXPECT_FALSE(range.next());
  EXPECT_EQ(range.cancel(), sluice::leaving::drained);
  EXPECT_EQ(range.stats().rows, 0U);
  EXPECT_TRUE(range.columns().empty());
  EXPECT_THROW((void)range.begin(), sluice::error);
  asio::io_context context{1};
  sluice::pool shared{context.get_executor(), dsn()};
  sluice::pooled_stream rows = shared.stream(sql("select 1"));
  const sluice::pooled_stream moved_stream = std::move(rows);
  EXPECT_EQ(rows.attempts(), 0);
  EXPECT_EQ(rows.stats().rows, 0U);
  EXPECT_THROW((void)rows.pause(), sluice::error);
  // NOLINTEND(bugprone-use-after-move)
}

}  // namespace
}  // namespace half_sent_test
