// The examples do what their first lines say, with the demo schema.
#include <gtest/gtest.h>

#include <string>

#include "cluster.hpp"
#include "readers.hpp"
#include "shell.hpp"
#include "temporary_folder.hpp"

namespace examples_test {
namespace {

using namespace sluice::test;

class Examples : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const finished loaded = shell("psql -Xq -v ON_ERROR_STOP=1 -f " SLUICE_SOURCE "/sql/demo.sql");
    ASSERT_EQ(loaded.status, 0) << loaded.err;
  }
};

TEST_F(Examples, LoopAddsUpWhatPsqlAddsUp) {
  const finished end = shell(SLUICE_EXAMPLES "/example-loop");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, psql("select count(*) || ' active users, ' || sum((data->'profile'->>'age')::int) || ' years' "
                          "from v_user where data->>'status' = 'active'") +
                         "\n");
}

TEST_F(Examples, CoroutineStreamsTwoRelationsAtOnce) {
  const finished end = shell(SLUICE_EXAMPLES "/example-coroutine | sort");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out.substr(0, end.out.find(',')), "v_order: " + psql("select count(*) from v_order") + " rows");
  EXPECT_NE(end.out.find("v_user: 10 rows"), std::string::npos) << end.out;
}

TEST_F(Examples, CacheAsksOncePerUser) {
  const finished end = shell(SLUICE_EXAMPLES "/example-cache");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, "100 rows, 10 queries, 90 hits\n");
}

TEST_F(Examples, CacheChangesNoticesAChange) {
  const finished end = shell(SLUICE_EXAMPLES "/example-cache_changes");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, "changed, after 2 queries\n");
}

