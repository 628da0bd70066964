// Changes as a stream: what is told of each, in which order, and what the server hears of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/this_coro.hpp>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "followed.hpp"

namespace changes_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::change;
using sluice::change_chunk;
using sluice::change_options;
using sluice::change_stream;
using sluice::errc;
using sluice::operation;
using sluice::position;
using testing::ElementsAre;
using testing::HasSubstr;
using strings = std::vector<std::string>;

asio::awaitable<strings> take_some(change_stream& from, std::size_t count) {
  strings seen;
  while (seen.size() < count) {
    const change_chunk some = co_await from.next();
    for (const change each : some) seen.push_back(line_of(each));
    from.acknowledge(some.last());
  }
  co_return seen;
}

constexpr const char* each_kind =
    "insert into t values (1, 'one'), (2, null); update t set v = 'uno' where id = 1; update t set id = 3 where id = 2;"
    "delete from t where id = 1; truncate t; select pg_logical_emit_message(true, 'note', 'hello')";
const strings told_of_each_kind{R"(insert t {"id":1,"v":"one"})",
                                R"(insert t {"id":2,"v":null})",
                                R"(update t {"id":1,"v":"uno"})",
                                R"(update t key {"id":2} {"id":3,"v":null})",
                                R"(delete t key {"id":1})",
                                "truncate t",
                                "message note=hello"};

TEST(Changes, AreToldInOrder) {
  const published here{"told_in_order"};
  sluice::blocking_change_stream changes{dsn(), here.passing()};
  here.run(each_kind);
  EXPECT_EQ(take(changes, 7), told_of_each_kind);
}

asio::awaitable<void> tell_in_coroutines(const published& here) {
  change_stream changes = co_await sluice::follow(dsn(), here.passing());
  here.run(each_kind);
  const strings seen = co_await take_some(changes, 7);
  EXPECT_EQ(seen, told_of_each_kind);
  co_await changes.close();
  const change_chunk end = co_await changes.next();
  EXPECT_FALSE(end);
}
TEST(Changes, AreToldToCoroutines) {
  const published here{"told_to_coroutines"};
  run(tell_in_coroutines(here));
}

TEST(Changes, HavePositionsThatGrow) {
  const published here{"growing"};
  change_options how = here.passing();
  how.transactions = true;
  sluice::blocking_change_stream changes{dsn(), how};
  for (int i = 0; i < 20; ++i)
    here.run("insert into t select n, 'x' from generate_series(" + std::to_string(10 * i) + ", " +
             std::to_string(10 * i + 2) + ") n");
  strings seen;
  std::vector<position> at;
  while (seen.size() < 100) {
    const change_chunk some = changes.next();
    for (const change each : some) {
      seen.emplace_back(to_string(each.operation()));
      at.push_back(each.position());
      EXPECT_NE(each.xid(), 0U);
      EXPECT_EQ(position::parse(each.position().to_string()), each.position());
    }
  }
  EXPECT_TRUE(std::ranges::is_sorted(at));
  EXPECT_EQ(std::set<position>(at.begin(), at.end()).size(), at.size());
  EXPECT_THAT(strings(seen.begin(), seen.begin() + 5), ElementsAre("begin", "insert", "insert", "insert", "commit"));
}

TEST(Changes, TellTheOldRowOfAFullIdentity) {
  const published here{"full_identity", "create table fully (id int, v text); alter table fully replica identity full"};
  sluice::blocking_change_stream changes{dsn(), here.passing()};
  here.run("insert into fully values (1, 'a'); update fully set v = 'b'; delete from fully");
  EXPECT_THAT(take(changes, 3),
              ElementsAre(R"(insert fully {"id":1,"v":"a"})", R"(update fully old {"id":1,"v":"a"} {"id":1,"v":"b"})",
                          R"(delete fully old {"id":1,"v":"b"})"));
}

