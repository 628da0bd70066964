// Conditions on changes: on the client, and in a publication.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/stream/publication.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "followed.hpp"

namespace changes_filter_test {
namespace {

using namespace sluice::test;
using sluice::change;
using sluice::change_chunk;
using sluice::change_options;
using sluice::errc;
using sluice::field;
using sluice::predicate;
using sluice::publication_plan;
using sluice::publication_sql;
using sluice::publication_table;
using testing::ElementsAre;
using testing::HasSubstr;
using strings = std::vector<std::string>;

/// The changes up to the message "end".
strings told_until_end(sluice::blocking_change_stream& from, bool acknowledges = true) {
  strings seen;
  for (;;) {
    const change_chunk some = from.next();
    for (const change each : some) {
      const std::string line = line_of(each);
      if (line == "message end=") return seen;
      seen.push_back(line);
    }
    if (acknowledges) from.acknowledge(some.last());
  }
}
void tell_end() { psql("select pg_logical_emit_message(true, 'end', '')"); }

TEST(ChangesFilter, HandsOutWhatIsWanted) {
  const published here{"wanted_only"};
  here.run("create table filtered_other (id int primary key, n int)");
  change_options how = here.passing();
  how.where = field("id") >= 2;
  how.where_of.emplace("filtered_other", field("n") == 7);
  how.where_of.emplace("wanted_only.t", field("v").is_not_null());
  how.where_of.emplace("elsewhere.t", field("id") < 0);
  sluice::blocking_change_stream changes{dsn(), how};
  here.run(
      "insert into t values (1, 'a'), (2, 'b'), (3, null); insert into filtered_other values (1, 7), (2, 7), (3, 8);"
      "update t set v = 'c' where id = 3; update t set v = null where id = 2; delete from t; delete from "
      "filtered_other;"
      "truncate t");
  tell_end();
  EXPECT_THAT(told_until_end(changes),
              ElementsAre(R"(insert t {"id":2,"v":"b"})", R"(insert filtered_other {"id":2,"n":7})",
                          R"(update t {"id":3,"v":"c"})", "truncate t"))
      << "the keys of deletes do not say what v and n were";
}

TEST(ChangesFilter, JudgesTheOldRowOfADelete) {
  const published here{"old_rows"};
  here.run("alter table t replica identity full");
  change_options how = here.passing();
  how.where = field("v") == "mine";
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t values (1, 'mine'), (2, 'yours'); delete from t");
  tell_end();
  EXPECT_THAT(told_until_end(changes),
              ElementsAre(R"(insert t {"id":1,"v":"mine"})", R"(delete t old {"id":1,"v":"mine"})"));
}

TEST(ChangesFilter, AppliesToASnapshot) {
  const published here{"filtered_snapshot"};
  here.run("insert into t select n, 'x' from generate_series(1, 5000) n");
  change_options how = here.passing();
  how.snapshot = sluice::initial_snapshot::when_created;
  how.where = field("id") > 4998;
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t values (0, 'y'), (6000, 'y')");
  tell_end();
  EXPECT_THAT(told_until_end(changes),
              ElementsAre(R"(snapshot t {"id":4999,"v":"x"})", R"(snapshot t {"id":5000,"v":"x"})",
                          R"(insert t {"id":6000,"v":"y"})"));
}

TEST(ChangesFilter, LetsTheLogOfUnwantedChangesGo) {
  const published here{"unwanted_log"};
  change_options how = here.kept();
  how.where = field("id") < 0;
  how.status_interval = std::chrono::milliseconds{50};
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t select n, 'x' from generate_series(1, 1000) n");
  const std::string end = psql("select pg_current_wal_lsn()");
  std::thread waits{[&] {
    try {
      (void)changes.next();
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::cancelled);
    }
  }};
  wait_until("exists (select from pg_replication_slots where slot_name = 'unwanted_log' and confirmed_flush_lsn >= '" +
             end + "')");
  changes.interrupt();
  waits.join();
}

TEST(ChangesFilter, DoesNotPassOverARowWhoseConditionThrows) {
  const published here{"throwing_filter"};
  bool throws = true;
  int thrown = 0;
  change_options how = here.kept();
  how.reconnect = true;  // which is not about the errors of conditions
  how.where = sluice::local([&](const sluice::row& each) {
    if (!throws || each.text().find("bad") == std::string_view::npos) return true;
    if (++thrown % 2 == 0) throw std::runtime_error{"a bad row"};
    throw sluice::error{{.code = errc::connection_lost, .message = "a bad row", .server = {}, .retryable = true}};
  });
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t values (1, 'good'), (2, 'bad'), (3, 'good')");
  tell_end();
  strings seen;
  while (thrown < 4) {
    try {
      const change_chunk some = changes.next();
      for (const change each : some) seen.push_back(line_of(each));
    } catch (const std::exception& e) {
      EXPECT_THAT(e.what(), HasSubstr("a bad row"));
    }
  }
  EXPECT_THAT(seen, ElementsAre(R"(insert t {"id":1,"v":"good"})"));
  throws = false;
  EXPECT_THAT(told_until_end(changes),
              ElementsAre(R"(insert t {"id":2,"v":"bad"})", R"(insert t {"id":3,"v":"good"})"));
}

TEST(ChangesFilter, RefusesConditionsOfTheServer) {
  const published here{"refused_filter"};
  const std::vector<predicate> refused{sluice::column("id") == 1, sluice::sql_predicate("id > 1"),
                                       field("v").matches_regex("a") || field("id") == 1};
  for (const predicate& each : refused) {
    change_options how = here.passing();
    how.where_of.emplace("t", each);
    try {
      sluice::blocking_change_stream changes{dsn(), how};
      ADD_FAILURE() << "it was not refused";
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::bad_query);
      EXPECT_THAT(e.what(), HasSubstr("a column is a field"));
    }
  }
}

