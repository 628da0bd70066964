// What the command escapes on a terminal, and that it escapes nothing elsewhere.
#include <gtest/gtest.h>

#include <string>

#include "../fault/script.hpp"
#include "cluster.hpp"
#include "pseudo_terminal.hpp"
#include "shell.hpp"

namespace command_terminal_test {
namespace {

using namespace sluice::test;

const std::string command{"SLUICE=" SLUICE_COMMAND "; "};

/// U+009B, U+009D, DEL, U+202E: jsonb stores them unescaped in strings.
constexpr const char* controls = "\xc2\x9b\xc2\x9d\x7f\xe2\x80\xae";
constexpr const char* escaped_controls = "\\u009b\\u009d\\u007f\\u202e";

/// Whether the text contains nothing that a terminal would obey or show misleadingly.
bool is_harmless(const std::string& text) {
  for (const char* each : {"\x1b", "\x7f", "\xc2\x9b", "\xc2\x9d", "\xe2\x80\xae", "\a", "\b", "\x9b"})
    if (text.find(each) != std::string::npos) return false;
  return true;
}

class CommandOnATerminal : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql("drop view if exists odd_text; create view odd_text as select jsonb_build_object('a', '" +
         std::string{controls} + "') as data");
  }
};

TEST_F(CommandOnATerminal, EscapesControlCharactersOfDocuments) {
  const std::string plain = "{\"a\": \"" + std::string{controls} + "\"}\n";
  const std::string shown = "{\"a\": \"" + std::string{escaped_controls} + "\"}\n";
  EXPECT_EQ(on_terminal(command + "$SLUICE odd_text").text, shown);
  EXPECT_EQ(on_terminal(command + "$SLUICE odd_text --mode bulk").text, shown);
  EXPECT_EQ(on_terminal(command + "$SLUICE odd_text --format raw").text, shown);
  EXPECT_EQ(on_terminal(command + "$SLUICE odd_text --format array").text,
            "[" + shown.substr(0, shown.size() - 1) + "]\n");
  EXPECT_EQ(shell(command + "$SLUICE odd_text").out, plain) << "a file";
  EXPECT_EQ(shell(command + "$SLUICE odd_text | cat").out, plain) << "a pipe";
  EXPECT_EQ(psql("select '" + shown.substr(0, shown.size() - 1) + "'::jsonb = data from odd_text"), "t")
      << "the document is the same";
}

TEST_F(CommandOnATerminal, EscapesLargeDocumentsWhole) {
  const std::string sql = "\"select jsonb_build_object('a', repeat(chr(155) || chr(228), 100000))\"";
  const shown end = on_terminal(command + "$SLUICE --sql " + sql);
  EXPECT_EQ(end.status, 0);
  std::string expected = "{\"a\": \"";
  for (int i = 0; i < 100'000; ++i) expected += "\\u009b\xc3\xa4";
  EXPECT_TRUE(end.text == expected + "\"}\n");
}

TEST_F(CommandOnATerminal, KeepsLinesAndTabsOfDocuments) {
  const std::string sql = "$'select json \\'{\\n\\t\"a\":\\r 1}\\''";
  EXPECT_EQ(on_terminal(command + "$SLUICE --format raw --sql " + sql).text, "{\n\t\"a\":\\u000d 1}\n");
  EXPECT_EQ(shell(command + "$SLUICE --format raw --sql " + sql).out, "{\n\t\"a\":\r 1}\n");
}

TEST_F(CommandOnATerminal, EscapesWhatAHostileServerSends) {
  const std::string document =
      "{\"a\": \"\x1b]0;title\x07\x9b"
      "2J\b\"}";
  const listener server{std::vector<listener::conversation>(
      2, script{}
             .lets_in()
             .hears()
             .says(answer().data_row(document).command_complete("SELECT 1").ready_for_query())
             .falls_silent()
             .play())};
  const std::string line = command + "$SLUICE t -d '" + server.dsn() + "'";
  EXPECT_EQ(on_terminal(line).text, "{\"a\": \"\\u001b]0;title\\u0007\\x9b2J\\u0008\"}\n");
  EXPECT_EQ(shell(line).out, document + "\n");
}

TEST_F(CommandOnATerminal, EscapesTheServersWordsInErrorsNoticesAndStatistics) {
  backend login = backend{}.authentication_ok().parameter_status("server_version", "15\x1b[2J\x9b\"\\\xc2\x9b");
  login.backend_key_data(1, "key!").ready_for_query();
  backend good = answer().notice("a notice\x1b[1m\nsluice: forged\xe2\x80\xae", "00000",
                                 "NOTI\x1b"
                                 "CE");
  good.data_row("{}").command_complete("SELECT 1").ready_for_query();
  const backend bad = answer()
                          .error(
                              "42\x1b"
                              "00",
                              "an error\x1b[1m\nsluice: forged\xc2\x9b")
                          .ready_for_query();
  const auto play = [&](const backend& reply) {
    return [&login, reply](server_end client) {
      (void)client.receive();
      client.send(login.bytes);
      (void)client.receive();
      client.send(reply.bytes);
      client.receive_all();
    };
  };
  const listener server{{play(good), play(bad), play(good), play(bad)}};
  const std::string line = command + "$SLUICE t --stats -d '" + server.dsn() + "'";
  for (const std::string& all : {on_terminal(line).text, on_terminal(line).text}) {
    EXPECT_TRUE(is_harmless(all)) << all;
    EXPECT_EQ(all.find("\nsluice: forged"), std::string::npos) << all;
    EXPECT_NE(all.find("\\x1b[1m"), std::string::npos) << all;
  }
  for (const std::string& all : {shell(line).err, shell(line).err}) EXPECT_TRUE(is_harmless(all)) << all;
}

TEST_F(CommandOnATerminal, EscapesItsUsersWordsInMessages) {
  const std::string odd = "$'x\\x1b[1m\\x9b\\u202e\\u009b'";
  for (const std::string& words :
       {odd, "odd_text --where " + odd, "odd_text --select " + odd, "odd_text --limit " + odd, "odd_text --" + odd,
        "odd_text --mode " + odd, "-d " + odd + " odd_text", "-d host=/" + odd + " odd_text",
        "--explain odd_text --column " + odd, "--sql 'select 1' -d dbname=" + odd, "odd_text " + odd,
        "--sql 'select $1::int' --param " + odd, "--sql " + odd, "odd_text --order-by " + odd}) {
    const shown end = on_terminal(command + "$SLUICE " + words);
    EXPECT_TRUE(is_harmless(end.text)) << words << "\n" << end.text;
    EXPECT_NE(end.text, "") << words;
  }
}

TEST_F(CommandOnATerminal, BeginsAMessageOnALineOfItsOwn) {
  const shown end = on_terminal(command +
                                "$SLUICE --progress --sql 'select json_build_object($$n$$, 1 / (100000 - n)) from "
                                "generate_series(1, 200000) n' >/dev/null");
  EXPECT_EQ(end.status, 7);
  const std::size_t message = end.text.find("sluice: sql: division by zero");
  ASSERT_NE(message, std::string::npos) << end.text;
  EXPECT_TRUE(message == 0 || end.text[message - 1] == '\n') << end.text;
}

}  // namespace
}  // namespace command_terminal_test
