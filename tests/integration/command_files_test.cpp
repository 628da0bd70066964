// The command with the letters of psql: where it connects, SQL from files, rows into files, progress in logs.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cluster.hpp"
#include "pseudo_terminal.hpp"
#include "shell.hpp"
#include "temporary_folder.hpp"

namespace command_files_test {
namespace {

using namespace sluice::test;

const std::string command{"SLUICE=" SLUICE_COMMAND "; "};

finished run(const std::string& line) { return shell(command + line); }

std::string content(const std::string& file) { return shell("cat " + file).out; }

class CommandFiles : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(
        "drop table if exists filed; create table filed (data jsonb);"
        "insert into filed select jsonb_build_object('n', n) from generate_series(1, 3) n");
  }
  [[nodiscard]] std::string path(std::string_view name) const { return folder_.path(name); }

  temporary_folder folder_;
  const std::string rows_{"{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n"};
};

/// As psql does with the same words.
TEST_F(CommandFiles, ConnectAsPsqlDoes) {
  const std::string sql = "\"select current_user || ' ' || current_database() || ' ' || (inet_server_addr() is null)\"";
  const std::string port = cluster_value("SLUICE_TEST_PORT");
  psql("drop database if exists \"Odd name\"");
  psql("create database \"Odd name\"");
  for (const std::string& words : std::vector<std::string>{
           "", "-h 127.0.0.1 -p " + port, "-U trust_user -h127.0.0.1", "-d postgres", "-d 'Odd name'",
           "--host=127.0.0.1 -d 'dbname=postgres user=trust_user'", "-h nowhere.invalid,127.0.0.1 -p " + port,
           "-h '' -U ''", "-h $PGHOST -d 'user=sluice'"}) {
    const finished ours = run("$SLUICE " + words + " --format tsv -c " + sql + " | tail -n +2");
    const finished theirs = shell("psql -XAt " + words + " -c " + sql);
    EXPECT_EQ(ours.out, theirs.out) << words << ours.err;
    EXPECT_NE(ours.out, "") << words << theirs.err;
  }
  psql("drop database \"Odd name\"");
}

TEST_F(CommandFiles, TakeThePasswordOfTheHostThatTheLineNames) {
  const std::string passwords = folder_.write("passwords", "localhost:*:*:*:wrong\n127.0.0.1:*:*:scram_user:secret\n");
  const std::string line = "PGPASSFILE=" + passwords + " PGHOST=localhost $SLUICE -U scram_user -c 'select 1 as a' ";
  EXPECT_EQ(run(line + "-h 127.0.0.1").out, "{\"a\":1}\n");
  EXPECT_EQ(run(line).status, 4);
}

TEST_F(CommandFiles, SayWhatALoneLetterMeans) {
  const finished alone = run("$SLUICE -h");
  EXPECT_EQ(alone.status, 2);
  EXPECT_EQ(alone.err, "sluice: usage: -h is --host, and needs a value: --help shows the options\n");
  EXPECT_EQ(run("$SLUICE '-?'").out, run("$SLUICE --help").out);
  EXPECT_EQ(run("$SLUICE filed --fromat csv").err, "sluice: usage: unknown option --fromat: did you mean --format?\n");
  EXPECT_EQ(run("$SLUICE filed -d postgresql:// -p 1").status, 2);
  EXPECT_EQ(run("$SLUICE filed -d host=a -h b").status, 2);
  const finished port = run("$SLUICE filed -p x");
  EXPECT_EQ(port.status, 2);
  EXPECT_EQ(port.err, "sluice: usage: --port must list port numbers from 1 to 65535\n");
}

TEST_F(CommandFiles, HoldSql) {
  const std::string file =
      folder_.write("q.sql", "-- a comment\nselect n, $1::int as m\nfrom generate_series(1, 2) n;\n");
  const std::string expected = "{\"n\":1,\"m\":7}\n{\"n\":2,\"m\":7}\n";
  EXPECT_EQ(run("$SLUICE -f " + file + " --param 7").out, expected);
  EXPECT_EQ(run("$SLUICE --file - --param 7 <" + file).out, expected);
  EXPECT_EQ(run("cat " + file + " | $SLUICE -f- --param 7 --mode bulk").out, expected);
  const finished wrong = run("$SLUICE -f <(printf 'select 1\\nfrom nowhere')");
  EXPECT_NE(wrong.err.find("LINE 2: from nowhere"), std::string::npos) << wrong.err;
}

