#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "options.hpp"
#include "report.hpp"
#include "temporary_folder.hpp"
#include "values.hpp"

namespace options_test {
namespace {

using namespace sluice::tool;
using namespace std::chrono_literals;

TEST(ParseSize, ReadsPowersOf1024) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("64k"), 65536U);
  EXPECT_EQ(parse_size("16M"), 16U << 20U);
  EXPECT_EQ(parse_size("1G"), 1U << 30U);
  for (const char* wrong : {"", "k", "1q", "-1", "1.5k", "99999999999999999999", "9999999999999G", "64k "})
    EXPECT_THROW((void)parse_size(wrong), usage_error) << wrong;
}

TEST(ParseDuration, ReadsItsUnits) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  for (const char* wrong : {"", "30", "s", "-1s", "1d"})
    EXPECT_THROW((void)parse_duration(wrong), usage_error) << wrong;
}

options parse(std::vector<const char*> words) {
  words.insert(words.begin(), "sluice");
  return parse_options(static_cast<int>(words.size()), words.data());
}

TEST(ParseOptions, ReadsARelationWithItsBounds) {
  const options given = parse({"v_user", "--limit", "10", "--order-by", "name", "--order-by", "age:desc", "--buffer",
                               "16k", "--max-row", "1M", "--timeout", "5s", "--format", "array", "--count"});
  EXPECT_EQ(given.to_query().text(),
            R"(select "data" from "v_user" order by ("data" operator(pg_catalog.->>) 'name'), )"
            R"(("data" operator(pg_catalog.->>) 'age') desc limit $1::pg_catalog.int8)");
  EXPECT_EQ(given.buffer_bytes, 16384U);
  EXPECT_EQ(given.max_row_bytes, 1U << 20U);
  EXPECT_EQ(given.timeout, 5s);
  EXPECT_EQ(given.output, sluice::document_format::array);
  EXPECT_TRUE(given.count);
}

TEST(ParseOptions, ReadsSqlWithItsParameters) {
  const options given = parse({"--sql", "select $1, $2", "--param", "a b", "--param", "--x"});
  EXPECT_EQ(given.parameters, (std::vector<std::optional<std::string>>{"a b", "--x"}));
}

TEST(ParseOptions, TakesTheModeAndItsPages) {
  EXPECT_EQ(parse({"a"}).mode, sluice::fetch_mode::plain);
  const options given = parse({"a", "--mode", "paged", "--page-rows", "7"});
  EXPECT_EQ(given.mode, sluice::fetch_mode::paged);
  EXPECT_EQ(given.page_rows, 7U);
}

TEST(ParseOptions, TakesArrowAndItsBatches) {
  const options given = parse({"a", "--format", "arrow", "--chunk-rows", "100"});
  EXPECT_TRUE(given.arrow);
  EXPECT_EQ(given.to_arrow().max_rows, 100U);
  EXPECT_EQ(given.to_query().rows(), sluice::query::shape::chosen_columns);
  EXPECT_FALSE(parse({"a"}).arrow);
}

TEST(ParseOptions, RefusesWhatMakesNoSense) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{},
                                             {"a", "b"},
                                             {"a", "--sql", "select 1"},
                                             {"a", "--param", "1"},
                                             {"--sql", "select 1", "--limit", "1"},
                                             {"a", "--bogus"},
                                             {"a", "--limit", "x"},
                                             {"a", "--limit", "-1"},
                                             {"a", "--format", "xml"},
                                             {"a", "--format", "arrow", "--count"},
                                             {"a", "--format", "arrow", "--validate"},
                                             {"a", "--format", "arrow", "--null", "x"},
                                             {"a", "--chunk-rows", "0"},
                                             {"a", "--where", "x"},
                                             {"a", "--select", "x,"},
                                             {"--explain"},
                                             {""},
                                             {"--sql", ""},
                                             {"--sql", " ; "},
                                             {"--sql"},
                                             {"a", "-d"},
                                             {"a", "-x"},
                                             {"a", "-d", "postgresql://h", "-h", "h"},
                                             {"a", "-p", "1", "--port", "2"},
                                             {"--sql", "select 1", "-f", "-"},
                                             {"a", "-f", "-"},
                                             {"--file", "/nonexistent/file"},
                                             {"--file", "/dev/null"},
                                             {"--file", "/"},
                                             {"a", "-o", ""},
                                             {"a", "-o", "|gzip"},
                                             {"--load", "a", "-o", "b"},
                                             {"--follow", "a", "--slot", "s", "-o", "b"},
                                             {"--follow", "a", "--slot", "s", "--progress"},
                                             {"--partitions", "2", "-f", "-"},
                                             {"a", "--count=1"},
                                             {"a", "--column", "x", "--column", "y"},
                                             {"a", "--parallel", "1001"},
                                             {"a", "--parallel", "0x2"},
                                             {"a", "--mode", "x"},
                                             {"a", "--page-rows", "5"},
                                             {"a", "--mode", "paged", "--page-rows", "0"}}) {
    std::string line;
    for (const char* word : words) line.append(word).append(" ");
    EXPECT_THROW((void)parse(words), usage_error) << line;
  }
}

