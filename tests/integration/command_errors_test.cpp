// What the command writes to standard error about errors and warnings, compared with psql.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "../fault/script.hpp"
#include "cluster.hpp"
#include "shell.hpp"

namespace command_errors_test {
namespace {

using namespace sluice::test;

finished run(const std::string& line) { return shell("SLUICE=" SLUICE_COMMAND "; " + line); }

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

/// The line "LINE 1: ..." and the one with its caret.
std::string place(const std::string& text) {
  const std::vector<std::string> all = lines(text);
  const auto at = std::ranges::find_if(all, [](const std::string& line) { return line.starts_with("LINE "); });
  return at == all.end() || at + 1 == all.end() ? "none" : *at + "\n" + *(at + 1);
}

class CommandErrors : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(R"(drop table if exists errdoc cascade; create table errdoc (data jsonb, n int);
            insert into errdoc values ('{"a": 1}', 1);
            create or replace view errview as select n as other from errdoc;
            create or replace function err_inner() returns int language plpgsql as
              'begin return (select nam from pg_class); end';
            create or replace function err_detail() returns int language plpgsql as
              'begin raise exception ''told'' using detail = ''the detail'', hint = ''the hint'', errcode = ''P0042''; end';
            create or replace function err_notice() returns int language plpgsql as
              'begin raise notice ''first'' using hint = ''do this''; raise warning E''second\nline''; return 1; end';)");
  }
};

TEST_F(CommandErrors, PointAtThePlaceAsPsqlDoes) {
  for (const std::string& sql :
       {std::string{"select nam from pg_class"}, std::string{"selec 1"}, std::string{"select 1 from no_such"},
        std::string{"select 1,\n  nam\nfrom pg_class"}, std::string{"select '\xc3\xa4\xc3\xb6', nam from pg_class"},
        std::string{"select\t1,\tnam from pg_class"}, std::string{"select 1 +"}, std::string{"select no_such(1)"},
        std::string{"select $q$x"}, std::string{"select 'x'::int"}, std::string{"select 1; select nam"}}) {
    const std::string word = "\"$(cat <<'SQL'\n" + sql + "\nSQL\n)\"";
    const finished ours = run("$SLUICE --sql " + word);
    EXPECT_EQ(ours.status, 7) << ours.err;
    if (sql.find(';') != std::string::npos) continue;  // psql uses the simple protocol for it
    EXPECT_EQ(place(ours.err), place(shell("psql -X -c " + word).err)) << sql;
  }
}

TEST_F(CommandErrors, PointIntoTheQueryOfAFunction) {
  const finished end = run("$SLUICE --sql 'select err_inner()'");
  EXPECT_EQ(place(end.err), place(shell("psql -X -c 'select err_inner()'").err));
  EXPECT_NE(end.err.find("\nCONTEXT: PL/pgSQL function err_inner()"), std::string::npos) << end.err;
}

TEST_F(CommandErrors, SayAllThatTheServerSays) {
  const finished end = run("$SLUICE --sql 'select err_detail()'");
  EXPECT_EQ(end.status, 7);
  EXPECT_EQ(lines(end.err).size(), 4U) << end.err;
  EXPECT_TRUE(end.err.starts_with("sluice: sql: told (")) << end.err;
  EXPECT_NE(end.err.find(" [P0042]\nDETAIL: the detail\nHINT: the hint\nCONTEXT: PL/pgSQL function err_detail()"),
            std::string::npos)
      << end.err;
  EXPECT_NE(run("$SLUICE -d dbname=nowhere errdoc").err.find("[3D000]\n"), std::string::npos) << "while logging in";
}