TEST_F(CommandFiles, ThatCannotBeReadAreAUsageError) {
  const auto refusal = [&](const std::string& words) {
    const finished end = run("$SLUICE " + words);
    EXPECT_EQ(end.status, 2) << words;
    EXPECT_EQ(end.out, "");
    return end.err;
  };
  EXPECT_EQ(refusal("-f " + path("none")),
            "sluice: usage: --file: '" + path("none") + "': No such file or directory\n");
  EXPECT_EQ(refusal("-f /"), "sluice: usage: --file: '/': Is a directory\n");
  EXPECT_EQ(refusal("-f - </dev/null"), "sluice: usage: --file is empty: give a statement that returns rows\n");
  EXPECT_EQ(refusal("-f - <&-"), "sluice: usage: --file is empty: give a statement that returns rows\n");
  EXPECT_EQ(refusal("-f x --sql 'select 1'"), "sluice: usage: give --sql or --file, not both\n");
}

TEST_F(CommandFiles, TakeTheRows) {
  const std::string file = folder_.write("rows", "what was there before, which is longer than the rows are\n\n");
  const finished end = run("$SLUICE filed -o " + file);
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out + end.err, "");
  EXPECT_EQ(content(file), rows_);
  (void)run("umask 027; $SLUICE filed --count --output=" + path("count"));
  EXPECT_EQ(content(path("count")), "{\"rows\":3,\"bytes\":24}\n");
  EXPECT_EQ(shell("stat -c %a " + path("count")).out, "640\n") << "as by the shell's >";
  EXPECT_EQ(run("$SLUICE filed --explain -o " + path("sql")).out, "");
  EXPECT_NE(content(path("sql")), "");
  EXPECT_EQ(run("$SLUICE filed -o -").out, rows_);
  EXPECT_EQ(run("$SLUICE filed -o " + path("closed") + " >&-").status, 0) << "no standard output is needed";
  EXPECT_EQ(content(path("closed")), rows_);
  (void)run("$SLUICE filed --parallel 2 -o " + path("many"));
  EXPECT_EQ(shell("sort " + path("many")).out, rows_);
}

TEST_F(CommandFiles, AreNoTerminal) {
  psql("create or replace view filed_odd as select jsonb_build_object('a', U&'\\009b') as data");
  const shown plain = on_terminal(command + "$SLUICE filed_odd -o " + path("odd") + "; echo $?");
  EXPECT_NE(plain.text.find("0\n"), std::string::npos) << plain.text;
  EXPECT_EQ(content(path("odd")), "{\"a\": \"\xc2\x9b\"}\n") << "as it is";
  const shown refused = on_terminal(command + "$SLUICE filed --format arrow");
  EXPECT_EQ(refused.status, 2) << refused.text;
  const shown arrow = on_terminal(command + "$SLUICE filed --format arrow -o " + path("arrow"));
  EXPECT_EQ(arrow.status, 0) << arrow.text;
  EXPECT_EQ(content(path("arrow")), run("$SLUICE filed --format arrow").out);
}

TEST_F(CommandFiles, ThatCannotBeWrittenExitWithOne) {
  for (const std::string& file : {std::string{"/dev/full"}, path("no/such/folder"), folder_.path()}) {
    const finished end = run("$SLUICE filed -o " + file);
    EXPECT_EQ(end.status, 1) << file;
    EXPECT_EQ(end.err.substr(0, 16 + file.size() + 4), "sluice: output: '" + file + "': ") << end.err;
  }
  const finished usage = run("$SLUICE filed --bogus -o " + path("untouched") + "; test ! -e " + path("untouched"));
  EXPECT_EQ(usage.status, 0) << "a wrong line empties no file";
  const finished late = run("$SLUICE -c 'select 1 / (3 - n) as a from generate_series(1, 5) n' -o " + path("late"));
  EXPECT_EQ(late.status, 7);
  EXPECT_EQ(content(path("late")), "{\"a\":0}\n{\"a\":1}\n") << "rows before an error stay whole";
}