/// The server reads the JSON.
TEST_F(Examples, TracesAreSpansOfOneTrace) {
  const finished end = shell(SLUICE_EXAMPLES "/example-traces 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  EXPECT_EQ(end.status, 0) << end.err;
  const std::string spans = "with span as (select s.* from jsonb_path_query($json$" + end.out +
                            "$json$::jsonb, '$.resourceSpans[*].scopeSpans[*].spans[*]') j, jsonb_to_record(j) as "
                            "s(\"traceId\" text, \"spanId\" text, \"parentSpanId\" text, name text, status jsonb, "
                            "\"startTimeUnixNano\" numeric, \"endTimeUnixNano\" numeric)) ";
  EXPECT_EQ(psql(spans + "select string_agg(name, ' ' order by name) from span"),
            "acquire acquire connect first_row page page page query query");
  EXPECT_EQ(psql(spans + "select count(distinct \"traceId\"), count(distinct \"spanId\") from span"), "1|9");
  EXPECT_EQ(psql(spans + "select count(*) from span where \"parentSpanId\" = '00f067aa0ba902b7'"), "5");
  EXPECT_EQ(psql(spans + "select count(*) from span c join span q on q.\"spanId\" = c.\"parentSpanId\" "
                         "where q.name = 'query' and q.\"startTimeUnixNano\" <= c.\"startTimeUnixNano\" + 1e6 "
                         "and c.\"endTimeUnixNano\" <= q.\"endTimeUnixNano\" + 1e6"),
            "4");
  EXPECT_EQ(psql(spans + "select status->>'code' from span where status ? 'code'"), "2");
  const finished malformed = shell(SLUICE_EXAMPLES "/example-traces nonsense");
  EXPECT_EQ(malformed.status, 1);
  EXPECT_NE(malformed.err.find("traceparent"), std::string::npos) << malformed.err;
}

TEST_F(Examples, EtlStoresTheSums) {
  for (int run = 0; run < 2; ++run) {
    const finished end = shell(SLUICE_EXAMPLES "/example-etl");
    EXPECT_EQ(end.status, 0) << end.err;
    EXPECT_EQ(end.out, psql("select count(distinct user_id) from app.orders") + " customers\n");
  }
  EXPECT_EQ(psql("select sum(total) from spent"), psql("select sum((data->>'total')::numeric(12, 2)) from v_order"));
}

TEST_F(Examples, JobsAreDoneOnceEach) {
  psql(
      "drop table if exists job; create table job (id bigint generated always as identity, work text not null, done "
      "boolean not null default false); insert into job (work) select 'job ' || n from generate_series(1, 50) n");
  const std::string program = SLUICE_EXAMPLES "/example-jobs";
  const std::string ask =
      "do ' begin while exists (select from job where not done) loop perform pg_sleep(0.01); commit; "
      "end loop; end '";
  const finished end =
      shell(program + " & " + program + " & " + program + " & psql -qc \"" + ask +
            "\"; psql -qc \"insert into job (work) select 'late'; notify jobs\" -c \"" + ask +
            "\" -c \"insert into job (work) select 'stop' from generate_series(1, 3); notify jobs\"; wait");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(shell("sort <<'E' | uniq -c | awk '{print $1}' | sort | uniq -c | tr -s ' '\n" + end.out + "E\n").out,
            " 51 1\n 1 3\n");
  EXPECT_EQ(psql("select count(*) from job where done"), "54");
}

#ifdef SLUICE_COMMAND
TEST_F(Examples, CopyViewStoresAllOrNothing) {
  psql(
      "drop table if exists copied_view; create table copied_view (data jsonb); create or replace view failing_view as "
      "select to_jsonb(1 / (2000 - n)) as data from generate_series(1, 3000) n");
  const std::string server = " '" + dsn() + "' ";
  const auto copy = [&](const std::string& view) {
    return shell("SLUICE=" SLUICE_COMMAND " " SLUICE_SOURCE "/examples/copy-view" + server + view + server +
                 "copied_view");
  };
  const finished good = copy("v_user");
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_EQ(psql("select md5(string_agg(data::text, '' order by data)) from copied_view"),
            psql("select md5(string_agg(data::jsonb::text, '' order by data::jsonb)) from v_user"));
  psql("truncate copied_view");
  EXPECT_NE(copy("failing_view").status, 0) << "the first 1999 rows have arrived";
  EXPECT_EQ(psql("select count(*) from copied_view"), "0");
}
#endif

TEST_F(Examples, TypedAddsUpWhatTheServerWasAskedFor) {
  const finished end = shell(SLUICE_EXAMPLES "/example-typed");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(
      end.out,
      psql("select count(*) || ' open orders, ' || sum((data->>'total')::numeric(12,2)) || ' in all, the first by ' || "
           "(array_agg(data->'customer'->>'name' order by (data->>'id')::int))[1] "
           "from v_order where data->>'state' = 'open' and (data->>'total')::numeric >= 100") +
          "\n");
}

TEST_F(Examples, FiltersFindWhatTheServerWouldAndWhatItWouldNot) {
  const finished end = shell(SLUICE_EXAMPLES "/example-filters");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out,
            psql("select data from v_user where data->>'status' = 'active' and (data->'profile'->>'age')::int "
                 "between 30 and 60 and data->'profile'->>'city' in ('Oslo', 'Lima') and (data->'tags' ? 'vip' or "
                 "data->>'email' ilike '%@example.com') and data->>'id' = reverse(data->>'id') "
                 "order by (data->'profile'->>'age')::int desc, (data->>'id')::int limit 5") +
                "\n");
  EXPECT_NE(end.err.find("on the client: "), std::string::npos) << end.err;
}

TEST_F(Examples, ExportWritesWhatPsqlWrites) {
  const temporary_folder folder;
  const finished end = shell(SLUICE_EXAMPLES "/example-export " + folder.path("orders") +
                             "; psql -XqAt -c 'select data from "
                             "v_order' | diff - " +
                             folder.path("orders"));
  EXPECT_EQ(end.status, 0) << end.err << end.out.substr(0, 500);
  EXPECT_EQ(end.out.substr(0, end.out.find(',')), psql("select count(*) || ' orders' from v_order"));
  EXPECT_EQ(shell(SLUICE_EXAMPLES "/example-export /dev/full").status, 1);
}

