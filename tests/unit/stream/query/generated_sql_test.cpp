// Every name in generated SQL has a schema: an unqualified name could resolve to another role's object in the
// search_path.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/query.hpp>

#include "every_condition.hpp"

namespace generated_sql_test {
namespace {

using sluice::from;
using sluice::test::every_condition;
using sluice::test::every_distance;
using sluice::test::every_key;

constexpr std::array keywords{"select", "from",  "where", "and",  "or",      "not",    "is",   "null",  "true",
                              "false",  "case",  "when",  "then", "else",    "end",    "any",  "all",   "array",
                              "as",     "order", "by",    "desc", "nulls",   "first",  "last", "limit", "offset",
                              "exists", "at",    "time",  "zone", "collate", "element"};

/// Names without a schema, and grammar operators that are looked up without one: LIKE, IN, BETWEEN, NULLIF ...
std::vector<std::string> without_schema(std::string_view sql) {
  std::vector<std::string> found;
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  bool after_dot = false;   // the name before the dot is the schema
  bool after_cast = false;  // after ::
  std::string last;
  for (std::size_t at = 0; at < sql.size();) {
    const char c = sql[at];
    std::string token;
    if (c == '\'' || c == '"') {
      const bool escapes = c == '\'' && at > 0 && sql[at - 1] == 'E';
      std::size_t end = at + 1;
      while (sql[end] != c) end += escapes && sql[end] == '\\' ? 2U : 1U;
      token = sql.substr(at, end + 1 - at);
      at = end + 1;
    } else if (is_word(c) || c == '$') {
      std::size_t end = at + 1;
      while (end < sql.size() && is_word(sql[end])) ++end;
      token = sql.substr(at, end - at);
      at = end;
    } else if (sql.substr(at).starts_with("operator(")) {
      at += 9;
      continue;
    } else if (sql.substr(at, 2) == "::") {
      after_cast = true;
      at += 2;
      continue;
    } else if (c == '.') {
      after_dot = true;
      ++at;
      continue;
    } else if (std::string_view{" \n(),[]"}.find(c) != std::string_view::npos) {
      ++at;
      continue;
    } else {
      std::size_t end = at + 1;
      while (end < sql.size() && std::string_view{"+-*/<>=~!@#%^&|`?"}.find(sql[end]) != std::string_view::npos) ++end;
      token = sql.substr(at, end - at);
      at = end;
      if (!after_dot) found.push_back("the operator " + token);
      after_dot = false;
      continue;
    }
    const bool is_schema = at < sql.size() && sql[at] == '.';
    const bool is_name = is_word(token.front()) && std::isdigit(static_cast<unsigned char>(token.front())) == 0;
    if (token == "operator" && sql[at] == '(') {
      ++at;
      continue;
    }
    const bool is_known = std::ranges::find(keywords, token) != keywords.end() || token == "E";
    if (is_name && !is_schema && !after_dot && !is_known) found.push_back("the name " + token);
    if (after_cast && !is_schema && !after_dot) found.push_back("the type " + token);
    if (token == "when" && last != "case" && last != "end") found.push_back("a case with a value");
    after_cast = after_cast && is_schema;
    after_dot = false;
    last = token;
  }
  return found;
}

void expect_schemas(const sluice::query& asked) {
  for (const std::string& each : without_schema(asked.text())) ADD_FAILURE() << each << " in\n" << asked.text();
}

TEST(WithoutSchema, FindsWhatIsNotQualified) {
  EXPECT_EQ(without_schema("select 'a'::text"), std::vector<std::string>({"the name text", "the type text"}));
  EXPECT_EQ(without_schema("select a = 1"), std::vector<std::string>({"the name a", "the operator ="}));
  EXPECT_EQ(without_schema("select \"a\" like E'\\'='"), std::vector<std::string>({"the name like"}));
  EXPECT_EQ(without_schema("select lower(\"a\")"), std::vector<std::string>({"the name lower"}));
  EXPECT_EQ(without_schema("case \"a\" when 1"), std::vector<std::string>({"a case with a value"}));
  EXPECT_EQ(without_schema("select pg_catalog.lower(\"a\") operator(pg_catalog.=) $1::\"public\".citext").size(), 0U);
}

TEST(GeneratedSql, NamesTheSchemaInEveryCondition) {
  for (const sluice::predicate& each : every_condition()) expect_schemas(from("t").where(each));
  for (const sluice::predicate& each : every_distance()) expect_schemas(from("t").where(!each));
}

TEST(GeneratedSql, NamesTheSchemaInEveryKey) {
  for (const sluice::operand& each : every_key()) {
    expect_schemas(from("t").order_by(each).after({"1"}));
    expect_schemas(from("t").order_by(sluice::desc(each).nulls_last()).after({nullptr}).limit(1).offset(1));
  }
  expect_schemas(from("t").order_by(sluice::column("e").l2_distance({1})).after({1}));
}

TEST(GeneratedSql, NamesTheSchemaInAProjection) {
  std::vector<sluice::projection> fields;
  for (int i = 0; i < 60; ++i) fields.emplace_back("a.f" + std::to_string(i));
  expect_schemas(from("t").select(fields));
}

}  // namespace
}  // namespace generated_sql_test
