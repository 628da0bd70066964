// The language of --where: the SQL for each spelling, and where errors point.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>

#include "transport/printable.hpp"

#include "values.hpp"
#include "where.hpp"

namespace where_test {
namespace {

using namespace sluice::tool;

/// The WHERE clause of a condition.
std::string where(const char* text) {
  const std::string sql = sluice::from("t").where(parse_where(text)).build().text();
  return sql.substr(sql.find(" where ") + 7);
}

struct spelling {
  const char* text;
  sluice::predicate means;
};
std::ostream& operator<<(std::ostream& out, const spelling& one) { return out << one.text; }
class Spelling : public testing::TestWithParam<spelling> {};

TEST_P(Spelling, MeansTheSameAsTheExpression) {
  const sluice::query parsed = sluice::from("t").where(parse_where(GetParam().text)).build();
  const sluice::query meant = sluice::from("t").where(GetParam().means).build();
  EXPECT_EQ(parsed.text(), meant.text());
  ASSERT_EQ(parsed.parameters().size(), meant.parameters().size());
  for (std::size_t i = 0; i < meant.parameters().size(); ++i)
    EXPECT_EQ(parsed.parameters()[i].text(), meant.parameters()[i].text());
}

using sluice::all_of;
using sluice::any_of;
using sluice::bind_value;
using sluice::column;
using sluice::field;
const auto a = field("a");
const auto b = field("b");
const auto c = field("c");

INSTANTIATE_TEST_SUITE_P(
    Where, Spelling,
    testing::Values(
        spelling{"status = 'active'", field("status") == "active"}, spelling{"a == 'it''s'", a == "it's"},
        spelling{"profile.age >= 18", field("profile.age") >= 18},
        spelling{"a<>-1.5e3", a != bind_value::numeric("-1.5e3")}, spelling{"a != true", a != true},
        spelling{"a < 1", a < 1}, spelling{"a <= 1", a <= 1}, spelling{"a > 1", a > 1},
        spelling{"a = null", a.is_null()}, spelling{"a is null", a.is_null()},
        spelling{"A IS NOT NULL", field("A").is_not_null()}, spelling{"a is distinct from 1", a.is_distinct_from(1)},
        spelling{"column(m)::public.citext = 'x'", column("m").as_type("public.citext") == "x"},
        spelling{"depth(a::\"Ext\".ltree) = 2", a.as_type("\"Ext\".ltree").depth() == 2},
        spelling{"\"\".b = 1", field({"", "b"}) == 1}, spelling{"a exists", a.exists()},
        spelling{"\"IMDB Rating\" > 8", field({"IMDB Rating"}) > 8},
        spelling{"\"a.b\".c = 1", field({"a.b", "c"}) == 1}, spelling{"tags.0 = 'x'", field("tags.0") == "x"},
        spelling{"a.0.1 = 'x'", field("a.0.1") == "x"}, spelling{"id in (1,2,3)", field("id").in({1, 2, 3})},
        spelling{"id not in ('x', 'y')", field("id").not_in({"x", "y"})}, spelling{"a in ()", a.in({})},
        spelling{"a between 1 and 5 and b = 1", all_of({a.between(1, 5), b == 1})},
        spelling{"a not between 1 and 5", !a.between(1, 5)}, spelling{"name ilike 'a%'", field("name").ilike("a%")},
        spelling{"a not like '_'", !a.like("_")},
        spelling{"tags contains 'x'", field("tags").contains("x") || field("tags").has("x")},
        spelling{"tags contains 5", field("tags").has(5)}, spelling{"a starts_with 'x'", a.starts_with("x")},
        spelling{"a iends_with 'x'", a.iends_with("x")}, spelling{"a ~ '^x'", a.matches_regex("^x")},
        spelling{"a @> '{}'", a.contains_json("{}")}, spelling{"a <@ '[]'", a.contained_in_json("[]")},
        spelling{"document() @> '{}'", field({}).contains_json("{}")}, spelling{"a has_key 'k'", a.has_key("k")},
        spelling{"a has_any_key ('k', 'l')", a.has_any_key({"k", "l"})},
        spelling{"a @? '$.x'", a.jsonpath_exists("$.x")}, spelling{"a @@ '$.x > 1'", a.jsonpath_matches("$.x > 1")},
        spelling{"a has_all (1, 2)", a.has_all({1, 2})},
        spelling{"array_length(tags) >= 2", field("tags").array_length() >= 2},
        spelling{"a matches ('x & y', 'english')", a.matches("x & y", "english")},
        spelling{"a websearch_query 'x'", a.websearch_query("x")},
        spelling{"ip in_subnet '10.0.0.0/8'", field("ip").in_subnet("10.0.0.0/8")},
        spelling{"ip is_private", field("ip").is_private()}, spelling{"ip not is_loopback", !field("ip").is_loopback()},
        spelling{"depth(path) = 3", field("path").depth() == 3},
        spelling{"a lca_of ('x.y', 'x.z')", a.lca_of({"x.y", "x.z"})},
        spelling{"l2_distance(column(e), '[1, 2.5]') < 2", column("e").l2_distance({1, 2.5}) < 2},
        spelling{"l2_distance(column(e), '[ 1 ,2.5 ]') < 2", column("e").l2_distance({1, 2.5}) < 2},
        spelling{"hamming_distance(column(e), '101') < 2", column("e").hamming_distance("101") < 2},
        spelling{"column(created_at) > timestamptz '2024-01-01'",
                 column("created_at") > bind_value::timestamptz("2024-01-01")},
        spelling{"a::int > 5", a.as_numeric() > 5},
        spelling{"a::timestamptz < '2024-01-01'", a.as_timestamptz() < "2024-01-01"},
        spelling{"a = uuid '00000000-0000-0000-0000-000000000000'",
                 a == bind_value::uuid("00000000-0000-0000-0000-000000000000")},
        spelling{"not (a = 1 or b = 2) and c = 3", all_of({!any_of({a == 1, b == 2}), c == 3})},
        spelling{"a = 1 or b = 2 and not c = 3", any_of({a == 1, all_of({b == 2, !(c == 3)})})},
        spelling{"\n a\t= 1 ", a == 1}));

TEST(ParseWhere, BindsEveryValue) { EXPECT_EQ(where("a = 'x'' or 1=1 --'").find("1=1"), std::string::npos); }

struct mistake {
  const char* text;
  const char* says;
  std::size_t at;
};
std::ostream& operator<<(std::ostream& out, const mistake& one) { return out << sluice::printable(one.text); }
class Mistake : public testing::TestWithParam<mistake> {};

TEST_P(Mistake, IsShownWhereItIs) {
  try {
    (void)parse_where(GetParam().text);
    ADD_FAILURE() << "no error";
  } catch (const usage_error& e) {
    const std::string said = e.what();
    EXPECT_NE(said.find(GetParam().says), std::string::npos) << said;
    const std::size_t caret = said.rfind('\n');
    EXPECT_EQ(said.substr(caret + 1), "  " + std::string(GetParam().at, ' ') + '^') << said;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Where, Mistake,
    testing::Values(
        mistake{"", "expected the name of a field", 0}, mistake{"a", "expected an operator", 1},
        mistake{"a = ", "expected a value", 4}, mistake{"a = b", "expected a value", 4},
        mistake{"a = 'x", "never closed", 4}, mistake{"\"a = 1", "never closed", 0},
        mistake{"a = 1 b", "expected 'and', 'or' or the end", 6}, mistake{"(a = 1", "expected ')'", 6},
        mistake{"a in 1", "expected '('", 5}, mistake{"a in (1", "expected ',' or ')'", 7},
        mistake{"a between 1 or 2", "expected 'and'", 12}, mistake{"a ? 1", "unexpected character", 2},
        mistake{"a. = 1", "expected a name after the dot", 3}, mistake{"a::date = 1", "expected a type", 3},
        mistake{"a::ext.1 = 1", "expected the name of a type", 7}, mistake{"nosuch(a) = 1", "no such function", 0},
        mistake{"a = 5x", "a number with letters", 4}, mistake{"a in (1, 'x')", "different kinds", 2},
        mistake{"a < null", "is_null", 2}, mistake{"column('x') = 1", "expected the name of a column", 7},
        mistake{"column() = 1", "expected the name of a column", 7}, mistake{"a : 1", "expected an operator", 2},
        mistake{"first-name = 1", "double quotes", 5}, mistake{"a\xc2\xa0= 1", "cannot be seen", 1},
        mistake{"\xc3\xa4\xff = 1", "not UTF-8", 1}, mistake{"l2_distance(e, '[1-2]') < 2", "a vector is written", 15},
        mistake{"l2_distance(e, '[1 2]') < 2", "a vector is written", 15},
        mistake{"l2_distance(e, '[1,]') < 2", "a vector is written", 15},
        mistake{"l2_distance(e, '[,1]') < 2", "a vector is written", 15},
        mistake{"l2_distance(e, '1, 2') < 2", "a vector is written", 15},
        mistake{"l2_distance(e, '[1') < 2", "a vector is written", 15},
        mistake{"l2_distance(e, '') < 2", "a vector is written", 15}, mistake{"a not = 1", "after 'not'", 6},
        mistake{"l2_distance(a, 'x') < 1", "a vector is written", 15}, mistake{"\xc3\xa4 = ", "expected a value", 4}));

TEST(ParseWhere, RefusesToNestWithoutEnd) {
  const std::string deep = std::string(100'000, '(') + "a = 1";
  EXPECT_THROW((void)parse_where(deep), usage_error);
  EXPECT_THROW((void)parse_where(std::string(99, '(') + "a = 1"), usage_error) << "not closed";
  std::string measures;
  for (int i = 0; i < 100'000; ++i) measures += "depth(";
  EXPECT_THROW((void)parse_where(measures + "a"), usage_error);
}

TEST(WholeNumbers, AreComparedWithColumnsAsAnIndexServesThem) {
  for (const auto& [text, bound] : std::initializer_list<std::pair<const char*, const char*>>{
           {"column(id) = 5", "(\"id\" operator(pg_catalog.=) $1::pg_catalog.int8)"},
           {"column(id) in (5, -6)", "(\"id\" operator(pg_catalog.=) any($1::pg_catalog.int8[]))"},
           {"column(id) in (5, 6.5)", "(\"id\" operator(pg_catalog.=) any($1::pg_catalog.numeric[]))"},
           {"column(id) = 5.0", "(\"id\" operator(pg_catalog.=) $1::pg_catalog.numeric)"},
           {"column(id) = 5e3", "(\"id\" operator(pg_catalog.=) $1::pg_catalog.numeric)"},
           {"column(id) = 9223372036854775808", "(\"id\" operator(pg_catalog.=) $1::pg_catalog.numeric)"},
       })
    EXPECT_NE(where(text).find(bound), std::string::npos) << where(text);
}

}  // namespace
}  // namespace where_test