TEST_F(Examples, ArrowWritesWhatTheCommandWrites) {
  const temporary_folder folder;
  const finished end = shell(SLUICE_EXAMPLES "/example-arrow " + folder.path("paid"));
  EXPECT_EQ(end.out, "user_id: l\nstate: u\nplaced_at: tsu:UTC\n" +
                         psql("select count(*) || ' rows' from app.orders where state = 'paid'") + '\n')
      << end.err;
#ifdef SLUICE_COMMAND
  const finished same = shell(SLUICE_COMMAND
                              " --format arrow --param paid --sql 'select user_id, state, placed_at from app.orders "
                              "where state = $1 order by id' | cmp - " +
                              folder.path("paid"));
  EXPECT_EQ(same.status, 0) << same.out << same.err;
#endif
  EXPECT_EQ(shell(SLUICE_EXAMPLES "/example-arrow /dev/full").status, 1);
}

/// Whether the clients read fast or slowly.
TEST_F(Examples, HttpAnswersInChunks) {
  const finished end = shell("exec 3< <(exec " SLUICE_EXAMPLES
                             "/example-http 0); server=$!; read -r url <&3; "
                             "python3 -c 'import sys, urllib.request\n"
                             "slow = urllib.request.urlopen(sys.argv[1])\n"
                             "fast = urllib.request.urlopen(sys.argv[1]).read()\n"
                             "first = slow.read(1)\n"
                             "print(fast == first + slow.read(), fast.count(b\"\\n\"))' $url; kill $server");
  EXPECT_EQ(end.out, "True 1000\n") << end.err;
}

TEST_F(Examples, PoolSharesConnectionsAmongTasks) {
  const finished end = shell(SLUICE_EXAMPLES "/example-pool");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, psql("select '100 tasks, ' || count(*) || ' orders' from v_order") + "\n");
}

TEST_F(Examples, PagesLetOtherQueriesIn) {
  const finished end = shell(SLUICE_EXAMPLES "/example-pages");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out.substr(0, end.out.find(" in ")),
            psql("select count(*) || ' users' from v_user where data->'tags' ? 'vip'"));
  EXPECT_NE(end.out.find("several pages"), std::string::npos) << end.out;
}

TEST_F(Examples, ParallelWritesEachRowOnce) {
  psql(
      "drop table if exists example_table; create table example_table (data jsonb);"
      "insert into example_table select to_jsonb(n) from generate_series(1, 50000) n");
  const temporary_folder folder;
  const finished end = shell(SLUICE_EXAMPLES "/example-parallel example_table " + folder.path("rows") + "; sort -n " +
                             folder.path("rows") + " | diff - <(seq 50000)");
  EXPECT_EQ(end.status, 0) << end.err << end.out.substr(0, 500);
  EXPECT_EQ(end.out, "50000 rows over 4 connections\n");
  EXPECT_NE(end.err.find("100 %"), std::string::npos) << end.err;
}

TEST_F(Examples, ListenHearsWhatIsSent) {
  const finished end = shell(SLUICE_EXAMPLES
                             "/example-listen tests | { read -r line; echo \"$line\"; "
                             "psql -Xq -c \"notify tests, 'stop'\"; cat; }");
  EXPECT_EQ(end.out, "listening\nstop\n") << end.err;
}

/// What the index finds after the snapshot, and after more changes while nobody followed.
TEST_F(Examples, SearchIndexFindsWhatTheTableHas) {
  const std::string folder = readers();
  if (folder.empty()) GTEST_SKIP() << "no search index: ci/readers installs it, with npm";
  psql(
      "drop table if exists searched; create table searched (id int, lang text, title text, body text, primary key "
      "(id, lang)); alter table searched alter body set storage external; drop publication if exists searched;"
      "create publication searched for table searched; insert into searched values (1, 'en', 'flow', 'the river'), (2, "
      "'en', 'gate', 'a \"sluice\"'), (3, 'de', 'Tor', repeat('lang ', 3000) || 'sluice')");
  const finished end = shell(
      "exec 3< <(exec node " SLUICE_SOURCE "/tests/readers/search_server.mjs '" + folder +
      "'); server=$!; trap 'kill $server' EXIT; read -r port <&3;"
      "finds() { node --input-type=module -e 'console.log(await (await fetch(process.argv[1])).text())' "
      "\"http://127.0.0.1:$port/searched/_search?q=$1\"; };"
      "follow() { " SLUICE_EXAMPLES "/example-search_index '" +
      dsn() +
      "' searched searched 127.0.0.1 $port until; }; set -e; follow; finds sluice; finds river;"
      "psql -Xqc \"delete from searched where id = 1; update searched set title = 'lock' where id = 3; update searched "
      "set id = 4 where id = 2; insert into searched values (5, 'fr', 'river', '')\"; follow; finds sluice; finds "
      "lock; "
      "finds river; psql -Xqc 'truncate searched'; follow; finds sluice");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out,
            R"({"errors":false,"hits":["2,\"en\"","3,\"de\""]}
{"errors":false,"hits":["1,\"en\""]}
{"errors":false,"hits":["3,\"de\"","4,\"en\""]}
{"errors":false,"hits":["3,\"de\""]}
{"errors":false,"hits":["5,\"fr\""]}
{"errors":false,"hits":[]}
)");
  psql("select pg_drop_replication_slot('searched'); drop publication searched; drop table searched");
}