TEST(Changes, SayWhichValuesWereNotSent) {
  const std::string large = "(select string_agg(md5(n::text), '') from generate_series(1, 400) n)";
  const published here{"not_sent",
                       "create table part (id int primary key, large text, v int);"
                       "create table whole (id int primary key, large text, v int);"
                       "alter table whole replica identity full;"
                       "alter table part alter large set storage external;"
                       "alter table whole alter large set storage external"};
  here.run("insert into part select 1, " + large + ", 1; insert into whole select 1, " + large + ", 1");
  sluice::blocking_change_stream changes{dsn(), here.passing()};
  here.run("update part set v = 2; update whole set v = 2");
  strings texts;
  strings left_out;
  while (texts.size() < 2) {
    const change_chunk some = changes.next();
    for (const change each : some) {
      texts.emplace_back(each.text());
      for (const std::string_view name : each.unchanged()) left_out.emplace_back(name);
    }
  }
  EXPECT_EQ(texts[0], R"({"id":1,"v":2})");
  EXPECT_EQ(texts[1], here.ask("select row_to_json(whole) from whole"));
  EXPECT_THAT(left_out, ElementsAre("large"));
}

TEST(Changes, TellNewColumns) {
  const published here{"new_columns"};
  change_options how = here.passing();
  how.schema = true;
  sluice::blocking_change_stream changes{dsn(), how};
  here.run(
      "insert into t values (1, 'a'); alter table t add w int default 7; insert into t values (2, 'b');"
      "alter table t drop v; insert into t values (3, 8)");
  EXPECT_THAT(take(changes, 6),
              ElementsAre("schema t", R"(insert t {"id":1,"v":"a"})", "schema t", R"(insert t {"id":2,"v":"b","w":7})",
                          "schema t", R"(insert t {"id":3,"w":8})"));
}

TEST(Changes, ToldOfUserTypesAreJson) {
  const published here{"user_types",
                       "create type odd_mood as enum ('sad', 'so \"so\"'); create domain odd_whole as int;"
                       "create type odd_pair as (a int, b text[]);"
                       "create table of_odd_types (id int primary key, m odd_mood, w odd_whole, p odd_pair, ps "
                       "odd_pair[], ms odd_mood[], n numeric,"
                       " at timestamptz, j jsonb, d date, i interval, b bytea, f float8)"};
  sluice::blocking_change_stream changes{dsn(), here.passing()};
  here.run(
      "insert into of_odd_types values (1, 'so \"so\"', 3, row(1, array['x', null]), array[row(2, '{}')::odd_pair, "
      "null],"
      " array['sad']::odd_mood[], 1e30, '2024-02-29 12:00:00.5+03', '{\"a\": 1.50}', 'infinity', '1 day 2 hours',"
      " '\\x00ff', 'NaN')");
  const change_chunk some = changes.next();
  std::string text;
  for (const change each : some) text = each.text();
  EXPECT_EQ(text, here.ask("select row_to_json(o) from of_odd_types o"));
}

TEST(Changes, AcknowledgedAreNotSentAgain) {
  const published here{"acknowledged"};
  {
    sluice::blocking_change_stream changes{dsn(), here.kept()};
  }
  here.run("insert into t values (1, 'a')");
  here.run("insert into t values (2, 'b')");
  {
    sluice::blocking_change_stream changes{dsn(), here.kept()};
    std::vector<position> seen;
    while (seen.size() < 2) {
      const change_chunk some = changes.next();
      for (const change each : some) seen.push_back(each.position());
    }
    changes.acknowledge({.commit = seen.back().commit});  // all that was committed before it
    changes.close();
  }
  sluice::blocking_change_stream again{dsn(), here.kept()};
  here.run("insert into t values (3, 'c')");
  const strings seen = take(again, 2);
  EXPECT_EQ(seen.back(), R"(insert t {"id":3,"v":"c"})");
  EXPECT_EQ(seen.front(), R"(insert t {"id":2,"v":"b"})");
}