TEST(ParseOptions, TakesTheLettersOfPsql) {
  const options given = parse({"-h", "db.example", "-p5433", "-U", "me", "-d", "shop", "-c", "select 1", "-o", "rows"});
  EXPECT_EQ(given.where_to.host, "db.example");
  EXPECT_EQ(given.where_to.port, "5433");
  EXPECT_EQ(given.where_to.user, "me");
  EXPECT_EQ(given.where_to.dsn, "shop");
  EXPECT_EQ(given.sql, "select 1");
  EXPECT_EQ(given.output_file, "rows");
  EXPECT_EQ(parse({"a", "-o", "-"}).output_file, std::nullopt) << "standard output";
  EXPECT_TRUE(parse({"-?"}).help);
  EXPECT_TRUE(parse({"-V"}).version);
}

TEST(ParseOptions, ReadsSqlFromAFile) {
  const sluice::test::temporary_folder folder;
  const std::string file = folder.write("q.sql", "\xef\xbb\xbfselect $1\n");
  EXPECT_EQ(parse({"-f", file.c_str(), "--param", "x"}).sql, "select $1\n") << "without the byte order mark";
  const std::string with_zero = folder.write("zero.sql", std::string_view{"select 1\0", 9});
  EXPECT_THROW((void)parse({"-f", with_zero.c_str()}), usage_error);
  EXPECT_TRUE(parse({"-f", "/nonexistent/file", "--help"}).help) << "nothing is read";
}

std::string refusal(const std::vector<const char*>& words) {
  try {
    (void)parse(words);
  } catch (const usage_error& refused) {
    return refused.what();
  }
  return "nothing";
}

TEST(ParseOptions, SuggestsTheOptionThatWasMeant) {
  EXPECT_EQ(refusal({"a", "--fromat", "csv"}), "unknown option --fromat: did you mean --format?");
  EXPECT_EQ(refusal({"a", "--fromat=csv"}), "unknown option --fromat: did you mean --format?");
  EXPECT_EQ(refusal({"a", "--order", "b"}), "unknown option --order: did you mean --order-by?");
  EXPECT_EQ(refusal({"a", "--ofset", "b"}), "unknown option --ofset: did you mean --offset?");
  EXPECT_EQ(refusal({"a", "--hots", "b"}), "unknown option --hots: did you mean --host?");
  for (const char* far : {"--bogus", "--x", "--a-thing-of-its-own", "-y"})
    EXPECT_EQ(refusal({"a", far}), std::string{"unknown option "} + far + ": see --help");
}

TEST(ParseOptions, SaysWhatToUseInsteadOfPsqlsOptions) {
  EXPECT_EQ(refusal({"a", "--csv"}), "unknown option --csv: it is --format csv");
  EXPECT_EQ(refusal({"--command", "select 1"}), "unknown option --command: it is --sql");
  for (const char* each : {"-t", "-A", "-X", "-q", "-w", "-W", "--json", "-x", "-v", "-l", "--dbname=x", "-XAtqc"}) {
    const std::string told = refusal({"a", each});
    EXPECT_EQ(told.find("see --help"), told.npos) << told;
    EXPECT_TRUE(told.starts_with("unknown option -")) << told;
  }
}

TEST(ParseOptions, ShowsNoPartOfAValue) {
  EXPECT_EQ(refusal({"a", "--pass=secret"}).find("secret"), std::string::npos);
  EXPECT_EQ(refusal({"a", "-Wsecret"}).find("secret"), std::string::npos);
}

