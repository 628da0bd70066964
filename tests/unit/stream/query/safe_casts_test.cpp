// Casts that give NULL for invalid input. tests/integration/casts_test.cpp runs them on the server; here their shape,
// and values as JSON.
#include <gtest/gtest.h>

#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stream/bind_value.hpp>

#include "query/safe_casts.hpp"
#include "readable_sql.hpp"

namespace safe_casts_test {
namespace {

using namespace sluice::detail;
using namespace std::string_literals;
using sluice::bind_value;
using sluice::test::readable;

TEST(SafeCast, IsMadeOnlyOfTextThatFits) {
  for (const auto& [sql, type] : {std::pair{numeric_of("t"), "numeric"}, std::pair{boolean_of("t"), "bool"},
                                  std::pair{uuid_of("t"), "uuid"}, std::pair{inet_of("t"), "inet"}}) {
    const std::string read = readable(sql);
    EXPECT_TRUE(read.starts_with("(case when t ~ ")) << read;
    EXPECT_TRUE(read.ends_with(" then t::"s + type + " end)")) << read;
  }
  EXPECT_TRUE(readable(timestamptz_of("t")).ends_with("t::timestamp at time zone 'UTC' end end)"));
  EXPECT_TRUE(readable(ltree_of("t", "\"app\"")).ends_with(" then t::\"app\".ltree end)"));
}

TEST(SafeCast, LooksUpItsNamesInOneSchema) {
  for (const std::string& sql : {numeric_of("t"), boolean_of("t"), timestamptz_of("t"), uuid_of("t"), inet_of("t")}) {
    EXPECT_EQ(sql.find(" ~ "), sql.npos) << sql;
    EXPECT_NE(sql.find(" operator(pg_catalog.~) "), sql.npos) << sql;
    for (std::size_t at = sql.find("t::"); at != sql.npos; at = sql.find("t::", at + 1))
      EXPECT_EQ(sql.compare(at, 14, "t::pg_catalog."), 0) << sql.substr(at);
  }
}

/// The regular expression of a cast, in the syntax that std::regex shares with the server's.
std::regex expression_in(const std::string& sql) {
  const std::size_t begin = sql.find(".~) ") + 4;
  std::string literal = sql.substr(begin, sql.find(" then ") - begin);
  if (const std::size_t more = literal.find("' and "); more != literal.npos) literal.resize(more + 1);
  const bool is_escaped = literal.starts_with('E');
  literal = literal.substr(is_escaped ? 2 : 1, literal.size() - (is_escaped ? 3 : 2));
  std::string text;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (is_escaped && literal[i] == '\\') ++i;
    text += literal[i];
  }
  return std::regex{text};
}

struct matching {
  std::string sql;
  std::vector<std::string> fit;
  std::vector<std::string> others;
};
TEST(SafeCast, KnowsTheTextsOfItsType) {
  for (const matching& each :
       {matching{numeric_of("t"),
                 {"1", " -1.5e10 ", "+.5", "1.", "1E-0009", "\t0\n"},
                 {"", "1e", "1 2", "0x10", "NaN", "1e10000", "--1", "1,5"}},
        matching{boolean_of("t"),
                 {"t", "TRUE", " yes ", "on", "OFF", "0", "fals", "n"},
                 {"", "o", "2", "truee", "01", "yess"}},
        matching{uuid_of("t"),
                 {"123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000",
                  "{123e4567-e89b-12d3-a456-426614174000}"},
                 {"", "123e4567-e89b-12d3-a456-42661417400", "{123e4567-e89b-12d3-a456-426614174000",
                  "123e4567--e89b-12d3-a456-426614174000", "g23e4567-e89b-12d3-a456-426614174000"}},
        matching{inet_of("t"),
                 {"10.0.0.1", "10.0.0.0/8", "10/8", "010.1.2.3", "::", "::1/128", "1:2:3:4:5:6:7:8", "1::8",
                  "::ffff:10.0.0.1", "1:2:3:4:5:6:10.0.0.1"},
                 {"", "10.0.0", "10.0.0.256", "10.0.0.1/33", "1:2:3", "1::2::3", "::1/129",
                  "12345::", "1:2:3:4:5:6:7:8:9", "10.0.0.1 "}},
        matching{ltree_of("t", "s"), {"a", "A_1.b.2"}, {"", ".", "a.", ".a", "a..b", "a b", "a-b"}}}) {
    const std::regex expression = expression_in(each.sql);
    for (const std::string& text : each.fit)
      EXPECT_TRUE(std::regex_search(text, expression)) << text << ' ' << each.sql;
    for (const std::string& text : each.others)
      EXPECT_FALSE(std::regex_search(text, expression)) << text << ' ' << each.sql;
  }
}

TEST(SafeCast, OfAVectorChecksItsDimensionsAndNumbers) {
  const std::string sql = readable(vector_of("j", "::\"public\".vector", 3));
  EXPECT_TRUE(sql.starts_with("(case when jsonb_typeof(j) = 'array' and jsonb_path_match(j, '$.size() == 3 && "))
      << sql;
  EXPECT_NE(sql.find("@.type() != \"number\""), sql.npos) << sql;
}

TEST(ValueAsJson, IsANumberAsJsonSpellsIt) {
  const auto number = [](const char* text) { return as_json(bind_value::numeric(text)); };
  EXPECT_EQ(as_json(5), "5");
  EXPECT_EQ(as_json(-0.5), "-0.5");
  EXPECT_EQ(number("+007"), "7");
  EXPECT_EQ(number("-00.50"), "-0.50");
  EXPECT_EQ(number(".5"), "0.5");
  EXPECT_EQ(number("5."), "5");
  EXPECT_EQ(number("000"), "0");
  EXPECT_EQ(number("1e+5"), "1e+5");
  EXPECT_EQ(number("5.e5"), "5e5");
}

TEST(ValueAsJson, IsAStringWithItsEscapes) {
  EXPECT_EQ(as_json("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(as_json("\n\x1f"), R"("\u000a\u001f")");
  EXPECT_EQ(as_json("\x7f\xc3\xa9"), "\"\x7f\xc3\xa9\"");
  EXPECT_EQ(as_json(""), R"("")");
  EXPECT_EQ(as_json(bind_value::uuid("123e4567")), R"("123e4567")");
}

TEST(ValueAsJson, IsNullTrueOrADocument) {
  EXPECT_EQ(as_json(nullptr), "null");
  EXPECT_EQ(as_json(std::optional<int>{}), "null");
  EXPECT_EQ(as_json(true), "true");
  EXPECT_EQ(as_json(bind_value::json(R"({"a": [1]})")), R"({"a": [1]})");
}

}  // namespace
}  // namespace safe_casts_test