TEST(Changes, InsideATransactionAreSentAgainAsAWhole) {
  const published here{"sent_again"};
  {
    sluice::blocking_change_stream changes{dsn(), here.kept()};
  }
  here.run("insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
  std::vector<position> first;
  {
    sluice::blocking_change_stream changes{dsn(), here.kept()};
    while (first.size() < 2) {
      const change_chunk some = changes.next();
      for (const change each : some) {
        first.push_back(each.position());
        if (first.size() == 2) break;
      }
      changes.acknowledge(first.back());
    }
    changes.close();
  }
  std::vector<position> second;
  {
    sluice::blocking_change_stream changes{dsn(), here.kept()};
    while (second.size() < 3) {
      const change_chunk some = changes.next();
      for (const change each : some) second.push_back(each.position());
    }
  }
  EXPECT_EQ(std::vector(second.begin(), second.begin() + 2), first) << "the same positions";
  change_options how = here.kept();
  how.from = first.back();
  sluice::blocking_change_stream rest{dsn(), how};
  const change_chunk some = rest.next();
  strings seen;
  for (const change each : some) seen.push_back(line_of(each));
  EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":3,"v":"c"})")) << "behind the position that was kept";
}

TEST(Changes, WhatAChunkWasLeftWithIsInTheNext) {
  const published here{"left_with"};
  sluice::blocking_change_stream changes{dsn(), here.passing()};
  here.run("insert into t select n, null from generate_series(1, 50) n");
  int seen = 0;
  while (seen < 50) {
    const change_chunk some = changes.next();
    for (const change each : some) {
      EXPECT_EQ(each.text(), "{\"id\":" + std::to_string(++seen) + ",\"v\":null}");
      break;
    }
  }
}

TEST(Changes, ThatWereNotIteratedAreNotHandedOut) {
  const published here{"not_iterated"};
  {
    sluice::blocking_change_stream changes{dsn(), here.kept()};
    here.run("insert into t values (1, 'a')");
    const change_chunk some = changes.next();
    changes.acknowledge(some.last());
    changes.close();
  }
  sluice::blocking_change_stream again{dsn(), here.kept()};
  EXPECT_THAT(take(again, 1), ElementsAre(R"(insert t {"id":1,"v":"a"})"));
}

TEST(Changes, GoOnBehindTheLastOneThatAConsumerKeeps) {
  const published here{"kept_position"};
  change_options how = here.kept();
  how.progress = true;
  how.schema = true;
  {
    sluice::blocking_change_stream changes{dsn(), how};
    here.run("insert into t values (1, 'a'), (2, 'b')");
    while (!how.from) {
      const change_chunk some = changes.next();
      for (const change each : some) {
        if (each.operation() == operation::schema) changes.acknowledge(each.position());
        if (each.text() == R"({"id":2,"v":"b"})") how.from = each.position();
      }
    }
    changes.acknowledge(*how.from);
    changes.close();
  }
  here.run("insert into t values (3, 'c')");
  sluice::blocking_change_stream again{dsn(), how};
  EXPECT_THAT(take(again, 2), ElementsAre("schema t", R"(insert t {"id":3,"v":"c"})"));
}

TEST(Changes, GoOnInsideATruncateOfSeveralTables) {
  const published here{
      "within_a_truncate",
      "create table truncated_one (id int primary key); create table truncated_two (id int primary key)"};
  change_options how = here.kept();
  position first{};
  {
    sluice::blocking_change_stream changes{dsn(), how};
    here.run("truncate truncated_one, truncated_two; insert into truncated_one values (1)");
    const change_chunk some = changes.next();
    for (const change each : some) {
      if (first == position{}) first = each.position();
    }
  }
  how.from = first;
  sluice::blocking_change_stream again{dsn(), how};
  EXPECT_THAT(take(again, 2), ElementsAre("truncate truncated_two", R"(insert truncated_one {"id":1})"));
}

TEST(Changes, AnIdleDatabaseLetsItsLogGo) {
  const published here{"idle_database"};
  change_options how = here.kept();
  how.status_interval = 50ms;
  sluice::blocking_change_stream changes{dsn(), how};
  const std::string before = here.slot("confirmed_flush_lsn");
  psql("create table if not exists not_published (n int); insert into not_published select generate_series(1, 1000)");
  std::thread waits{[&] {
    try {
      (void)changes.next();
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::cancelled);
    }
  }};
  wait_until("exists (select from pg_replication_slots where slot_name = 'idle_database' and confirmed_flush_lsn > '" +
             before + "'::pg_lsn + 1000)");
  changes.interrupt();
  waits.join();
  psql("drop table not_published");
}