TEST(ParseOptions, SaysThatALoneLetterNeedsAValue) {
  EXPECT_EQ(refusal({"-h"}), "-h is --host, and needs a value: --help shows the options");
  EXPECT_EQ(refusal({"--host"}), "--host needs a value");
}

TEST(ErrorText, HasCategorySqlstateDetailHintAndContext) {
  sluice::server_message said;
  said.sqlstate = "42P01";
  said.detail = "detail";
  said.hint = "hint";
  said.where = "line 1\nline 2";
  const sluice::error failure{
      sluice::error_info{.code = sluice::errc::server_error, .message = "no such table [42P01]", .server = said}};
  EXPECT_EQ(error_text(failure),
            "sluice: sql: no such table [42P01]\nDETAIL: detail\nHINT: hint\nCONTEXT: line 1\n  line 2\n");
  EXPECT_EQ(exit_code(failure.kind()), 7);
}

TEST(ErrorText, ShowsThePlaceInTheQuery) {
  sluice::server_message said;
  said.sqlstate = "42703";
  const auto text = [&](std::string_view query, std::uint32_t position) {
    said.position = position;
    return error_text(
        sluice::error{sluice::error_info{.code = sluice::errc::server_error, .message = "m [42703]", .server = said}},
        query);
  };
  const std::string head = "sluice: sql: m [42703]\n";
  EXPECT_EQ(text("select x", 8), head + "LINE 1: select x\n               ^\n");
  EXPECT_EQ(text("select\n\t\xc3\xa4, x\nfrom t", 12), head + "LINE 2:  \xc3\xa4, x\n            ^\n") << "characters";
  EXPECT_EQ(text("select", 7), head + "LINE 1: select\n              ^\n") << "at the end of input";
  EXPECT_EQ(text("select", 99), head) << "not where it can be";
  EXPECT_EQ(text("select", 0), head);
  EXPECT_EQ(text("", 1), head) << "a query that is not known";
  const std::string long_line = text(std::string(200, 'a') + " b " + std::string(200, 'c'), 202);
  EXPECT_EQ(long_line, head + "LINE 1: ..." + std::string(39, 'a') + " b " + std::string(28, 'c') + "...\n" +
                           std::string(51, ' ') + "^\n");
}

TEST(ErrorText, ShowsThePlaceInAFunctionsQuery) {
  sluice::server_message said;
  said.internal_query = "select y";
  said.internal_position = 8;
  said.position = 1;
  const sluice::error failure{sluice::error_info{.code = sluice::errc::server_error, .message = "m", .server = said}};
  EXPECT_EQ(error_text(failure, "select f()"), "sluice: sql: m\nLINE 1: select y\n               ^\n");
}

TEST(ErrorText, EscapesWhatATerminalWouldObey) {
  sluice::server_message said;
  said.detail = "\x1b]0;x\x07\nsluice: sql: forged";
  said.hint =
      "\xc2\x9b"
      "2J";
  said.where = "\xe2\x80\xae";
  const sluice::error failure{
      sluice::error_info{.code = sluice::errc::server_error, .message = "a\x1b[1m\x9b", .server = said}};
  EXPECT_EQ(error_text(failure),
            "sluice: sql: a\\x1b[1m\\x9b\nDETAIL: \\x1b]0;x\\x07\n  sluice: sql: forged\nHINT: \\xc2\\x9b2J\n"
            "CONTEXT: \\xe2\\x80\\xae\n");
}

TEST(NoticeText, IsAsPsqlShowsIt) {
  sluice::server_message said;
  said.severity = "WARNING";
  said.message = "m\x1b";
  said.detail = "d";
  said.hint = "h";
  said.where = "a function";
  EXPECT_EQ(notice_text(said), "WARNING: m\\x1b\nDETAIL: d\nHINT: h\n");
}

TEST(StatsJson, IsJsonWhateverTheServerSays) {
  const std::string text =
      stats_json(sluice::stream_stats{},
                 {.connecting = 1us, .mode = {}, .tls_version = {}, .server_version = "1\"\\\x1b\xff\xc2\x9b"});
  EXPECT_NE(text.find(R"("server_version":"1\"\\\\x1b\\xff\\xc2\\x9b"})"), std::string::npos) << text;
}

}  // namespace
}  // namespace options_test