TEST_F(CommandErrors, NoticesGoToStandardErrorAsTheyCome) {
  const finished end = run("$SLUICE --sql 'select err_notice() as v'");
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.out, "{\"v\":1}\n");
  EXPECT_EQ(end.err, "NOTICE: first\nHINT: do this\nWARNING: second\n  line\n");
  EXPECT_EQ(run("PGOPTIONS='-c client_min_messages=error' $SLUICE --sql 'select err_notice() as v'").err, "");
  // The second notice is shown while the query still runs.
  const temporary_folder folder;
  const std::string pipe = folder.path("pipe");
  const finished slow =
      run("mkfifo " + pipe + "; $SLUICE --sql 'select err_notice(), pg_sleep(600)' 2>" + pipe +
          " & p=$!; while read -r line; do case $line in WARNING:*) kill $p;; esac; done <" + pipe + "; wait $p");
  EXPECT_EQ(slow.status, 130) << slow.err;
}

TEST_F(CommandErrors, NoticesOfEveryConnectionAreShown) {
  psql("create or replace view err_notices as select jsonb_build_object('v', err_notice()) as data");
  const finished end = run("$SLUICE err_notices --parallel 2 --split hash:v");
  EXPECT_EQ(end.out, "{\"v\": 1}\n");
  EXPECT_NE(end.err.find("NOTICE: first\n"), std::string::npos) << end.err;
  const listener server{{[](server_end client) {
    (void)client.receive();
    client.send(backend{}
                    .authentication_ok()
                    .notice("at login", "01000", "WARNING")
                    .backend_key_data(1, "key!")
                    .ready_for_query()
                    .bytes);
    (void)client.receive();
    client.send(rows(1).command_complete("SELECT 1").ready_for_query().bytes);
    client.receive_all();
  }}};
  const finished login = run("$SLUICE t -d '" + server.dsn() + "'");
  EXPECT_EQ(login.out, "{}\n");
  EXPECT_EQ(login.err, "WARNING: at login\n");
}

TEST_F(CommandErrors, SayWhatToDoAboutARelationWithoutDocuments) {
  for (const char* source :
       {"errview", "'public.errview'", "errview --mode bulk", "errview --parallel 2 --split hash:other"}) {
    EXPECT_EQ(run(std::string{"$SLUICE "} + source).status, 0) << "it is read by its columns";
    const finished end = run(std::string{"$SLUICE --column document "} + source);
    EXPECT_EQ(end.status, 7) << end.err;
    EXPECT_EQ(end.out, "");
    EXPECT_NE(end.err.find("[42703]"), std::string::npos) << end.err;
    EXPECT_NE(end.err.find("\nHINT: documents are read from the column 'document', because --column says so"),
              std::string::npos)
        << end.err;
  }
  EXPECT_EQ(run("$SLUICE errdoc --where 'column(nix) = 1'").err.find("documents are read"), std::string::npos)
      << "another column";
  EXPECT_EQ(run("$SLUICE --sql 'select data from errview'").err.find("documents are read"), std::string::npos);
}

TEST_F(CommandErrors, TellMissingAndForbiddenRelations) {
  EXPECT_EQ(place(run("$SLUICE no_such").err),
            "LINE 1: select \"data\" from \"no_such\"\n" + std::string(27, ' ') + "^");
  EXPECT_TRUE(run("$SLUICE no_schema.t").err.starts_with("sluice: sql: relation \"no_schema.t\" does not exist"));
  const finished denied = run("$SLUICE errdoc -d \"host=127.0.0.1 user=trust_user\"");
  EXPECT_EQ(denied.status, 7);
  EXPECT_TRUE(denied.err.starts_with("sluice: sql: permission denied for table errdoc")) << denied.err;
  EXPECT_NE(denied.err.find("[42501]"), std::string::npos) << denied.err;
}

TEST_F(CommandErrors, SpeakOfTheSqlThatIsEmpty) {
  for (const char* sql : {"''", "' '", "';'", "$'\\n;'"}) {
    const finished end = run(std::string{"$SLUICE --sql "} + sql);
    EXPECT_EQ(end.status, 2);
    EXPECT_EQ(end.err, "sluice: usage: --sql is empty: give a statement that returns rows\n");
  }
  const finished comment = run("$SLUICE --sql '-- nothing'");
  EXPECT_EQ(comment.out, "");
  EXPECT_EQ(comment.err.find("relation"), std::string::npos) << comment.err;
}