TEST_F(Examples, TlsTrustsOneServerOnly) {
  const std::string port = cluster_value("SLUICE_TEST_PORT");
  const std::string folder = cluster_value("SLUICE_TEST_TLS_DIR");
  const std::string who = " 'user=tls_user password=secret dbname=sluice'";
  const finished good = shell(SLUICE_EXAMPLES "/example-tls localhost " + port + ' ' + folder + "/ca.crt" + who);
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_EQ(good.out.substr(0, 14), "TLSv1.3, serve");
  const finished other =
      shell(SLUICE_EXAMPLES "/example-tls localhost " + port + ' ' + folder + "/self_signed.crt" + who);
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(other.err.substr(0, 16), "tls: not secure:") << other.err;
}

TEST_F(Examples, ErrorsAreToldApart) {
  const finished end = shell(SLUICE_EXAMPLES "/example-errors");
  EXPECT_EQ(end.status, 0) << end.err;
  for (const char* line :
       {"no such column: sql 42703, after 0 rows, go on with this connection\n",
        "in the middle: sql 22012, after 3 rows, go on with this connection\n",
        "too slow: timeout, after 0 rows, go on with this connection\n", "again: went well\n",
        "too large: limit, after ", "no number: json, after 0 rows,", "misuse: usage, after 0 rows,"})
    EXPECT_NE(end.out.find(line), std::string::npos) << line << "is not in\n" << end.out;
}

TEST_F(Examples, FanOutServesEachCustomerItsOrders) {
  psql(
      "drop table if exists fanned_orders; create table fanned_orders (id int primary key, customer text);"
      "alter table fanned_orders replica identity full; drop publication if exists fanned; create publication fanned"
      " for table fanned_orders");
  const finished end = shell(SLUICE_EXAMPLES "/example-fan_out '" + dsn() +
                             "' fanned ann bob | { read -r line; echo \"$line\"; psql -Xq -c \""
                             "insert into fanned_orders values (1, 'ann'), (2, 'bob'), (3, 'eve'), (4, 'ann');"
                             "delete from fanned_orders\"; sort; }");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out,
            "serving\n"
            "ann: delete {\"id\":1,\"customer\":\"ann\"}\n"
            "ann: insert {\"id\":1,\"customer\":\"ann\"}\n"
            "ann: insert {\"id\":4,\"customer\":\"ann\"}\n"
            "bob: delete {\"id\":2,\"customer\":\"bob\"}\n"
            "bob: insert {\"id\":2,\"customer\":\"bob\"}\n")
      << end.err;
  psql("drop publication fanned; drop table fanned_orders");
}

#ifdef SLUICE_EXAMPLE_METRICS
TEST_F(Examples, MetricsCountQueriesAndErrors) {
  const finished end = shell(SLUICE_EXAMPLES "/example-metrics");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_NE(end.out.find("db_client_operation_duration_seconds"), std::string::npos) << end.out;
  EXPECT_NE(end.out.find("error_type"), std::string::npos) << end.out;
}
#endif

TEST_F(Examples, TellWhatFailed) {
  const finished end = shell(SLUICE_EXAMPLES "/example-loop host=/nonexistent");
  EXPECT_EQ(end.status, 1);
  EXPECT_EQ(end.err.substr(0, 6), "loop: ");
}

}  // namespace
}  // namespace examples_test
