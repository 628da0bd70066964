// Loading documents with the command.
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "cluster.hpp"
#include "shell.hpp"
#include "temporary_folder.hpp"

namespace command_load_test {
namespace {

using namespace sluice::test;

finished run(const std::string& line) { return shell("SLUICE=" SLUICE_COMMAND "; " + line); }

/// A table `loaded` with a column of this type, anew for each test.
void make(const std::string& type) { psql("drop table if exists loaded; create table loaded (data " + type + ")"); }
std::string stored() { return psql("select count(*) || ' ' || coalesce(max(data::text), '') from loaded"); }

TEST(CommandLoad, IsTheReverseOfReading) {
  for (const char* const type : {"jsonb", "json"}) {
    make(type);
    const finished copied =
        run("$SLUICE --sql \"select json_build_object('n', n, 't', repeat('x', n % 500)) from generate_series(1, "
            "20000) n\" "
            "| tee /dev/stderr | $SLUICE --load loaded --count; $SLUICE loaded | md5sum");
    EXPECT_EQ(copied.status, 0);
    const std::string as_it_was = shell("md5sum <<'E'\n" + copied.err + "E\n").out;
    if (std::string{type} == "json") {
      EXPECT_NE(copied.out.find(as_it_was), std::string::npos) << copied.out;
    }
    EXPECT_EQ(copied.out.substr(0, 14), "{\"rows\":20000,") << copied.out;
    EXPECT_EQ(psql("select count(*) from loaded where data->>'n' is not null"), "20000");
  }
}

TEST(CommandLoad, TakesALastLineWithoutAnEndAndLinesThatEndAsOnWindows) {
  make("jsonb");
  const finished done = run("printf '1\\r\\n2\\r\\n[3]' | $SLUICE --load loaded --count");
  EXPECT_EQ(done.out, "{\"rows\":3,\"bytes\":5,\"skipped\":0}\n");
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(stored(), "3 [3]");
  EXPECT_EQ(run("$SLUICE --load loaded </dev/null").status, 0);
}

TEST(CommandLoad, LeavesOutTheByteOrderMarkOfAFile) {
  make("json");
  const finished done = run("printf '\\xef\\xbb\\xbf{}\\n[3]\\n' | $SLUICE --load loaded --count");
  EXPECT_EQ(done.out, "{\"rows\":2,\"bytes\":5,\"skipped\":0}\n") << done.err;
  EXPECT_EQ(run("printf '1\\n\\xef\\xbb\\xbf2\\n' | $SLUICE --load loaded").status, 7);
  EXPECT_EQ(psql("select string_agg(data::text, ' ') from loaded"), "{} [3]");
}

/// What was read before is not stored either.
TEST(CommandLoad, StoresNothingAfterItsDeadline) {
  make("jsonb");
  const finished done = run("(echo 1; sleep 0.3) | $SLUICE --load loaded --timeout 100ms");
  EXPECT_EQ(done.status, 10) << done.err;
  EXPECT_EQ(stored(), "0 ");
}

TEST(CommandLoad, StopsAtALineThatIsNotJson) {
  make("jsonb");
  const std::string input = "printf '{\"a\":1}\\n{\"a\":}\\n{\"a\":2}\\n' | ";
  const finished by_server = run(input + "$SLUICE --load loaded");
  EXPECT_EQ(by_server.status, 7);
  EXPECT_NE(by_server.err.find("COPY loaded, line 2, column data"), std::string::npos) << by_server.err;
  const finished here = run(input + "$SLUICE --load loaded --validate");
  EXPECT_EQ(here.status, 8);
  EXPECT_NE(here.err.find("line 2 is not JSON: "), std::string::npos) << here.err;
  EXPECT_EQ(stored(), "0 ");
  const finished empty = run("printf '1\\n\\n2\\n' | $SLUICE --load loaded");
  EXPECT_EQ(empty.status, 8);
  EXPECT_NE(empty.err.find("line 2 is empty"), std::string::npos) << empty.err;
}

TEST(CommandLoad, SkipsLinesThatAreNotJsonWhenAsked) {
  make("jsonb");
  const finished done =
      run("printf '{\"a\":1}\\nx\\n\\n{\"a\":2}\\n\\xff\\n' | $SLUICE --load loaded --on-error skip --count");
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.out, "{\"rows\":2,\"bytes\":14,\"skipped\":3}\n");
  EXPECT_NE(done.err.find("skipped: line 2 is not JSON"), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("skipped: line 3 is empty"), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("skipped: line 5 is not JSON: it is not UTF-8"), std::string::npos) << done.err;
  EXPECT_EQ(stored(), "2 {\"a\": 2}");
}

/// What is JSON, but not for the server, ends it all; the line that it names is one of those that were sent.
TEST(CommandLoad, SaysThatTheServerDoesNotCountSkippedLines) {
  make("jsonb");
  const finished done = run("printf 'x\\n{}\\n\"\\\\u0000\"\\n' | $SLUICE --load loaded --on-error skip");
  EXPECT_EQ(done.status, 7) << done.err;
  EXPECT_NE(done.err.find("COPY loaded, line 2"), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("leave out the 1 skipped lines"), std::string::npos) << done.err;
  EXPECT_EQ(stored(), "0 ");
}

TEST(CommandLoad, HasALongestLine) {
  make("jsonb");
  const finished done = run("printf '1\\n\"%01000d\"\\n' 0 | $SLUICE --load loaded --max-row 500");
  EXPECT_EQ(done.status, 9);
  EXPECT_NE(done.err.find("line 2 is longer than 500 bytes"), std::string::npos) << done.err;
  EXPECT_EQ(stored(), "0 ");
}

TEST(CommandLoad, SaysWhatIsWrongWithItsTarget) {
  make("jsonb");
  EXPECT_EQ(run("echo 1 | $SLUICE --load nowhere").status, 7);
  const finished column = run("echo 1 | $SLUICE --load loaded --column other");
  EXPECT_EQ(column.status, 2);
  EXPECT_NE(column.err.find("has no column \"other\""), std::string::npos) << column.err;
  EXPECT_EQ(run("echo 1 | $SLUICE --load loaded events").status, 2);
  EXPECT_EQ(run("echo 1 | $SLUICE --load loaded --sql 'select 1'").status, 2);
  EXPECT_EQ(run("echo 1 | $SLUICE --load ''").status, 2);
  EXPECT_EQ(run("$SLUICE loaded --on-error skip").status, 2);
  EXPECT_EQ(run("echo 1 | $SLUICE --load loaded --on-error ignore").status, 2);
}

TEST(CommandLoad, StoresNothingWhenItIsInterrupted) {
  make("jsonb");
  const temporary_folder folder;
  const std::string pipe = folder.path("pipe");
  const std::string under_way =
      "select from pg_stat_activity where query like 'copy%loaded%' and pid <> pg_backend_pid()";
  const finished done = run("mkfifo " + pipe + "; $SLUICE --load loaded <" + pipe + " & p=$!; exec 9>" + pipe +
                            "; echo 1 >&9; psql -qc \"do ' begin while not exists (" +
                            std::regex_replace(under_way, std::regex{"'"}, "''") +
                            ") loop perform pg_sleep(0.01); perform pg_stat_clear_snapshot(); end loop; end '\"; "
                            "kill -TERM $p; wait $p; echo $?");
  EXPECT_EQ(done.out, "130\n") << done.err;
  EXPECT_EQ(stored(), "0 ");
}

}  // namespace
}  // namespace command_load_test
