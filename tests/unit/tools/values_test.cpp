// Values of options: each is passed on unchanged, or refused with its place shown.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "options.hpp"
#include "terminal.hpp"
#include "values.hpp"
#include "where.hpp"

namespace values_test {
namespace {

using namespace sluice::tool;

/// Values that a command-line parser might mistake for something else.
const std::vector<std::string>& awkward_values() {
  static const std::vector<std::string> all{"[1]",
                                            "[a,b]",
                                            "[]",
                                            "[[1],[2]]",
                                            "[",
                                            "]",
                                            "{}",
                                            "{\"a\":[1,2]}",
                                            "-1",
                                            "-",
                                            "--",
                                            "-x",
                                            "-d",
                                            "--param",
                                            "--count",
                                            "--sql=x",
                                            "@file",
                                            "\"quoted\"",
                                            "'quoted'",
                                            "`quoted`",
                                            "\"",
                                            "'",
                                            "",
                                            " ",
                                            " spaces ",
                                            "a,b",
                                            ",",
                                            "#x",
                                            ";",
                                            "a;b",
                                            "a\nb",
                                            "\n",
                                            "\t",
                                            "\r\n",
                                            "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
                                            "\xff\xfe",
                                            "%",
                                            "%%",
                                            "%s",
                                            "%n",
                                            "\\",
                                            "\\n",
                                            "\\\\",
                                            "a\\",
                                            "=",
                                            "a=b",
                                            "=a",
                                            "true",
                                            "null",
                                            "0x10",
                                            "1e5",
                                            "$1",
                                            "${HOME}",
                                            "*",
                                            "~",
                                            "\x1b[1m",
                                            "a:b",
                                            "a.b",
                                            "/x"};
  return all;
}

struct text_option {
  const char* name;
  std::vector<std::string> others;  // the other arguments that it needs
  std::function<std::string(const options&)> given;
  friend std::ostream& operator<<(std::ostream& out, const text_option& one) { return out << one.name; }
};

options parse(const std::vector<std::string>& words) {
  std::vector<const char*> argv{"sluice"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

class TextOption : public testing::TestWithParam<text_option> {
 protected:
  static options with(std::vector<std::string> words) {
    words.insert(words.end(), GetParam().others.begin(), GetParam().others.end());
    return parse(words);
  }
};

TEST_P(TextOption, TakesEveryValueAsItWasGiven) {
  const std::string name = GetParam().name;
  for (const std::string& value : awkward_values()) {
    const bool is_blank = value.find_first_not_of(" \t\r\n;") == std::string::npos;
    if ((name == "--sql" && is_blank) || (name == "--column" && value.empty())) {
      EXPECT_THROW((void)with({name, value}), usage_error);
      continue;
    }
    EXPECT_EQ(GetParam().given(with({name, value})), value);
    EXPECT_EQ(GetParam().given(with({name + "=" + value})), value);
  }
}

TEST_P(TextOption, NeedsAValue) {
  const std::string name = GetParam().name;
  std::vector<std::string> words = GetParam().others;
  words.push_back(name);
  EXPECT_THROW((void)parse(words), usage_error);
}

INSTANTIATE_TEST_SUITE_P(Options, TextOption,
                         testing::Values(text_option{"--param",
                                                     {"--sql", "x"},
                                                     [](const options& of) { return of.parameters.at(0).value(); }},
                                         text_option{"--sql", {}, [](const options& of) { return of.sql.value(); }},
                                         text_option{"--dsn", {"t"}, [](const options& of) { return of.where_to.dsn; }},
                                         text_option{
                                             "--column", {"t"}, [](const options& of) { return of.column.value(); }}));

TEST(ParseOptions, TakesEveryValueOfTheShortForm) {
  for (const std::string& value : awkward_values()) {
    EXPECT_EQ(parse({"-d", value, "t"}).where_to.dsn, value);
    if (!value.empty()) {
      EXPECT_EQ(parse({"-d" + value, "t"}).where_to.dsn, value);
    }
  }
}

TEST(ParseOptions, TakesEveryValueOfALongList) {
  std::vector<std::string> words{"--sql", "x"};
  for (const std::string& value : awkward_values()) words.insert(words.end(), {"--param", value, "--param=" + value});
  const options given = parse(words);
  ASSERT_EQ(given.parameters.size(), 2 * awkward_values().size());
  for (std::size_t i = 0; i < given.parameters.size(); ++i) EXPECT_EQ(given.parameters[i], awkward_values()[i / 2]);
}

TEST(ParseOptions, TakesAnyRelationBehindTwoDashes) {
  for (const std::string& value : awkward_values()) {
    if (value.empty()) continue;
    EXPECT_EQ(parse({"--count", "--", value}).source, value);
  }
  EXPECT_EQ(parse({"-"}).source, "-");
}

/// Text in single quotes and names in double quotes may contain any UTF-8.
TEST(ParseOptions, TakesEveryValueInQuotes) {
  const auto quoted = [](const std::string& value, char quote) {
    std::string text{quote};
    for (const char c : value) text.append(c == quote ? 2 : 1, c);
    return text + quote;
  };
  for (const std::string& value : awkward_values()) {
    const std::string where = "a = " + quoted(value, '\'');
    EXPECT_EQ(parse({"t", "--where", where}).to_query().parameters()[0].text(), value);
    EXPECT_EQ(parse({"t", "--where=" + where, "--where", "b = 1"}).to_query().parameters()[0].text(), value);
    if (value.empty() || value == "\xff\xfe") continue;
    const std::string name = quoted(value, '"');
    const auto sql = [](const std::vector<std::string>& words) { return std::string{parse(words).to_query().text()}; };
    EXPECT_EQ(sql({"t", "--select", name}),
              sluice::from("t").select({sluice::projection{std::vector<std::string>{value}}}).build().text());
    EXPECT_EQ(sql({"t", "--order-by=" + name + ":desc"}),
              sluice::from("t").order_by(desc(sluice::field(std::vector<std::string>{value}))).build().text());
    EXPECT_EQ(sluice::from("t").where(sluice::field(parse_split("key:" + name).path) == 1).build().text(),
              sluice::from("t").where(sluice::field(std::vector<std::string>{value}) == 1).build().text());
  }
}

struct mistake {
  const char* option;
  std::string value;
  std::string says;
  std::size_t at;
  friend std::ostream& operator<<(std::ostream& out, const mistake& one) {
    return out << one.option << " " << one.value;
  }
};
class FieldMistake : public testing::TestWithParam<mistake> {};

TEST_P(FieldMistake, IsShownWhereItIs) {
  const mistake& expected = GetParam();
  try {
    (void)parse({"t", "--parallel", "2", expected.option, expected.value});
    ADD_FAILURE() << "no error";
  } catch (const usage_error& e) {
    const std::string said = e.what();
    EXPECT_EQ(said.find(std::string{expected.option} + ": "), 0U) << said;
    EXPECT_NE(said.find(expected.says), std::string::npos) << said;
    EXPECT_EQ(said.substr(said.find('\n') + 1), with_caret("  ", expected.value, expected.at)) << said;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Select, FieldMistake,
    testing::Values(
        mistake{"--select", "", "expected the name of a field", 0},
        mistake{"--select", "id,", "expected the name of a field", 3},
        mistake{"--select", "id,,name", "expected the name of a field", 3},
        mistake{"--select", ",id", "expected the name of a field", 0},
        mistake{"--select", "id as key", "expected ','", 3}, mistake{"--select", "id name", "expected ','", 3},
        mistake{"--select", "document()", "expected ','", 8}, mistake{"--select", "id desc", "expected ','", 3},
        mistake{"--select", "[a,b]", "unexpected character", 0}, mistake{"--select", "*", "unexpected character", 0},
        mistake{"--select", "first-name", "double quotes", 5},
        mistake{"--select", "data->>'id'", "unexpected character", 4},
        mistake{"--select", "'id'", "expected the name of a field", 0}, mistake{"--select", "\"id", "never closed", 0},
        mistake{"--select", "\"a\"b", "expected ','", 3},
        mistake{"--select", "a..b", "expected a name after the dot", 2},
        mistake{"--select", "a.", "expected a name after the dot", 2},
        mistake{"--select", ".a", "expected the name of a field", 0},
        mistake{"--select", "0", "expected the name of a field", 0}, mistake{"--select", "id::int", "expected ','", 2},
        mistake{"--select", "id:desc", "expected ','", 2}, mistake{"--select", "-1", "expected the name of a field", 0},
        mistake{"--select", "id,\xc2\xa0name", "cannot be seen", 3}));

INSTANTIATE_TEST_SUITE_P(OrderBy, FieldMistake,
                         testing::Values(mistake{"--order-by", "", "expected the name of a field", 0},
                                         mistake{"--order-by", "id desc", "expected ':'", 3},
                                         mistake{"--order-by", "id,name", "repeat --order-by", 2},
                                         mistake{"--order-by", "id:", "expected text, int", 3},
                                         mistake{"--order-by", "id:down", "expected text, int", 3},
                                         mistake{"--order-by", ":desc", "expected the name of a field", 0},
                                         mistake{"--order-by", "id::int", "expected ':'", 2},
                                         mistake{"--order-by", "document()", "expected ':'", 8},
                                         mistake{"--order-by", "a..b", "expected a name after the dot", 2},
                                         mistake{"--order-by", "a:desc:asc", "given twice", 7},
                                         mistake{"--order-by", "a:int:int", "given twice", 6},
                                         mistake{"--order-by", "a:nullsfirst:nullslast", "given twice", 13},
                                         mistake{"--order-by", "\"a", "never closed", 0},
                                         mistake{"--order-by", "[a]", "unexpected character", 0},
                                         mistake{"--order-by", "-id", "unexpected character", 0}));

INSTANTIATE_TEST_SUITE_P(Split, FieldMistake,
                         testing::Values(mistake{"--split", "", "expected ctid, key:FIELD or hash:FIELD", 0},
                                         mistake{"--split", "key", "expected ':'", 3},
                                         mistake{"--split", "key:", "expected the name of a field", 4},
                                         mistake{"--split", "key:id desc", "expected the end", 7},
                                         mistake{"--split", "ctid:x", "expected the end", 4},
                                         mistake{"--split", "range:id", "expected ctid", 0}));

INSTANTIATE_TEST_SUITE_P(Where, FieldMistake,
                         testing::Values(mistake{"--where", "[a = 1]", "unexpected character", 0},
                                         mistake{"--where", "", "expected the name of a field", 0},
                                         mistake{"--where", "a = [1]", "unexpected character", 4}));

TEST(ParseSelect, ReadsPathsAsWhereDoes) {
  const auto sql = [](const char* paths) { return sluice::from("t").select(parse_select(paths)).build().text(); };
  const auto meant = [](const std::vector<std::vector<std::string>>& paths) {
    std::vector<sluice::projection> fields;
    for (const auto& path : paths) fields.emplace_back(path);
    return sluice::from("t").select(fields).build().text();
  };
  EXPECT_EQ(sql("id,\"a,b\".c"), meant({{"id"}, {"a,b", "c"}}));
  EXPECT_EQ(sql(" id , name "), meant({{"id"}, {"name"}}));
  EXPECT_EQ(sql("tags.0,a.1.b"), meant({{"tags", "0"}, {"a", "1", "b"}}));
  EXPECT_EQ(sql("\"a\"\"b\",not,\xc3\xa4"), meant({{"a\"b"}, {"not"}, {"\xc3\xa4"}}));
}

TEST(ParseSortKey, ReadsFieldTypeAndOrder) {
  const auto sql = [](const char* key) { return sluice::from("t").order_by(parse_sort_key(key)).build().text(); };
  EXPECT_EQ(sql("name"), R"(select "data" from "t" order by ("data" operator(pg_catalog.->>) 'name'))");
  EXPECT_EQ(sql("name:asc"), sql("name"));
  EXPECT_EQ(sql(R"("a.b:c""d".e:desc)"), R"(select "data" from "t" order by ("data" operator(pg_catalog.->) 'a.b:c"d' )"
                                         R"(operator(pg_catalog.->>) 'e') desc)");
  const std::string typed{sql("profile.age:int:desc:nullslast")};
  EXPECT_NE(typed.find("::pg_catalog.numeric end) desc nulls last"), std::string::npos) << typed;
  EXPECT_EQ(sql("profile.age:DESC:nullslast:int"), typed);
}

TEST(ParseNumber, ReadsDigitsWithinItsBounds) {
  EXPECT_EQ(parse_number("1"), 1U);
  EXPECT_EQ(parse_number("4294967295"), 4294967295U);
  for (const char* wrong : {"", "0", "-1", "+1", "4294967296", "1 ", " 1", "0x1", "1.0", "[1]"})
    EXPECT_THROW((void)parse_number(wrong), usage_error) << wrong;
}

}  // namespace
}  // namespace values_test
