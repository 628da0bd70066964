// The command as users run it: output, messages, exit codes, signals.
#include <gtest/gtest.h>
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "cluster.hpp"
#include "shell.hpp"

namespace command_test {
namespace {

using namespace sluice::test;

/// Runs a shell command line in which $SLUICE is the command.
finished run(const std::string& line) { return shell("SLUICE=" SLUICE_COMMAND "; " + line); }

void expect_failure(const std::string& line, int status, const std::string& beginning) {
  const finished end = run(line);
  EXPECT_EQ(end.status, status) << line << "\n" << end.err;
  EXPECT_EQ(end.err.substr(0, beginning.size()), beginning) << line;
  EXPECT_EQ(end.out, "") << "nothing but rows goes to standard output";
}

class Command : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(R"(drop table if exists doc; create table doc (data jsonb, j json);
            insert into doc select jsonb_build_object('n', n), json_build_object('n', n) from generate_series(1, 3) n)");
  }
};

TEST_F(Command, StreamsARelationAsNdjson) {
  const finished end = run("$SLUICE doc");
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, "{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n");
  EXPECT_EQ(run("$SLUICE public.doc --column j --order-by n:int:desc --limit 1 --offset 1").out, "{\"n\" : 2}\n");
}

TEST_F(Command, PrintsTheBytesThatPsqlPrints) {
  psql(
      R"(create or replace view odd_documents as select data::json from (values (E'{\n  "a": 1\n}'), (null), ('[1,  2]')) v (data))");
  EXPECT_EQ(run("$SLUICE odd_documents --format raw").out, shell("psql -XAtc 'select data from odd_documents'").out);
  EXPECT_EQ(run("$SLUICE odd_documents").out, "{\"a\":1}\nnull\n[1,  2]\n") << "one row is one line";
  EXPECT_EQ(run("$SLUICE odd_documents --format array").out, "[{\n  \"a\": 1\n},\nnull,\n[1,  2]]\n");
  EXPECT_EQ(run("$SLUICE odd_documents --format array --limit 0").out, "[]\n");
  EXPECT_EQ(run("$SLUICE --sql 'select to_json(repeat($1, 100000))' --param x --format raw | wc -c").out, "100003\n");
}

TEST_F(Command, CountsAndTellsStatistics) {
  const finished end = run("$SLUICE doc --count --stats");
  EXPECT_EQ(end.out, "{\"rows\":3,\"bytes\":24}\n");
  for (const char* key : {"\"rows\":3", "\"bytes\":24", "\"chunks\":", "\"reads\":", "\"ttfr_us\":", "\"elapsed_us\":",
                          "\"connect_us\":", "\"buffer_peak_bytes\":", "\"server_wait_us\":", "\"consumer_us\":",
                          "\"mode\":\"plain\"", "\"tls\":false", "\"server_version\":\""})
    EXPECT_NE(end.err.find(key), std::string::npos) << key << " in " << end.err;
}

TEST_F(Command, StreamsInPages) {
  const std::string rows = "--sql 'select n from generate_series(1, 1234) n'";
  const finished paged = run("$SLUICE " + rows + " --mode paged --page-rows 100 --stats");
  EXPECT_EQ(paged.out, run("$SLUICE " + rows).out);
  EXPECT_NE(paged.err.find("\"mode\":\"paged\",\"pages\":13,"), std::string::npos) << paged.err;
  const finished bulk = run("$SLUICE " + rows + " --mode bulk --stats");
  EXPECT_EQ(bulk.out, paged.out);
  EXPECT_NE(bulk.err.find("\"mode\":\"bulk\""), std::string::npos) << bulk.err;
  EXPECT_EQ(run("$SLUICE " + rows + " --mode paged --page-rows 10 | head -n 1").out, "{\"n\":1}\n");
}

TEST_F(Command, BindsParameters) {
  EXPECT_EQ(run("$SLUICE --sql 'select $1 as a, $2::int as b' --param \"it's\" --param 7").out,
            "{\"a\":\"it's\",\"b\":7}\n");
}

