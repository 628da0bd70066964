// Setups other than a single server: a standby beside its primary, and a pooler in between.
// Run as: ci/with-postgres ci/with-standby ci/with-pgbouncer BUILD_FOLDER/tests/peer_tests
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <ostream>
#include <sluice/stream/batch.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/parallel.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "followed.hpp"
#include "shell.hpp"

namespace {

using namespace sluice::test;
using sluice::condition;
using sluice::errc;
using sluice::sql;

std::string primary() { return cluster_value("SLUICE_TEST_PORT"); }
std::string standby() { return cluster_value("SLUICE_TEST_STANDBY_PORT"); }

/// "primary" or "standby", or the error.
std::string reached(const std::string& conninfo) {
  try {
    sluice::client db{conninfo};
    const std::string recovery = answer(db, sql("select to_json(pg_is_in_recovery())").as_document());
    return recovery == "true" ? "standby" : recovery == "false" ? "primary" : recovery;
  } catch (const sluice::error& e) {
    return std::string{to_string(e.kind())} + ": " + e.what();
  }
}

struct target_case {
  const char* wanted;
  const char* primary_first;
  const char* standby_first;
  const char* primary_alone;  // null: an error
  const char* standby_alone;
};
std::ostream& operator<<(std::ostream& out, const target_case& one) { return out << one.wanted; }
class Target : public testing::TestWithParam<target_case> {};

TEST_P(Target, IsTheFirstServerOfItsKind) {
  const target_case& one = GetParam();
  const auto at = [&](const std::string& ports) {
    const std::string hosts = ports.find(',') == ports.npos ? "127.0.0.1" : "127.0.0.1,127.0.0.1";
    return reached("user=trust_user dbname=sluice host=" + hosts + " port=" + ports +
                   " target_session_attrs=" + one.wanted);
  };
  EXPECT_EQ(at(primary() + "," + standby()), one.primary_first);
  EXPECT_EQ(at(standby() + "," + primary()), one.standby_first);
  for (const auto& [port, expected] : {std::pair{primary(), one.primary_alone}, {standby(), one.standby_alone}}) {
    const std::string got = at(port);
    if (expected != nullptr) {
      EXPECT_EQ(got, expected);
    } else {
      EXPECT_TRUE(got.starts_with("connection: the ")) << got;
      EXPECT_NE(got.find(std::string{"target_session_attrs"}), std::string::npos) << got;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, Target,
                         testing::Values(target_case{"any", "primary", "standby", "primary", "standby"},
                                         target_case{"read-write", "primary", "primary", "primary", nullptr},
                                         target_case{"read-only", "standby", "standby", nullptr, "standby"},
                                         target_case{"primary", "primary", "primary", "primary", nullptr},
                                         target_case{"standby", "standby", "standby", nullptr, "standby"},
                                         target_case{"prefer-standby", "standby", "standby", "primary", "standby"}));

/// Only the server that exported a snapshot knows it: all connections go to that server, wherever it is in the list.
TEST(Standby, IsReadInParallel) {
  psql(
      "drop table if exists par_far; create table par_far (data jsonb, half int); grant select on par_far to public;"
      "insert into par_far select to_jsonb(n), n % 2 from generate_series(1, 50000) n");
  const std::string written = psql("select pg_current_wal_insert_lsn()");
  const std::string both = "user=trust_user dbname=sluice host=127.0.0.1,127.0.0.1 port=" + primary() + "," + standby();
  sluice::client far{both + " target_session_attrs=standby"};
  while (answer(far, sql("select to_json(pg_last_wal_replay_lsn() >= $1::pg_lsn)", written).as_document()) != "true") {
  }  // the suite's time limit bounds this loop
  const auto sum = [](const std::string& where, const sluice::relation& what) {
    std::uint64_t all = 0;
    sluice::parallel_range rows{where, what, {.connections = 3}};
    while (const sluice::chunk batch = rows.next())
      for (const sluice::row each : batch) all += std::stoull(std::string{each.text()});
    return all;
  };
  const std::uint64_t expected = 50'000ULL * 50'001 / 2;
  EXPECT_EQ(sum(both + " target_session_attrs=standby", sluice::from("par_far")), expected);
  // Reads one half from each server, as docs/scaling.md shows.
  const auto half = [](int which) { return sluice::from("par_far").where(sluice::column("half") == which); };
  EXPECT_EQ(sum(both + " target_session_attrs=primary", half(0)) + sum(both + " target_session_attrs=standby", half(1)),
            expected);
}

TEST(Standby, IsFollowedFrom16On) {
  psql("drop table if exists followed_far; create table followed_far (n int primary key)");
  psql("drop publication if exists followed_far; create publication followed_far for table followed_far");
  const std::string written = psql("select pg_current_wal_insert_lsn()");
  const std::string where = "user=sluice dbname=sluice host=127.0.0.1 port=" + standby();
  wait_until("pg_last_wal_replay_lsn() >= '" + written + "'", where);
  sluice::change_options how;
  how.slot = "followed_far";
  how.publications = {"followed_far"};
  how.create = sluice::slot_creation::temporary;
  const auto refused = [&](const sluice::change_options& as) {
    try {
      sluice::blocking_change_stream changes{where, as};
      return std::string{"it was not refused"};
    } catch (const sluice::error& e) {
      return std::string{e.what()};
    }
  };
  if (std::stoi(psql("show server_version_num")) < 160000) {
    EXPECT_NE(refused(how).find("from Postgres 16 on"), std::string::npos) << refused(how);
  } else {
    how.heartbeat = std::chrono::seconds{1};
    EXPECT_NE(refused(how).find("a heartbeat writes"), std::string::npos) << refused(how);
    how.heartbeat = {};
    // The standby has to hear of the transactions that run on the primary.
    std::jthread primary_works{[](const std::stop_token& stop) {
      while (!stop.stop_requested()) psql("select pg_log_standby_snapshot()");
    }};
    sluice::blocking_change_stream changes{where, how};
    primary_works.request_stop();
    psql("insert into followed_far values (1), (2)");
    std::string seen;
    while (seen.size() < 14) {
      const sluice::change_chunk some = changes.next();
      for (const sluice::change each : some) seen += each.text();
      changes.acknowledge(some.last());
    }
    EXPECT_EQ(seen, R"({"n":1}{"n":2})");
    EXPECT_TRUE(changes.lag().is_active);
  }
  psql("drop publication followed_far; drop table followed_far");
}

TEST(Standby, DoesNotLetItsCopyOfASlotBeRead) {
  if (std::stoi(psql("show server_version_num")) < 170000) GTEST_SKIP() << "slots are copied from Postgres 17 on";
  const std::string where = "user=sluice dbname=sluice host=127.0.0.1 port=" + standby();
  psql("drop table if exists copied_slot; create table copied_slot (n int primary key)");
  psql("drop publication if exists copied_slot; create publication copied_slot for table copied_slot");
  psql("select pg_create_physical_replication_slot('copier', true)");
  psql("alter system set primary_slot_name = 'copier'", where);
  psql("alter system set primary_conninfo = 'host=" + cluster_value("SLUICE_TEST_SOCKET_DIR") +
           " user=sluice dbname=sluice port=" + primary() + "'",
       where);
  psql("alter system set hot_standby_feedback = on", where);
  psql("alter system set sync_replication_slots = on", where);
  psql("select pg_reload_conf()", where);
  sluice::change_options how;
  how.slot = "copied_slot";
  how.publications = {"copied_slot"};
  how.create = sluice::slot_creation::if_missing;
  how.failover = true;
  {
    sluice::blocking_change_stream changes{dsn(), how};
    while (psql("select count(*) from pg_replication_slots where slot_name = 'copied_slot' and synced", where) != "1")
      psql("insert into copied_slot select coalesce(max(n), 0) + 1 from copied_slot");
    how.failover = false;
    try {
      sluice::blocking_change_stream copy{where, how};
      ADD_FAILURE() << "it was not refused";
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::bad_state);
      EXPECT_NE(std::string_view{e.what()}.find("is the copy of a standby"), std::string_view::npos) << e.what();
    }
    changes.close();
  }
  psql("alter system reset all", where);
  psql("select pg_reload_conf()", where);
  wait_until("not exists (select from pg_replication_slots where slot_name = 'copier' and active)");
  psql(
      "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name in ('copier', "
      "'copied_slot')");
  psql("drop publication copied_slot; drop table copied_slot");
}

TEST(Target, TellsWhatEachHostSaid) {
  const std::string said = reached(
      "user=trust_user dbname=sluice target_session_attrs=read-only host=127.0.0.1,127.0.0.1 port=1," + primary());
  EXPECT_NE(said.find("Connection refused"), std::string::npos) << said;
  EXPECT_NE(said.find("the session can write"), std::string::npos) << said;
}

TEST(Target, LooksAtTheSessionNotOnlyAtTheServer) {
  psql("alter role trust_user set default_transaction_read_only = on");
  const std::string at = "user=trust_user dbname=sluice host=127.0.0.1 port=" + primary() + " target_session_attrs=";
  EXPECT_EQ(reached(at + "read-only"), "primary");
  EXPECT_TRUE(reached(at + "read-write").starts_with("connection: the session is read-only"));
  EXPECT_EQ(reached(at + "primary"), "primary");
  psql("alter role trust_user reset default_transaction_read_only");
}

std::string pooled(const std::string& user) {
  std::string text = as_user(user);
  return text.replace(text.find(primary()), primary().size(), cluster_value("SLUICE_TEST_POOLER_PORT"));
}

TEST(Pooler, TakesADefaultConnectionString) {
  for (const char* user : {"trust_user", "scram_user"}) {
    EXPECT_EQ(reached(pooled(user)), "primary");
    EXPECT_EQ(reached(pooled(user) + " sslmode=require"), "primary");
    EXPECT_EQ(reached(pooled(user) + " application_name=sluice"), "primary");
  }
  sluice::client db{pooled("scram_user") + " sslmode=verify-full sslrootcert=" + tls_file("ca.crt")};
  EXPECT_EQ(db.tls_version(), "TLSv1.3");
}

TEST(Pooler, CannotBindScramToItsTls) {
  const std::string said = reached(pooled("scram_user") + " sslmode=require channel_binding=require");
  EXPECT_TRUE(said.starts_with("auth: ")) << said;
}

/// "1.18" is 1018.
int pooler_version() {
  const std::string said = shell("PATH=$PATH:/usr/sbin pgbouncer --version").out;  // PgBouncer 1.18.0
  int major = 0;
  int minor = 0;
  if (std::sscanf(said.c_str(), "PgBouncer %d.%d", &major, &minor) != 2) throw std::runtime_error{said};
  return major * 1'000 + minor;
}

TEST(Pooler, PassesOnConnectionsForReplicationIfItIsNewEnough) {
  const published tables{"pooled"};
  psql("alter role trust_user replication; grant usage on schema pooled to trust_user");
  std::vector<std::string> seen;
  std::optional<sluice::error> failure;
  try {
    sluice::blocking_change_stream changes{pooled("trust_user"), tables.passing()};
    tables.run("insert into t values (1, 'through the pooler')");
    seen = take(changes, 1);
  } catch (const sluice::error& e) {
    failure = e;
  }
  psql("alter role trust_user noreplication");
  if (pooler_version() >= 1'023) {
    EXPECT_FALSE(failure) << failure->what();
    EXPECT_THAT(seen, testing::ElementsAre(R"(insert t {"id":1,"v":"through the pooler"})"));
  } else {
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->sqlstate(), "08P01");
    EXPECT_THAT(failure->what(), testing::HasSubstr("connect to the server itself"));
  }
}

TEST(Pooler, IsAskedWhatKindOfSessionItGives) {
  EXPECT_EQ(reached(pooled("trust_user") + " target_session_attrs=read-write"), "primary");
  EXPECT_TRUE(reached(pooled("trust_user") + " target_session_attrs=standby").starts_with("connection: "));
}

TEST(Pooler, KeepsQueriesOfManyClientsApart) {
  std::vector<sluice::client> clients;
  for (int i = 0; i < 8; ++i) clients.emplace_back(pooled("trust_user"));
  for (int round = 0; round < 50; ++round) {
    sluice::client& db = clients[static_cast<std::size_t>(round) % clients.size()];
    const std::string expected = std::to_string(round);
    EXPECT_EQ(answer(db, sql("select to_json($1::int)", round).as_document()), expected);
    EXPECT_EQ(answer(db, sql("select $1::int as n", round)), "{\"n\":" + expected + "}") << "two flights";
  }
}

TEST(Pooler, PassesAnErrorOnAndGoesOn) {
  sluice::client db{pooled("trust_user")};
  EXPECT_NE(answer(db, sql("select 1 / 0")).find("division by zero"), std::string::npos);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  EXPECT_TRUE(db.is_idle());
}

TEST(Pooler, PassesARequestToCancelOnToTheRightQuery) {
  sluice::client other{pooled("trust_user")};
  sluice::client db{pooled("trust_user")};
  {
    sluice::row_range rows =
        db.stream(sql("select to_json(generate_series(1, 2000000000)) as pooled_test").as_document());
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(rows.cancel(), sluice::leaving::cancelled);
  }
  EXPECT_FALSE(is_running("pooled_test"));
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  EXPECT_EQ(answer(other, sql("select to_json(2)")), "2");
}

TEST(Pooler, KeepsItsServerForAStreamInPages) {
  sluice::client db{pooled("trust_user")};
  sluice::client other{pooled("trust_user")};
  const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 50};
  for (int round = 0; round < 3; ++round) {
    sluice::row_range rows = db.stream(sql("select to_json(n) from generate_series(1, 500) n").as_document(), in_pages);
    int count = 0;
    while (const sluice::chunk chunk = rows.next()) {
      for (const sluice::row row : chunk) count += row.is_null() ? 0 : 1;
      EXPECT_EQ(answer(db, sql("select to_json($1::int)", round).as_document()), std::to_string(round));
      EXPECT_EQ(answer(other, sql("select to_json(7)")), "7");
    }
    EXPECT_EQ(count, 500);
  }
  {
    sluice::row_range rows = db.stream(sql("select to_json(generate_series(1, 1000000000))").as_document(), in_pages);
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(rows.cancel(), sluice::leaving::drained);
  }
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(Pooler, TakesSeveralQueriesInOneWrite) {
  sluice::client db{pooled("trust_user")};
  std::vector<sluice::query> queries;
  for (int i = 0; i < 20; ++i) queries.push_back(sql("select to_json($1::int)", i).as_document());
  queries[7] = sql("select 1 / 0").as_document();
  std::string seen;
  for (sluice::row_range& rows : db.send(queries)) {
    try {
      for (const sluice::row row : rows) seen.append(row.text()).append(" ");
    } catch (const sluice::error& e) {
      seen.append(e.sqlstate()).append(" ");
    }
  }
  EXPECT_EQ(seen, "0 1 2 3 4 5 6 22012 8 9 10 11 12 13 14 15 16 17 18 19 ");
}

TEST(Pooler, IsGivenATimeoutForOneQueryOnly) {
  sluice::client db{pooled("trust_user")};
  const auto setting = sql("select to_json(current_setting('statement_timeout'))").as_document();
  for (int i = 0; i < 10; ++i) {
    std::string seen;
    for (const sluice::row row : db.stream(setting, {.server_timeout = std::chrono::seconds{5}})) seen = row.text();
    EXPECT_EQ(seen, "\"5s\"");
    EXPECT_EQ(answer(db, setting), "\"0\"");
  }
}

/// The bound values of a COPY are settings of its transaction, so no other client sees them.
TEST(Pooler, TakesBulk) {
  sluice::client first{pooled("trust_user")};
  sluice::client second{pooled("trust_user")};
  for (int i = 0; i < 10; ++i)
    for (sluice::client* const db : {&first, &second}) {
      const std::string mine = std::to_string(i) + (db == &first ? "a" : "b");
      std::string seen;
      const sluice::query what = sql("select to_json($1::text || n) from generate_series(1, 2) n", mine).as_document();
      for (const sluice::row row : db->stream(what, {.mode = sluice::fetch_mode::bulk})) seen += row.text();
      EXPECT_EQ(seen, '"' + mine + "1\"\"" + mine + "2\"");
    }
}

TEST(Pooler, KeepsItsServerForATransaction) {
  psql("drop table if exists pooled_kept; create table pooled_kept (n int); grant all on pooled_kept to public");
  sluice::client db{pooled("trust_user")};
  sluice::client other{pooled("trust_user")};
  const auto count = [&](sluice::client& by) {
    return answer(by, sql("select to_json(count(*)) from pooled_kept").as_document());
  };
  sluice::blocking_transaction tx = db.begin();
  tx.execute(sql("insert into pooled_kept values ($1)", 1));
  EXPECT_EQ(count(other), "0");
  {
    sluice::blocking_transaction inner = tx.begin();
    inner.execute(sql("insert into pooled_kept values ($1)", 2));
  }
  sluice::blocking_copy_writer to = tx.copy_into("pooled_kept", "n");
  for (int i = 0; i < 10; ++i) to.write(i);
  EXPECT_EQ(to.finish(), 10U);
  tx.commit();
  EXPECT_EQ(count(other), "11");
  {
    sluice::blocking_transaction dropped = db.begin();
    dropped.execute(sql("insert into pooled_kept values ($1)", 3));
  }
  EXPECT_EQ(count(db), "11");
}

TEST(Pooler, RunsBatchesOfRows) {
  psql(
      "drop table if exists pooled_batch; create table pooled_batch (n int primary key); grant all on pooled_batch to "
      "public");
  sluice::client db{pooled("trust_user")};
  {
    sluice::blocking_batch_writer together = db.batch("insert into pooled_batch values ($1)", {.rows = 50});
    for (int i = 0; i < 200; ++i) together.write(i);
    EXPECT_EQ(together.finish().affected_rows, 200U);
  }
  std::size_t refused = 0;
  const auto count = [&](std::uint64_t /*row*/, const sluice::error& /*why*/) { ++refused; };
  sluice::blocking_batch_writer each =
      db.batch("insert into pooled_batch values ($1)", {.rows = 50, .on_failure = count});
  for (int i = 100; i < 300; ++i) each.write(i);
  EXPECT_EQ(each.finish().affected_rows, 100U);
  EXPECT_EQ(refused, 100U);
  sluice::blocking_transaction tx = db.begin();
  sluice::blocking_batch_writer undone = tx.batch("delete from pooled_batch where n = $1");
  for (int i = 0; i < 300; ++i) undone.write(i);
  EXPECT_EQ(undone.finish().affected_rows, 300U);
  tx.rollback();
  EXPECT_EQ(answer(db, sql("select to_json(count(*)) from pooled_batch").as_document()), "300");
}

TEST(Pooler, IsReadInParallel) {
  psql(
      "drop table if exists pooled; create table pooled (data jsonb);"
      "insert into pooled select to_jsonb(n) from generate_series(1, 20000) n; analyze pooled; grant select on pooled "
      "to trust_user");
  std::int64_t sum = 0;
  for (const sluice::row row : sluice::parallel_range{pooled("trust_user"), sluice::from("pooled"), {.connections = 2}})
    sum += std::stoll(std::string{row.text()});
  EXPECT_EQ(sum, 20'000LL * 20'001 / 2);
}

/// This pooler forgets prepared statements or mixes them up: that gives an error, and never another statement's rows.
TEST(Pooler, NeverRunsAnotherClientsStatement) {
  sluice::connection_options options;
  options.statement_cache = 4;
  std::vector<sluice::client> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(pooled("trust_user"), options);
  int good = 0;
  for (int round = 0; round < 200; ++round) {
    sluice::client& db = clients[static_cast<std::size_t>(round * 7) % clients.size()];
    const std::string expected = std::to_string(round % 6);
    try {
      std::string seen;
      for (const sluice::row row : db.stream(sql("select to_json(" + expected + ")").as_document())) seen = row.text();
      EXPECT_EQ(seen, expected);
      ++good;
    } catch (const sluice::error& e) {
      EXPECT_TRUE(e.sqlstate() == "26000" || e.sqlstate() == "42P05") << e.what();
      EXPECT_TRUE(e.connection_usable());
    }
  }
  EXPECT_GT(good, 0);
}

TEST(Pooler, ThatLosesItsServerIsAnErrorAndNotAHang) {
  sluice::client db{pooled("trust_user")};
  sluice::row_range rows = db.stream(sql("select to_json(generate_series(1, 2000000000)) as lost_test").as_document());
  EXPECT_TRUE(rows.next());
  psql(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '%lost_test%' and pid <> "
      "pg_backend_pid()");
  try {
    while (rows.next()) {
    }
    ADD_FAILURE() << "a short result looked whole";
  } catch (const sluice::error& e) {
    // PgBouncer forwards rows in pieces. If it reports the loss in the middle of one, the client sees a protocol
    // violation.
    EXPECT_TRUE(e.kind() == condition::connection || e.kind() == condition::sql || e.kind() == condition::protocol)
        << e.what();
    EXPECT_FALSE(e.connection_usable());
  }
}

TEST(Pooler, IsAskedForANewerProtocolOnlyWhenTold) {
  const std::string newer = reached(pooled("trust_user") + " max_protocol_version=3.2");
  EXPECT_TRUE(newer == "primary" || newer.starts_with("protocol: ") || newer.starts_with("sql: ") ||
              newer.starts_with("connection: "))
      << newer;
}

}  // namespace