publication_plan plan_of(predicate condition) {
  publication_table table;
  table.name = "s.t";
  table.where = std::move(condition);
  return publication_sql("p", {table});
}

TEST(Publication, HasTheConditionsThatItMayHave) {
  const publication_plan simple = plan_of(field("a") == 1 && field("b.c") >= 7 && field("d") != "it's \\");
  EXPECT_EQ(simple.sql,
            R"(create publication "p" for table "s"."t" where ((("a" operator(pg_catalog.=) '1'::pg_catalog.int8) and )"
            R"(("d" operator(pg_catalog.<>) E'it''s \\'))))");
  EXPECT_EQ(simple.left.size(), 1U);
  EXPECT_TRUE(simple.left.contains("s.t"));
  EXPECT_EQ(simple.explained.find("it's"), std::string::npos) << "no values";
  EXPECT_THAT(simple.explained, HasSubstr("on the client: b.c >= (value)"));
}

TEST(Publication, SaysWhatNobodyCanEvaluate) {
  for (const predicate& each :
       {field("a").as_timestamptz() > "2024-01-01", field("a").l2_distance({1.0F}) < 1,
        sluice::sql_predicate("a > 1") || sluice::local([](const sluice::row&) { return true; })})
    EXPECT_THROW((void)plan_of(each), sluice::error);
  EXPECT_THROW((void)publication_sql("p", {}), sluice::error);
  publication_table table;
  table.name = "a.b.c";
  EXPECT_THROW((void)publication_sql("p", {table}), sluice::error);
  table.name = "t";
  EXPECT_THROW((void)publication_sql("", {table}), sluice::error);
  table.where = field("a") == std::string_view{"a\0b", 3};
  EXPECT_THROW((void)publication_sql("p", {table}), sluice::error);
}

TEST(Publication, OfAnOldServerLeavesConditionsToTheClient) {
  publication_table table;
  table.name = "t";
  table.where = field("a") == 1;
  sluice::publication_options how;
  how.server_version = 140000;
  how.inserts_only = true;
  const publication_plan plan = publication_sql("p", {table}, how);
  EXPECT_EQ(plan.sql, R"(create publication "p" for table "t" with (publish = 'insert'))");
  EXPECT_TRUE(plan.left.contains("t"));
  table.columns = {"a"};
  EXPECT_THROW((void)publication_sql("p", {table}, how), sluice::error);
}