TEST_F(Command, ChecksDocumentsInFullWhenAskedTo) {
  EXPECT_EQ(run("$SLUICE doc --validate").status, 0);
  psql(  // the server allows more depth than the validator
      "create or replace view bad as select case n when 3 then repeat('[', 1100) || repeat(']', 1100) else '{}' "
      "end::json as data from generate_series(1, 3) n");
  const finished end = run("$SLUICE bad --validate");
  EXPECT_EQ(end.status, 8);
  EXPECT_EQ(end.out, "{}\n{}\n") << "rows before the bad one stay whole";
  EXPECT_NE(end.err.find("sluice: json: row 3"), std::string::npos) << end.err;
  EXPECT_EQ(run("$SLUICE bad").status, 0) << "only where decoding was asked for";
}

TEST_F(Command, RefusesWhatCannotBeMeant) {
  expect_failure("$SLUICE", 2, "sluice: usage: ");
  expect_failure("$SLUICE doc --bogus", 2, "sluice: usage: ");
  expect_failure("$SLUICE doc --where 'n = '", 2, "sluice: usage: --where: expected a value");
  expect_failure("$SLUICE doc --where 'n like 5'", 2, "sluice: usage: --where: expected a text in single quotes");
  expect_failure("$SLUICE 'a..b'", 2, "sluice: usage: ");
  expect_failure("$SLUICE -d 'host=x nonsense' doc", 2, "sluice: usage: connection string");
  expect_failure("$SLUICE -d 'postgresql://[::1' doc", 2, "sluice: usage: connection string");
}

TEST_F(Command, TellsWhatFailedByItsExitCode) {
  expect_failure("$SLUICE no_such", 7, "sluice: sql: relation \"no_such\" does not exist");
  expect_failure("$SLUICE -d 'host=127.0.0.1 port=1' doc", 3, "sluice: connection: ");
  expect_failure("$SLUICE -d 'host=/nonexistent' doc", 3, "sluice: connection: ");
  expect_failure("$SLUICE -d 'host=127.0.0.1 user=scram_user password=wrong' doc", 4, "sluice: auth: ");
  expect_failure("$SLUICE -d 'dbname=nowhere' doc", 7, "sluice: sql: database \"nowhere\" does not exist");
  expect_failure("$SLUICE doc --max-row 5", 9, "sluice: limit: ");
  expect_failure("$SLUICE --sql 'select pg_sleep(600)' --timeout 200ms", 10, "sluice: timeout: ");
  const finished hinted = run("$SLUICE --sql 'select nam from pg_class c'");
  EXPECT_NE(hinted.err.find("[42703]\n"), std::string::npos) << hinted.err;
}

TEST_F(Command, LeavesRowsBeforeAnErrorWhole) {
  psql(
      "create or replace view late as select json_build_object('n', n, 'x', 1 / (5000 - n)) as data "
      "from generate_series(1, 10000) n");
  const finished end = run("$SLUICE late");
  EXPECT_EQ(end.status, 7);
  EXPECT_NE(end.err.find("[22012]"), std::string::npos);
  EXPECT_EQ(std::count(end.out.begin(), end.out.end(), '\n'), 4999);
  EXPECT_EQ(end.out.back(), '\n');
}

TEST_F(Command, EndsWithAnErrorWhenItsBackendIsTerminated) {
  const finished end =
      run("$SLUICE --sql \"select json_build_object('command_test', generate_series(1, 3000000))\" | "
          "{ read -r first; psql -XAtqc \"select pg_terminate_backend(pid) from pg_stat_activity where query like "
          "'%command_test%' and pid <> pg_backend_pid()\" >/dev/null; cat >/dev/null; }; exit ${PIPESTATUS[0]}");
  EXPECT_TRUE(end.status == 3 || end.status == 7) << end.status;
  EXPECT_TRUE(end.err.find("[57P01]") != std::string::npos || end.err.find("connection: ") != std::string::npos)
      << end.err;
}

