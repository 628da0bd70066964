#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "options.hpp"
#include "report.hpp"
#include "values.hpp"

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

TEST(ParseSortKey, ReadsFieldTypeAndOrder) {
  const auto sql = [](const char* key) { return sluice::from("t").order_by(parse_sort_key(key)).build().text(); };
  EXPECT_EQ(sql("name"), R"(select "data" from "t" order by ("data" operator(pg_catalog.->>) 'name'))");
  EXPECT_EQ(sql(R"("a.b:c""d".e:desc)"), R"(select "data" from "t" order by ("data" operator(pg_catalog.->) 'a.b:c"d' )"
                                         R"(operator(pg_catalog.->>) 'e') desc)");
  const std::string typed = sql("profile.age:int:desc:nullslast");
  EXPECT_NE(typed.find("::pg_catalog.numeric end) desc nulls last"), std::string::npos) << typed;
  for (const char* wrong : {"", ":desc", "a..b", "a:", "a:down", "\"a", "\"a\"b", "a."})
    EXPECT_THROW((void)parse_sort_key(wrong), usage_error) << wrong;
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
  EXPECT_EQ(given.parameters, (std::vector<std::string>{"a b", "--x"}));
}

TEST(ParseOptions, TakesTheModeAndItsPages) {
  EXPECT_EQ(parse({"a"}).mode, sluice::fetch_mode::plain);
  const options given = parse({"a", "--mode", "paged", "--page-rows", "7"});
  EXPECT_EQ(given.mode, sluice::fetch_mode::paged);
  EXPECT_EQ(given.page_rows, 7U);
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
                                             {"a", "--chunk-rows", "0"},
                                             {"a", "--where", "x"},
                                             {"a", "--select", "x,"},
                                             {"--explain"},
                                             {"a", "--mode", "x"},
                                             {"a", "--page-rows", "5"},
                                             {"a", "--mode", "paged", "--page-rows", "0"}}) {
    std::string line;
    for (const char* word : words) line.append(word).append(" ");
    EXPECT_THROW((void)parse(words), usage_error) << line;
  }
}

TEST(Printable, EscapesControlBytes) { EXPECT_EQ(printable("a\x1b[31m\nb\x7f"), "a\\x1b[31m\\x0ab\\x7f"); }

TEST(ErrorText, HasCategorySqlstateDetailAndHint) {
  sluice::server_message said;
  said.sqlstate = "42P01";
  said.detail = "detail";
  said.hint = "hint";
  const sluice::error failure{
      sluice::error_info{.code = sluice::errc::server_error, .message = "no such table", .server = said}};
  EXPECT_EQ(error_text(failure), "sluice: sql: no such table [42P01]\nDETAIL: detail\nHINT: hint\n");
  EXPECT_EQ(exit_code(failure.kind()), 7);
}

}  // namespace
