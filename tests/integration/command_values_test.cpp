// Values from the command line to the server and back.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cluster.hpp"
#include "shell.hpp"

namespace command_values_test {
namespace {

using namespace sluice::test;

finished run(const std::string& line) { return shell("SLUICE=" SLUICE_COMMAND "; " + line); }

/// A word of bash that stands for this text.
std::string word(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return quoted + "'";
}

std::string hex(const std::string& text) {
  std::string digits;
  for (const char c : text)
    for (const int shift : {4, 0}) digits += "0123456789abcdef"[(static_cast<unsigned char>(c) >> shift) & 15];
  return digits;
}

const std::vector<std::string> awkward{"[1]",
                                       "[a,b]",
                                       "[]",
                                       "{}",
                                       "{\"a\":[1,2]}",
                                       "-1",
                                       "--",
                                       "-x",
                                       "--sql",
                                       "@file",
                                       "\"quoted\"",
                                       "'quoted'",
                                       "",
                                       " spaces ",
                                       "a,b",
                                       "#x",
                                       ";",
                                       "a\nb",
                                       "\xc3\xa4\xf0\x9f\x98\x80",
                                       "%",
                                       "%s",
                                       "\\",
                                       "a\\\\b",
                                       "=",
                                       "$1",
                                       "\x1b",
                                       "\x7f"};

TEST(CommandValues, ArriveAtTheServerAsTheyWereGiven) {
  std::string words;
  std::string columns;
  std::string expected;
  for (std::size_t i = 0; i < awkward.size(); ++i) {
    words += (i % 2 == 0 ? " --param " : " --param=") + word(awkward[i]);
    columns += (i == 0 ? "" : " || ',' || ") + ("encode(convert_to($" + std::to_string(i + 1) + ", 'UTF8'), 'hex')");
    expected += (i == 0 ? "" : ",") + hex(awkward[i]);
  }
  for (const char* mode : {"plain", "paged", "bulk"}) {
    const finished end =
        run("$SLUICE --mode " + std::string{mode} + " --sql " + word("select " + columns + " as v") + words);
    EXPECT_EQ(end.out, "{\"v\":\"" + expected + "\"}\n") << mode << end.err;
  }
}

TEST(CommandValues, OfWhereMatchTheSameText) {
  psql("drop table if exists texts; create table texts (data jsonb)");
  for (const std::string& each : awkward) {
    std::string literal = "'";
    for (const char c : each) literal.append(c == '\'' ? 2 : 1, c);
    literal += "'";
    psql("truncate texts; insert into texts values (jsonb_build_object('a', " + literal +
         "::text)), ('{\"a\": \"other\"}')");
    const finished end = run("$SLUICE texts --count --where " + word("a = " + literal));
    EXPECT_EQ(end.out.substr(0, 10), "{\"rows\":1,") << each << end.err;
  }
}

TEST(CommandValues, OfBytesThatAreNotUtf8AreRefused) {
  const finished end = run("$SLUICE --sql 'select $1 as v' --param $'a\\xff'");
  EXPECT_NE(end.status, 0);
  EXPECT_EQ(end.out, "");
  EXPECT_NE(end.err, "");
  for (const char* words : {"doc --column $'\\xff'", "doc --select $'\\xff'", "doc --order-by $'\\xff'", "$'\\xff'",
                            "doc --where $'\\xff = 1'", "--sql $'select 1 as \"\\xff\"'", "-d $'host=\\xff' doc"}) {
    const finished refused = run(std::string{"$SLUICE "} + words);
    EXPECT_GT(refused.status, 1) << words;
    EXPECT_EQ(refused.out, "") << words;
    EXPECT_EQ(refused.err.substr(0, 8), "sluice: ") << words;
  }
}

/// All options use one grammar for fields; anything else is refused before the server is asked.
TEST(CommandFields, AreReadAsWhereReadsThem) {
  psql(
      "drop table if exists people; create table people (data jsonb);"
      R"(insert into people values ('{"id": 1, "name": "b", "a b": 5, "tags": ["x", "y"]}'), ('{"id": 2, "name": "a"}'))");
  EXPECT_EQ(run("$SLUICE people --select 'id, name' --order-by name").out,
            "{\"id\":2,\"name\":\"a\"}\n{\"id\":1,\"name\":\"b\"}\n");
  EXPECT_EQ(run("$SLUICE people --select '\"a b\",tags.0' --limit 1").out, "{\"a b\":5,\"tags\":{\"0\":\"x\"}}\n");
  EXPECT_EQ(run("$SLUICE people --order-by 'id : int : desc' --select id").out, "{\"id\":2}\n{\"id\":1}\n");
  for (const char* words : {"--select 'id as key'", "--select 'document()'", "--select 'id,'", "--select ''",
                            "--select '*'", "--select 'id;name'", "--order-by 'id desc'", "--order-by 'id,name'",
                            "--order-by ''", "--order-by 'name:up'", "--parallel 2 --split 'key:id desc'"}) {
    const finished end = run(std::string{"$SLUICE -d host=/nowhere people "} + words);
    EXPECT_EQ(end.status, 2) << words << end.err;
    EXPECT_EQ(end.out, "") << words;
    EXPECT_EQ(end.err.substr(0, 16), "sluice: usage: -") << end.err;
    EXPECT_EQ(end.err.substr(end.err.size() - 2), "^\n") << "a caret on a line of its own: " << end.err;
  }
  EXPECT_EQ(run("$SLUICE people --select id,nme,id").status, 2) << "the same place twice";
}

TEST(CommandFields, AreShownWithACaretUnderTheMistake) {
  EXPECT_EQ(run("$SLUICE people --select 'id as key'").err,
            "sluice: usage: --select: expected ',' and another field, or the end\n  id as key\n     ^\n");
  EXPECT_EQ(run("$SLUICE people --where 'n = '").err,
            "sluice: usage: --where: expected a value: a number, a text in single quotes, true, false or null\n  n = \n"
            "      ^\n");
}

}  // namespace
}  // namespace command_values_test