TEST_F(Command, EndsQuietlyWhenNobodyReads) {
  const finished end =
      run("$SLUICE --sql \"select json_build_object('head_test', generate_series(1, 3000000))\" | head -1; "
          "exit ${PIPESTATUS[0]}");
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.err, "");
  EXPECT_EQ(end.out, "{\"head_test\" : 1}\n");
  EXPECT_EQ(psql("select count(*) from pg_stat_activity where query like '%head_test%' and state = 'active' and "
                 "pid <> pg_backend_pid()"),
            "0");
}

/// Sends the command a signal once its query sleeps on the server.
void expect_cancelled(const std::string& arguments, const std::string& signal) {
  const finished end = run("PGAPPNAME=signalled $SLUICE " + arguments +
                           " & p=$!; until psql -XAtqc \"select 1 from pg_stat_activity where application_name = "
                           "'signalled' and wait_event = 'PgSleep'\" | grep -q 1; do kill -0 $p || exit; done; kill -" +
                           signal + " $p; wait $p");
  EXPECT_EQ(end.status, 130) << arguments << "\n" << end.err;
  EXPECT_NE(end.err.find("sluice: cancelled: "), std::string::npos) << arguments << "\n" << end.err;
  EXPECT_EQ(psql("select count(*) from pg_stat_activity where application_name = 'signalled' and state = 'active'"),
            "0")
      << arguments;
}

TEST_F(Command, CancelsTheQueryOnTheServerWhenItIsInterrupted) {
  psql("create or replace view v_asleep as select jsonb_build_object('id', 1) as data where pg_sleep(600) is not null");
  for (const char* signal : {"INT", "TERM"}) {
    expect_cancelled("--sql 'select pg_sleep(600)::text'", signal);
    expect_cancelled("v_asleep --parallel 2 --split hash:id", signal);
    // While it waits for an answer before the first task:
    expect_cancelled("v_asleep --parallel 2 --split key:id", signal);
    expect_cancelled("v_asleep --parallel 2 --split key:id --explain", signal);
  }
}

TEST_F(Command, TellsThatTheOutputCannotBeWritten) {
  const finished end = run("$SLUICE doc >/dev/full");
  EXPECT_EQ(end.status, 1);
  EXPECT_NE(end.err.find("sluice: output: "), std::string::npos) << end.err;
}

TEST_F(Command, ReadsOverSeveralConnections) {
  const std::string sorted = " --format raw | sort -n";
  psql(
      "drop table if exists par_cmd; create table par_cmd (data jsonb);"
      "insert into par_cmd select to_jsonb(n) from generate_series(1, 20000) n");
  const finished one = run("$SLUICE par_cmd" + sorted);
  EXPECT_EQ(run("$SLUICE par_cmd --parallel 3 --mode bulk" + sorted).out, one.out);
  const finished end = run("$SLUICE par_cmd --parallel 2 --split hash:x --count --stats --progress");
  EXPECT_EQ(end.out.substr(0, 14), "{\"rows\":20000,");
  EXPECT_NE(end.err.find("100 %"), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("\"connections\":2"), std::string::npos) << end.err;
  psql("create or replace view v_par_cmd as select jsonb_build_object('k', 1, 'id', data) as data from par_cmd");
  EXPECT_EQ(run("$SLUICE v_par_cmd --parallel 3 --split key:id --order-by id:int:desc --count").out.substr(0, 14),
            "{\"rows\":20000,");
  const std::string by_pages = run("$SLUICE par_cmd --parallel 2 --explain").out;
  EXPECT_TRUE(by_pages.starts_with("in parallel: by ctid, ")) << by_pages;
  EXPECT_NE(by_pages.find("on 2 connections"), std::string::npos) << by_pages;
  EXPECT_NE(by_pages.find("select \"data\" from \"par_cmd\" where ((ctid operator(pg_catalog.>=) $1"),
            std::string::npos)
      << by_pages;
  EXPECT_EQ(run("$SLUICE v_par_cmd --parallel 2 --explain").out,
            "not in parallel: only tables have pages: divide by a key or by a hash\n"
            "a field to divide by may be: key:id\n");
  expect_failure("$SLUICE par_cmd --parallel 2 --limit 5", 2, "sluice: usage: in parallel: LIMIT");
  expect_failure("$SLUICE par_cmd --split key:id", 2, "sluice: usage: --split is for --parallel");
  expect_failure("$SLUICE par_cmd --parallel 2 --split key", 2,
                 "sluice: usage: --split: expected ':' and a field\n  key\n     ^\n");
  expect_failure("$SLUICE --sql 'select 1' --parallel 2", 2, "sluice: usage: --parallel divides relations");
}

