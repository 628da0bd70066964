// What the shells complete: options, their values, and relations, for which the server is asked.
#include <gtest/gtest.h>

#include <string>

#include "cluster.hpp"
#include "pseudo_terminal.hpp"
#include "shell.hpp"
#include "temporary_folder.hpp"

namespace command_completion_test {
namespace {

using namespace sluice::test;

const std::string tools{SLUICE_SOURCE "/tools/"};

/// A word as bash reads it, whatever is in it.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return word + "'";
}

/// What bash offers for the last word of a line, given as it is typed; words are split as readline splits them.
std::string in_bash(const std::string& line, const std::string& before = ":") {
  return shell(before + "; source " + tools + "sluice.bash; COMP_LINE=" + quoted(line) +
               "; COMP_POINT=${#COMP_LINE}; words=$COMP_LINE; COMP_WORDS=(" SLUICE_COMMAND
               "); word=${COMP_LINE##*[[:space:]]}; rest=${COMP_LINE% *}; COMP_WORDS+=(\"${rest##*[[:space:]]}\" "
               "\"$word\");"
               "COMP_CWORD=2; _sluice; echo ${COMPREPLY[*]}")
      .out;
}

class CommandCompletion : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(
        "drop schema if exists completed cascade; create schema completed; create table completed.orders (data jsonb);"
        "create view completed.\"Odd\" as select 1; create table completed.\"a;b\" (x int);"
        "create table completed.\"$(touch /tmp/x)\" (x int); create table completed.\"a.b\" (x int);"
        "drop table if exists completable; create table completable (data jsonb)");
  }
  static void TearDownTestSuite() { psql("drop schema completed cascade; drop table completable"); }
};

TEST_F(CommandCompletion, OffersRelationsInBash) {
  EXPECT_EQ(in_bash("sluice completa"), "completable\n");
  EXPECT_EQ(in_bash("sluice completed."), "completed.Odd completed.orders\n") << "names that a shell would not obey";
  EXPECT_EQ(in_bash("sluice public.completa"), "public.completable\n");
  EXPECT_EQ(in_bash("sluice --load completa"), "completable\n");
  EXPECT_EQ(in_bash("sluice --form"), "--format\n");
  EXPECT_EQ(in_bash("sluice pg_catalog.pg_clas"), "pg_catalog.pg_class\n");
}

TEST_F(CommandCompletion, AsksTheServerThatTheLineNames) {
  psql("drop database if exists completion");
  psql("create database completion");
  psql("create table far_away (x int)", "dbname=completion");
  const std::string port = cluster_value("SLUICE_TEST_PORT");
  for (const std::string& where :
       {std::string{"-d completion"}, std::string{"--dsn=dbname=completion"},
        "-d 'dbname=completion host=127.0.0.1 port=" + port + "' -U trust_user",
        "-h 127.0.0.1 -p" + port + " --username sluice -d completion",
        "-d postgresql://127.0.0.1:" + port + "/completion", std::string{"-d \"$SOURCE\" --limit 5"},
        std::string{"-d ${SOURCE}"}, std::string{"-d db\\name=completion"}})
    EXPECT_EQ(in_bash("sluice " + where + " far_", "SOURCE=dbname=completion"), "far_away\n") << where;
  EXPECT_EQ(in_bash("sluice far_"), "\n");
  psql("drop database completion");
}

TEST_F(CommandCompletion, IsSilentWhereNothingAnswers) {
  const temporary_folder folder;
  const std::string mark = folder.path("ran");
  for (const std::string& where :
       {std::string{"-h /nonexistent"}, std::string{"-h 127.0.0.1 -p 1"}, std::string{"-d nowhere"},
        std::string{"--dsn=nonsense=1"}, "-d \"$(touch " + mark + ")\"", "-d `touch " + mark + "`"})
    EXPECT_EQ(in_bash("sluice " + where + " completa"), "\n") << where;
  EXPECT_EQ(shell("test -e " + mark).status, 1) << "nothing on the line is run";
}

