// Changes with the command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "followed.hpp"
#include "shell.hpp"
#include "temporary_folder.hpp"

namespace command_follow_test {
namespace {

using namespace sluice::test;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

finished follow(const std::string& what, const std::string& options) {
  return shell(SLUICE_COMMAND " -d '" + dsn() + "' --follow " + what + " --slot " + what + " " + options);
}
/// The lines without what differs from run to run.
std::string shape_of(const std::string& lines) {
  return shell("sed -E 's/\"(lsn|xid|at)\":(\"[^\"]*\"|[0-9]+),?//g' <<'E'\n" + lines + "E\n").out;
}

TEST(CommandFollow, ResumesWhereItsStateIs) {
  const published here{"resumed"};
  const temporary_folder folder;
  const std::string state = " --until now --state " + folder.path() + "/state";
  here.run("insert into t values (1, 'a')");
  finished done = follow("resumed", "--create-slot permanent --snapshot --parallel 2" + state);
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(shape_of(done.out),
            "{\"op\":\"snapshot\",\"table\":\"resumed.t\",\"index\":1,\"new\":{\"id\":1,\"v\":\"a\"}}\n");
  here.run(
      "update t set id = 2; select pg_logical_emit_message(true, 'p', e'\\\\x00ff'::bytea);"
      "select pg_logical_emit_message(true, 'q', 'a\"b')");
  done = follow("resumed", state);
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(
      shape_of(done.out),
      "{\"op\":\"update\",\"table\":\"resumed.t\",\"index\":2,\"key\":{\"id\":1},\"new\":{\"id\":2,\"v\":\"a\"}}\n"
      "{\"op\":\"message\",\"index\":3,\"prefix\":\"p\",\"content\":\"\\\\x00ff\"}\n"
      "{\"op\":\"message\",\"index\":4,\"prefix\":\"q\",\"content\":\"a\\\"b\"}\n");
  done = follow("resumed", state);
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.out, "");
  EXPECT_THAT(shell("cat " + folder.path() + "/state").out, MatchesRegex("[0-9A-F]+/[0-9A-F]+\n"));
}

TEST(CommandFollow, EndsWhenItsReaderDoes) {
  const published here{"read_partly"};
  {
    const sluice::blocking_change_stream changes{dsn(), here.kept()};
  }
  here.run("insert into t select n, repeat('x', 1000) from generate_series(1, 2000) n");
  const finished done =
      shell("set -o pipefail; " SLUICE_COMMAND " -d '" + dsn() + "' --follow read_partly --slot read_partly | head -1");
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(done.out, StartsWith("{\"op\":\"insert\""));
}

TEST(CommandFollow, EndsWithASignal) {
  const published here{"with_a_signal"};
  const temporary_folder folder;
  const std::string out = folder.path("out");
  const finished done = shell(
      "set -m; " SLUICE_COMMAND " -d '" + dsn() +
      "' --follow with_a_signal --slot with_a_signal --create-slot temporary >" + out +
      " & psql -Xqc \"do 'begin loop perform pg_stat_clear_snapshot(); exit when exists (select from pg_stat_activity "
      "where query like ''START_REPLICATION%with_a_signal%''); perform pg_sleep(0.01); end loop; end'\" -c \"insert "
      "into "
      "with_a_signal.t values (1)\"; until [ -s " +
      out + " ]; do sleep 0.02; done; kill -INT %1; wait %1");
  EXPECT_EQ(done.status, 130);
  EXPECT_THAT(done.err, StartsWith("sluice: cancelled:"));
}

TEST(CommandFollow, WritesOnlyRowsForWhichAConditionHolds) {
  const published here{"written_only"};
  here.run("insert into t values (1, 'a'), (2, 'b')");
  const finished done =
      follow("written_only", "--create-slot temporary --snapshot --until now --where \"v = 'b' and id > 0\"");
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(shape_of(done.out),
            "{\"op\":\"snapshot\",\"table\":\"written_only.t\",\"index\":2,\"new\":{\"id\":2,\"v\":\"b\"}}\n");
  const finished refused = follow("written_only", "--create-slot temporary --where \"v ~ 'b'\"");
  EXPECT_EQ(refused.status, 2) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("only the server can evaluate"));
}

TEST(CommandFollow, SaysWhatIsWrong) {
  const published here{"wrong_use"};
  const temporary_folder folder;
  EXPECT_THAT(shell(SLUICE_COMMAND " --follow x").err, HasSubstr("needs --slot"));
  EXPECT_THAT(shell(SLUICE_COMMAND " --slot x t").err, HasSubstr("for --follow"));
  EXPECT_THAT(follow("wrong_use", "--sql 'select 1'").err, HasSubstr("--sql is not for --follow"));
  EXPECT_THAT(follow("wrong_use", "--parallel 2").err, HasSubstr("--parallel reads the rows of --snapshot"));
  EXPECT_THAT(follow("wrong_use", "--until never").err, HasSubstr("not now, and not a position"));
  finished done = follow("wrong_use", "--until now");
  EXPECT_EQ(done.status, 7);
  EXPECT_THAT(done.err, HasSubstr("does not exist"));
  const std::string odd = folder.path() + "/odd";
  done = shell("echo odd > " + odd + "; " SLUICE_COMMAND " -d '" + dsn() +
               "' --follow wrong_use --slot wrong_use --state " + odd);
  EXPECT_EQ(done.status, 2);
  EXPECT_THAT(done.err, HasSubstr("does not have a position in it"));
}

}  // namespace
}  // namespace command_follow_test