TEST_F(Command, LeavesNoConnectionBehindWhenItIsKilled) {
  psql(
      "drop table if exists par_kill; create table par_kill (data jsonb);"
      "insert into par_kill select to_jsonb(repeat('x', 1000)) from generate_series(1, 50000) n");
  const auto wait_for = [](const std::string& connections) {
    wait_until(connections + " = (select count(*) from pg_stat_activity where application_name = 'par_killed')");
  };
  const temporary_folder folder;
  std::thread killer{[&] {
    wait_for("3");
    (void)shell("kill -9 $(cat " + folder.path("pid") + ")");
  }};
  // The reader takes nothing, so that the command cannot finish early.
  (void)run("export PGAPPNAME=par_killed; mkfifo " + folder.path("out") + "; exec 3<>" + folder.path("out") +
            "; $SLUICE par_kill --parallel 3 >&3 & echo $! >" + folder.path("pid") + "; wait");
  killer.join();
  wait_for("0");
}

/// The manual and the completions name every option that the help names.
TEST_F(Command, IsDocumentedAsAWhole) {
  const std::string tools = SLUICE_SOURCE "/tools/";
  const finished options = run("$SLUICE --help | grep -oE -e '--[a-z-]+' | sort -u");
  std::istringstream all{options.out};
  int count = 0;
  for (std::string option; std::getline(all, option); ++count) {
    const std::string name = option.substr(2);
    EXPECT_EQ(run("grep -q -e '" + option + "' " + tools + "sluice.bash").status, 0) << option;
    EXPECT_EQ(run("grep -q -e '" + option + "[^a-z-]' " + tools + "_sluice").status, 0) << option;
    EXPECT_EQ(run("grep -qE -e ' -l " + name + "( |$)' " + tools + "sluice.fish").status, 0) << option;
    EXPECT_EQ(run("grep -qE -e 'Fl -" + name + "( |$)' " + tools + "sluice.1").status, 0) << option;
  }
  EXPECT_GT(count, 35);
  const finished letters =
      run("$SLUICE --help | grep -oE '(^|[ (])-[a-zA-Z], --[a-z-]+' | sed -E 's/^[ (]*-//; s/, --/ /' | sort -u");
  std::istringstream each{letters.out};
  std::string letter;
  std::string name;
  for (count = 0; each >> letter >> name; ++count) {
    EXPECT_EQ(run("grep -qE -e ' -s " + letter + " -l " + name + "( |$)' " + tools + "sluice.fish").status, 0) << name;
    EXPECT_EQ(run("grep -qF -e '{-" + letter + ",--" + name + "}' " + tools + "_sluice").status, 0) << name;
    EXPECT_EQ(run("grep -qE -e 'Fl " + letter + " , Fl -" + name + "( |$)' " + tools + "sluice.1").status, 0) << name;
  }
  EXPECT_EQ(count, 7) << letters.out;
  const auto completed = [&](const std::string& line, int word) {
    return run("source " + tools + "sluice.bash; COMP_WORDS=(" + line + "); COMP_CWORD=" + std::to_string(word) +
               "; _sluice; echo ${COMPREPLY[*]}")
        .out;
  };
  EXPECT_EQ(completed("sluice --form", 1), "--format\n");
  EXPECT_EQ(completed("sluice --mode p", 2), "plain paged\n");
  EXPECT_EQ(completed("sluice --split h", 2), "hash:\n");
}

TEST_F(Command, HelpsOnOneScreen) {
  const finished end = run("$SLUICE --help");
  EXPECT_EQ(end.status, 0);
  EXPECT_LE(std::count(end.out.begin(), end.out.end(), '\n'), 24);
  std::istringstream lines{end.out};
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_EQ(run("$SLUICE --version").out.substr(0, 7), "sluice ");
}

}  // namespace
}  // namespace command_test