TEST_F(CommandCompletion, WaitsForASecondAtMost) {
  // A server that takes the connection and never says a word.
  const finished end = shell(
      "coproc python3 -c 'import socket, sys\ns = socket.create_server((\"127.0.0.1\", 0))\n"
      "print(s.getsockname()[1], flush=True)\nsys.stdin.read()'; read -r port <&${COPROC[0]}; source " +
      tools +
      "sluice.bash; COMP_LINE=\"sluice -h 127.0.0.1 -p $port a\" COMP_WORDS=(" SLUICE_COMMAND
      " x a) COMP_CWORD=2; COMP_POINT=${#COMP_LINE}; _sluice; echo ${#COMPREPLY[@]}");
  EXPECT_EQ(end.out, "0\n") << end.err;
  EXPECT_EQ(end.err, "");
}

TEST_F(CommandCompletion, OffersTheSameInFish) {
  if (shell("type -P fish").status != 0) GTEST_SKIP() << "no fish";
  const auto in_fish = [](const std::string& line) {
    return shell("d=$(mktemp -d); ln -s " SLUICE_COMMAND
                 " $d/sluice; export SOURCE=dbname=sluice; PATH=$d:$PATH HOME=$d fish --no-config -c 'source " +
                 tools + "sluice.fish; complete -C $argv[1] | cut -f1 | sort' -- " + quoted(line) + "; rm -r $d")
        .out;
  };
  EXPECT_EQ(in_fish("sluice completa"), "completable\n");
  EXPECT_EQ(in_fish("sluice completed."), "completed.Odd\ncompleted.orders\n");
  EXPECT_EQ(in_fish("sluice -d 'dbname=sluice' completa"), "completable\n");
  EXPECT_EQ(in_fish("sluice -d $SOURCE completa"), "completable\n");
  EXPECT_EQ(in_fish("sluice -d nowhere completa"), "");
  EXPECT_EQ(in_fish("sluice --mode p"), "paged\nplain\n");
  EXPECT_EQ(in_fish("sluice --form"), "--format\n");
}

TEST_F(CommandCompletion, OffersTheSameInZsh) {
  if (shell("type -P zsh").status != 0) GTEST_SKIP() << "no zsh";
  // zsh completes only on a terminal: one is typed into, and a widget tells what the line has become.
  const auto in_zsh = [](const std::string& line) {
    const temporary_folder folder;
    (void)folder.write(".zshrc", "PATH=" + folder.path() + ":$PATH; fpath=(" + tools +
                                     " $fpath); autoload -Uz compinit; compinit -u -D; export SOURCE=dbname=sluice\n"
                                     "tell() { print -r -- $BUFFER >" +
                                     folder.path("line") +
                                     "; exit }; zle -N tell; bindkey '^X' tell; bindkey '^I' complete-word\n"
                                     "ready() { print ready; zle -D zle-line-init }; zle -N zle-line-init ready\n");
    (void)shell("ln -s " SLUICE_COMMAND " " + folder.path("sluice"));
    return shell(
               "ZDOTDIR=" + folder.path() + " zsh -f -c " +
               quoted(
                   "zmodload zsh/zpty; zpty z 'zsh -i'; zpty -r -m z shown '*ready*'; zpty -w -n z \"$1\"$'\\t\\x18'; "
                   "while zpty -r z shown; do :; done") +
               " zsh " + quoted(line) + "; cat " + folder.path("line"))
        .out;
  };
  EXPECT_EQ(in_zsh("sluice completa"), "sluice completable \n");
  EXPECT_EQ(in_zsh("sluice completed.ord"), "sluice completed.orders \n");
  EXPECT_EQ(in_zsh("sluice -d nowhere completa"), "sluice -d nowhere completa\n");
  EXPECT_EQ(in_zsh("sluice -h $PGHOST -d \"$SOURCE\" completa"), "sluice -h $PGHOST -d \"$SOURCE\" completable \n");
  EXPECT_EQ(in_zsh("sluice -d 'dbname=sluice' --load completa"), "sluice -d 'dbname=sluice' --load completable \n");
  EXPECT_EQ(in_zsh("sluice --forma"), "sluice --format \n");
}

}  // namespace
}  // namespace command_completion_test