TEST_F(CommandFiles, ShowProgressInLines) {
  const finished end = run("$SLUICE filed --progress >/dev/null");
  EXPECT_EQ(end.err.find('\r'), std::string::npos) << end.err;
  EXPECT_EQ(std::count(end.err.begin(), end.err.end(), '\n'), 1) << end.err;
  EXPECT_NE(end.err.find("3 rows"), std::string::npos) << end.err;
  EXPECT_EQ(run("$SLUICE filed >/dev/null").err, "") << "only when it is asked for";
  // Rows over more than two seconds: at least one line before the last.
  const finished slow = run("$SLUICE --progress -c 'select pg_sleep(0.2), n from generate_series(1, 14) n' | wc -l");
  EXPECT_EQ(slow.err.find('\r'), std::string::npos) << slow.err;
  EXPECT_GE(std::count(slow.err.begin(), slow.err.end(), '\n'), 2) << slow.err;
  EXPECT_EQ(slow.out, "14\n");
  const shown terminal = on_terminal(command + "$SLUICE --progress -o /dev/null filed");
  EXPECT_EQ(terminal.text.back(), '\n') << terminal.text;
}

/// The keys of the JSON object on the last line.
std::string keys_of(const std::string& text) {
  return shell("python3 -c 'import json, sys; print(*json.loads(sys.stdin.read().strip().splitlines()[-1]))' <<'E'\n" +
               text + "\nE\n")
      .out;
}

TEST_F(CommandFiles, TellStatisticsWithTheSameKeysInEveryMode) {
  const std::string plain = keys_of(run("$SLUICE filed --stats").err);
  EXPECT_EQ(plain,
            "rows bytes chunks reads ttfr_us elapsed_us connect_us buffer_peak_bytes server_wait_us consumer_us mode "
            "pages connections done planned tls server_version\n");
  for (const char* words : {"--mode paged", "--mode bulk", "--parallel 2", "--parallel 2 --mode bulk", "--format arrow",
                            "--format csv", "--count", "--format arrow --parallel 2", "--where 'n > 9'"}) {
    const finished end = run("$SLUICE filed --stats " + std::string{words} + " >/dev/null");
    EXPECT_EQ(keys_of(end.err), plain) << words << end.err;
  }
  const finished part =
      run("coproc $SLUICE filed --partitions 1; read -r one <&${COPROC[0]}; "
          "$SLUICE --partition \"$one\" --stats >/dev/null; exec {COPROC[1]}>&-; wait");
  EXPECT_EQ(keys_of(part.err), plain) << part.err;
  const std::string none = run("$SLUICE filed --stats --where 'n > 9'").err;
  EXPECT_NE(none.find("\"ttfr_us\":"), std::string::npos) << none;
  // Every key is in the manual.
  std::istringstream keys{plain};
  for (std::string key; keys >> key;)
    EXPECT_EQ(run("sed -n '/^.Sh STATISTICS/,/^.Sh ENV/p' " SLUICE_SOURCE "/tools/sluice.1 | grep -qw " + key).status,
              0)
        << key;
}

/// Every operator, function and keyword of --where that the parser knows.
TEST_F(CommandFiles, AreFilteredByWhatTheManualNames) {
  const finished words =
      run("sed -nE 's/.*(\\{|called == |take_word\\(|take_symbol\\()\"([^\"]{2,})\".*/\\2/p' " SLUICE_SOURCE
          "/tools/where.cpp | sort -u");
  std::istringstream all{words.out};
  int count = 0;
  for (std::string word; std::getline(all, word); ++count)
    EXPECT_EQ(run("sed -n '/^.Sh FILTERS/,/^.Sh STAT/p' " SLUICE_SOURCE "/tools/sluice.1 | grep -qF -e '" + word + "'")
                  .status,
              0)
        << word;
  EXPECT_GT(count, 40) << words.out;
}

}  // namespace
}  // namespace command_files_test