TEST_F(CommandErrors, OfALargeRowSayTheLimitAndHowToRaiseIt) {
  for (const char* mode : {"plain", "paged", "bulk"}) {
    const finished end = run("$SLUICE --mode " + std::string{mode} +
                             " --sql \"select to_json(repeat('x', 100000)) as data\" --max-row 5000");
    EXPECT_EQ(end.status, 9) << end.err;
    EXPECT_NE(end.err.find("raise the row limit (5000 bytes)"), std::string::npos) << mode << end.err;
    EXPECT_NE(end.err.find("\nHINT: --max-row"), std::string::npos) << end.err;
  }
}

TEST_F(CommandErrors, TellAnOutputThatCannotBeWritten) {
  for (const char* words : {"errdoc", "errdoc --count", "errdoc --explain", "--help", "--version",
                            "errdoc --parallel 2 --split hash:a --explain"}) {
    const finished full = run("$SLUICE " + std::string{words} + " >/dev/full");
    EXPECT_EQ(full.status, 1) << words;
    EXPECT_EQ(full.err.substr(0, 32), "sluice: output: standard output:") << words;
    const finished closed = run("$SLUICE " + std::string{words} + " >&-");
    EXPECT_EQ(closed.status, 1) << words;
    EXPECT_EQ(closed.err.substr(0, 32), "sluice: output: standard output:") << words;
    const temporary_folder folder;
    const std::string pipe = folder.path("pipe");
    const finished gone =
        run("mkfifo " + pipe + "; exec 3<>" + pipe + " 4>" + pipe + " 3<&-; $SLUICE " + words + " >&4");
    EXPECT_EQ(gone.err, "") << words;
    EXPECT_EQ(gone.status, 0) << words;
  }
}

/// A socket would reuse the number of a closed descriptor: messages for the user must not be sent to the server.
TEST_F(CommandErrors, DoNotGoToTheServerWhenADescriptorIsClosed) {
  const finished end = run("$SLUICE errdoc --stats --progress 2>&-");
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.out, "{\"a\": 1}\n");
  EXPECT_EQ(run("$SLUICE errdoc <&-").out, "{\"a\": 1}\n");
  EXPECT_EQ(run("$SLUICE errdoc <&- >&- 2>&-").status, 1);
  EXPECT_EQ(run("$SLUICE no_such 2>&-").status, 7);
}

TEST_F(CommandErrors, NoneWhereTheOutputDoesNotBlock) {
  const finished end =
      run("python3 -c 'import os, sys; r, w = os.pipe(); os.set_blocking(w, False); os.dup2(w, 1); "
          "os.set_inheritable(r, True);"
          "pid = os.fork()\nif pid == 0: os.close(r); os.execv(sys.argv[1], sys.argv[1:])\nos.close(w); os.close(1)\n"
          "n = 0\nwhile True:\n  b = os.read(r, 65536)\n  if not b: break\n  n += len(b)\n"
          "sys.stderr.write(str(n) + \" \" + str(os.waitpid(pid, 0)[1]))' "
          "$SLUICE --sql \"select to_json(repeat('x', 1000)) from generate_series(1, 2000)\"");
  EXPECT_EQ(end.err, "2006000 0");
}

TEST_F(CommandErrors, NoneForLineBreaksWithinDocuments) {
  const finished rows =
      run("$SLUICE --sql \"select d::json as data from (values (E'{\\\\r\\\"a\\\":\\\\r1}'), (E'[1,\\\\r\\\\n2]'), "
          "(E'[\\\\n3]'), ('\\\"' || chr(8232) || '\\\"')) v (d)\"");
  EXPECT_EQ(rows.out, "{\"a\":1}\n[1,2]\n[3]\n\"\xe2\x80\xa8\"\n") << rows.err;
}

}  // namespace
}  // namespace command_errors_test