TEST(Changes, ASlowConsumerKeepsItsConnection) {
  const published here{"slow_consumer"};
  change_options how = here.passing();
  sluice::blocking_change_stream changes{dsn() + " options='-c wal_sender_timeout=300ms'", how};
  here.run("insert into t values (1, 'a')");
  EXPECT_EQ(take(changes, 1).size(), 1U);
  here.run("insert into t values (2, 'b')");
  std::this_thread::sleep_for(1s);  // three times what the server grants a client that says nothing
  EXPECT_THAT(take(changes, 1), ElementsAre(R"(insert t {"id":2,"v":"b"})"));
}

TEST(Changes, GoOnAfterTheConnectionWasLost) {
  const published here{"lost_connection"};
  change_options how = here.kept();
  how.reconnect = true;
  how.backoff = 1ms;
  sluice::blocking_change_stream changes{dsn(), how};
  strings seen;
  for (int i = 0; i < 10; ++i) {
    here.run("insert into t values (" + std::to_string(2 * i) + ", 'a'), (" + std::to_string(2 * i + 1) + ", 'b')");
    if (i % 3 == 1)
      psql("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = '" + here.name() +
           "'");
    for (const std::string& each : take(changes, 2)) seen.push_back(each);
  }
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(seen[static_cast<std::size_t>(i)],
              "insert t {\"id\":" + std::to_string(i) + ",\"v\":\"" + (i % 2 == 0 ? 'a' : 'b') + "\"}");
}

TEST(Changes, GoOnAfterReconnectingWasInterrupted) {
  const published here{"interrupted_again"};
  change_options how = here.kept();
  how.reconnect = true;
  how.backoff = 30ms;
  how.max_backoff = 30ms;
  sluice::blocking_change_stream changes{dsn(), how};
  psql("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = 'interrupted_again'");
  for (int i = 0; i < 30; ++i) {
    std::thread interrupts{[&] {
      std::this_thread::sleep_for(std::chrono::milliseconds{i});
      changes.interrupt();
    }};
    try {
      const change_chunk some = changes.next();
      EXPECT_TRUE(some);
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::cancelled) << e.what();
    }
    interrupts.join();
  }
  here.run("insert into t values (1, 'a')");
  EXPECT_THAT(take(changes, 1), ElementsAre(R"(insert t {"id":1,"v":"a"})"));
}

TEST(Changes, OfALostConnectionFailWithoutReconnecting) {
  const published here{"no_reconnecting"};
  sluice::blocking_change_stream changes{dsn(), here.kept()};
  psql("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = 'no_reconnecting'");
  for (int i = 0; i < 2; ++i) {
    try {
      (void)changes.next();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const sluice::error& e) {
      EXPECT_TRUE(e.retryable()) << e.what();
      EXPECT_FALSE(e.connection_usable());
    }
  }
}

struct refused {
  const char* name;
  const char* before;
  change_options how;
  errc code;
  const char* words;
};
change_options options_of(const char* slot, const char* publication) {
  change_options how;
  how.slot = slot;
  how.publications.emplace_back(publication);
  return how;
}
change_options with_snapshot(change_options how) {
  how.snapshot = sluice::initial_snapshot::when_created;
  return how;
}
change_options created(change_options how) {
  how.create = sluice::slot_creation::if_missing;
  return how;
}
change_options from(change_options how, const char* at) {
  how.from = position::parse(at);
  return how;
}

class RefusedFollowing : public testing::TestWithParam<refused> {};

TEST_P(RefusedFollowing, SaysWhatToDo) {
  const published here{"refused_following"};
  psql(GetParam().before);
  try {
    sluice::blocking_change_stream changes{dsn(), GetParam().how};
    ADD_FAILURE() << "it was not refused";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), GetParam().code) << e.what();
    EXPECT_THAT(e.what(), HasSubstr(GetParam().words));
  }
  psql("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '" +
       GetParam().how.slot + "'");
}