/// What the publication tells is what the client would have handed out of everything.
TEST(Publication, TellsWhatTheClientWouldHaveHandedOut) {
  psql(
      "drop schema if exists pushed cascade; create schema pushed; create table pushed.t (id int primary key, n "
      "numeric,"
      " v text, ok bool, tags text[], doc jsonb)");
  const std::vector<predicate> conditions{
      field("id") > 2,
      field("n") == 1.5,
      !(field("n") == 1.5),
      field("n").in({1.5, 3}),
      field("n").in({3, 1.5}),
      field("v") == "it's; drop table pushed.t; --",
      field("v") == "back\\slash",
      field("v").contains("%_"),
      !field("v").starts_with("b"),
      field("v").is_null(),
      field("v").exists(),
      field("ok") == true,
      field("ok") != true,
      field("doc.kind") == "a",
      field("doc.n") == 5,
      field("doc.n") != 5,
      field("doc.n") > 5,
      field("doc").has_key("kind"),
      field("doc.kind").is_null() || field("id") == 3,
      field("id") > 1 && sluice::local([](const sluice::row& each) { return each.text().size() % 2 == 0; }),
  };
  // One slot that is never acknowledged gives the same changes to each stream.
  change_options how;
  how.slot = "pushed";
  how.create = sluice::slot_creation::if_missing;
  how.progress = true;
  std::vector<publication_plan> plans;
  std::string made = "create publication pushed_all for table pushed.t with (publish = 'insert')";
  std::string dropped = "drop publication pushed_all";
  for (const predicate& each : conditions) {
    const std::string name = "pushed_" + std::to_string(plans.size());
    publication_table table;
    table.name = "pushed.t";
    table.where = each;
    sluice::publication_options inserts;
    inserts.inserts_only = true;
    plans.push_back(publication_sql(name, {table}, inserts));
    made += ';' + plans.back().sql;
    dropped += "; drop publication " + name;
  }
  psql(made);
  how.publications = {"pushed_all"};
  sluice::blocking_change_stream{dsn(), how}.close();
  psql(R"(insert into pushed.t values (1, 1.5, 'it''s; drop table pushed.t; --', true, '{a}', '{"kind": "a", "n": 5}'),
          (2, 1.50, 'back\slash', false, null, '{"kind": 5, "n": "5"}'), (3, 3, 'a%_b', null, '{}', '[1]'),
          (4, null, null, true, '{b}', null), (5, -7, '', false, '{a,b}', '{"n": 6, "kind": null}'))");
  tell_end();
  for (std::size_t i = 0; i < plans.size(); ++i) {
    how.publications = {"pushed_all"};
    how.where = conditions[i];
    sluice::blocking_change_stream filtered{dsn(), how};
    const strings expected = told_until_end(filtered, false);
    filtered.close();
    change_options by_server = how;
    by_server.publications = {"pushed_" + std::to_string(i)};
    by_server.where.reset();
    by_server.where_of = plans[i].left;
    sluice::blocking_change_stream pushed{dsn(), by_server};
    EXPECT_EQ(told_until_end(pushed, false), expected) << plans[i].sql << '\n' << plans[i].explained;
    pushed.close();
  }
  psql("select pg_drop_replication_slot('pushed')");
  psql(dropped);
  psql("drop schema pushed cascade");
}

TEST(Publication, MayHaveNoTableLeft) {
  const published here{"emptied_publication"};
  psql("drop publication emptied_publication; create publication emptied_publication");
  change_options how = here.passing();
  how.snapshot = sluice::initial_snapshot::when_created;
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t values (1, 'a')");
  tell_end();
  EXPECT_THAT(told_until_end(changes), ElementsAre()) << "messages are told all the same";
}

}  // namespace
}  // namespace changes_filter_test