INSTANTIATE_TEST_SUITE_P(
    Of, RefusedFollowing,
    testing::Values(
        refused{"SlotWithoutAName", "", options_of("", "refused_following"), errc::bad_query, "a slot's name"},
        refused{"OddSlot", "", options_of("Odd-Name", "refused_following"), errc::bad_query, "a slot's name"},
        refused{"NoPublication", "", {.slot = "x", .publications = {}}, errc::bad_query, "no publication"},
        refused{"UnknownPublication", "", created(options_of("refused_following", "there is none")), errc::bad_query,
                "\"there is none\" does not exist"},
        refused{"MissingSlot", "", options_of("there_is_none", "refused_following"), errc::position_lost,
                "does not exist"},
        refused{"SnapshotWithoutCreating", "", with_snapshot(options_of("x", "refused_following")), errc::bad_query,
                "let it be created"},
        refused{"SlotOfAnotherPlugin", "select pg_create_logical_replication_slot('other_plugin', 'test_decoding')",
                options_of("other_plugin", "refused_following"), errc::bad_state, "test_decoding"},
        refused{"SlotOfPhysicalReplication", "select pg_create_physical_replication_slot('physical')",
                options_of("physical", "refused_following"), errc::bad_state, "physical"},
        refused{"PositionBehindTheSlot", "select pg_create_logical_replication_slot('moved', 'pgoutput')",
                from(options_of("moved", "refused_following"), "0/1"), errc::position_lost, "changes between them"},
        refused{"PositionBeyondTheLog", "select pg_create_logical_replication_slot('beyond', 'pgoutput')",
                from(options_of("beyond", "refused_following"), "FFFF/1"), errc::position_lost, "another server's"}),
    [](const auto& of) { return of.param.name; });

TEST(Changes, OfASlotInUseAreWaitedFor) {
  const published here{"in_use"};
  sluice::blocking_change_stream first{dsn(), here.kept()};
  change_options how = here.kept();
  how.slot_patience = 300ms;
  try {
    sluice::blocking_change_stream second{dsn(), how};
    ADD_FAILURE() << "two read one slot";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "55006") << e.what();
    EXPECT_THAT(e.what(), HasSubstr("one of its own"));
  }
}

TEST(Changes, NeedTheRightToReplicate) {
  const published here{"no_right"};
  try {
    sluice::blocking_change_stream changes{as_user("trust_user"), here.passing()};
    ADD_FAILURE() << "it was not refused";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "42501") << e.what();
    EXPECT_THAT(e.what(), HasSubstr("REPLICATION"));
  }
}

TEST(Changes, OfAnEmptyStreamAreRefused) {
  change_stream none;
  EXPECT_THROW(none.acknowledge({}), sluice::error);
  EXPECT_THROW((void)none.get_executor(), sluice::error);
}

TEST(Changes, EndInTheMidstOfALargeTransaction) {
  const published here{"large_transaction"};
  change_options how = here.kept();
  how.connection.leave_timeout = 50ms;
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t values (0, 'first')");
  EXPECT_EQ(take(changes, 1).size(), 1U);
  here.run("insert into t select n, repeat('x', 100) from generate_series(1, 200000) n");
  position last{};
  while (last <= position{}) {
    const change_chunk some = changes.next();
    for (const change each : some) {
      last = each.position();
      break;
    }
  }
  changes.close();
  sluice::blocking_change_stream again{dsn(), how};
  const change_chunk some = again.next();
  for (const change each : some) {
    EXPECT_EQ(each.position(), last) << "the first row of the transaction, and not the one before it";
    break;
  }
}

TEST(Changes, NotHandedOutCannotBeAcknowledged) {
  const published here{"too_early"};
  sluice::blocking_change_stream changes{dsn(), here.passing()};
  EXPECT_THROW(changes.acknowledge(*position::parse("FFFF/0")), sluice::error);
}

}  // namespace
}  // namespace changes_test
