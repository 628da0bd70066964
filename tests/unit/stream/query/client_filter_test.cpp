// Conditions on received documents. tests/integration/pushdown_test.cpp compares their answers with the server's.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/predicate.hpp>

#include "backend.hpp"
#include "document_row.hpp"
#include "query/client_filter.hpp"

namespace client_filter_test {
namespace {

using sluice::bind_value;
using sluice::column;
using sluice::field;
using sluice::local;
using sluice::operand;
using sluice::predicate;
using sluice::row;
using sluice::detail::client_filter;
using sluice::detail::runs_on_client;
using sluice::test::document_row;

bool holds(const predicate& what, std::string_view document) {
  return client_filter{what.made()}.matches(document_row{document}.row());
}

const operand v = field("v");

TEST(ClientFilter, ComparesNumbersWithAllTheirDigits) {
  EXPECT_TRUE(holds(v == 1, R"({"v": 1.00})"));
  EXPECT_TRUE(holds(v == 1, R"({"v": 10e-1})"));
  EXPECT_TRUE(holds(v > bind_value::numeric("9007199254740992"), R"({"v": 9007199254740993})"));
  EXPECT_FALSE(holds(v == bind_value::numeric("9007199254740992"), R"({"v": 9007199254740993})"));
  EXPECT_TRUE(holds(v < 0, R"({"v": -1e-400})"));
  EXPECT_TRUE(holds(v.between(1, 2), R"({"v": 2})"));
  EXPECT_FALSE(holds(v.between(1, 2), R"({"v": 2.0001})"));
}

TEST(ClientFilter, TakesNoTypeForAnother) {
  for (const char* const document : {R"({"v": "1"})", R"({"v": true})", R"({"v": [1]})", R"({"v": {"v": 1}})",
                                     R"({"v": null})", "{}", R"([1])", "1"}) {
    EXPECT_FALSE(holds(v == 1, document)) << document;
    EXPECT_FALSE(holds(v != 1, document)) << document;
    EXPECT_FALSE(holds(v.in({1, 2}), document)) << document;
    EXPECT_FALSE(holds(v.not_in({3, 4}), document)) << document;
  }
  EXPECT_FALSE(holds(v == "true", R"({"v": true})"));
  EXPECT_TRUE(holds(v == true, R"({"v": true})"));
  EXPECT_TRUE(holds(v > false, R"({"v": true})"));
}

TEST(ClientFilter, ReadsAnyValueAsItsText) {
  EXPECT_TRUE(holds(v.as_text() == "1.50", R"({"v": 1.50 })"));
  EXPECT_TRUE(holds(v.as_text() == "true", R"({"v": true})"));
  EXPECT_TRUE(holds(v.as_text() == "a\"b", R"({"v": "a\"b"})"));
  EXPECT_TRUE(holds(v.as_text().like("[1,%"), R"({"v": [1, 2]})"));
  EXPECT_FALSE(holds(v.as_text() == "null", R"({"v": null})"));
}

TEST(ClientFilter, ComparesStringsByTheirBytes) {
  EXPECT_TRUE(holds(v < "b", R"({"v": "a"})"));
  EXPECT_TRUE(holds(v > "Z", R"({"v": "a"})"));
  EXPECT_TRUE(holds(v == "\xc3\xa9", R"({"v": "\u00e9"})"));
  EXPECT_TRUE(holds(v.in({"a", "b"}), R"({"v": "b"})"));
  EXPECT_TRUE(holds(v.not_in({"a", "b"}), R"({"v": ""})"));
  EXPECT_FALSE(holds(v.in(std::vector<bind_value>{}), R"({"v": ""})"));
}

TEST(ClientFilter, MatchesPatternsOfStringsAlone) {
  EXPECT_TRUE(holds(v.starts_with("a%"), R"({"v": "a%b"})"));
  EXPECT_FALSE(holds(v.starts_with("a%"), R"({"v": "axb"})"));
  EXPECT_TRUE(holds(v.icontains("B"), R"({"v": "abc"})"));
  EXPECT_FALSE(holds(v.like("%"), R"({"v": 12})"));
  EXPECT_FALSE(holds(v.like("%"), R"({"v": null})"));
}

TEST(ClientFilter, TellsAMissingFieldFromNull) {
  EXPECT_TRUE(holds(v.exists(), R"({"v": null})"));
  EXPECT_FALSE(holds(v.exists(), R"({"w": 1})"));
  for (const char* const document : {R"({"v": null})", R"({"w": 1})", "[]", "null", "7"}) {
    EXPECT_TRUE(holds(v.is_null(), document)) << document;
    EXPECT_FALSE(holds(v.is_not_null(), document)) << document;
  }
  EXPECT_TRUE(holds(v.is_not_null(), R"({"v": {}})"));
}

TEST(ClientFilter, FollowsPathsThroughObjectsAndArrays) {
  EXPECT_TRUE(holds(field("a.b.1.c") == 7, R"({"a": {"b": [0, {"c": 7}]}})"));
  EXPECT_TRUE(holds(field("a.1") == 7, R"({"a": {"1": 7}})")) << "a key that looks like an index";
  EXPECT_FALSE(holds(field("a.2").exists(), R"({"a": [0, 1]})"));
  EXPECT_FALSE(holds(field("a.b").exists(), R"({"a": [0, 1]})"));
  EXPECT_FALSE(holds(field("a.-1").exists(), R"({"a": [0, 1]})"));
  EXPECT_TRUE(holds(field({"a.b", ""}) == 1, R"({"a.b": {"": 1}})"));
}

TEST(ClientFilter, KnowsKeysByTheirMeaning) {
  EXPECT_TRUE(holds(field("v") == 1, R"({"\u0076": 1})"));
  EXPECT_TRUE(holds(field({"a\"b"}) == 1, R"({"a\"b": 1})"));
  EXPECT_FALSE(holds(field(std::vector{std::string(200, 'v')}).exists(), R"({"v": 1})")) << "longer than the document";
  EXPECT_TRUE(holds(v == 1, R"({"vv": 2, "v": 1, "v": 3})")) << "the first of two";
}

TEST(ClientFilter, LooksIntoArraysAndKeys) {
  EXPECT_TRUE(holds(v.has(2), R"({"v": [1, 2.0]})"));
  EXPECT_TRUE(holds(v.has(nullptr), R"({"v": [null]})"));
  EXPECT_FALSE(holds(v.has("2"), R"({"v": [2]})"));
  EXPECT_TRUE(holds(v.has_any({"x", "b"}), R"({"v": ["a", "b"]})"));
  EXPECT_FALSE(holds(v.has_all({"a", "x"}), R"({"v": ["a", "b"]})"));
  EXPECT_TRUE(holds(v.has_all({}), R"({"v": []})"));
  EXPECT_FALSE(holds(v.has_all({}), R"({"v": {}})"));
  EXPECT_TRUE(holds(v.has_key("a"), R"({"v": {"a": null}})"));
  EXPECT_TRUE(holds(v.has_any_key({"x", "a"}), R"({"v": {"\u0061": 1}})"));
  EXPECT_FALSE(holds(v.has_all_keys({"x", "a"}), R"({"v": {"a": 1}})"));
  EXPECT_TRUE(holds(v.array_length() == 2, R"({"v": [1, [2, 3]]})"));
  EXPECT_FALSE(holds(v.array_length() >= 0, R"({"v": {}})"));
}

TEST(ClientFilter, CombinesConditionsOnOneDocument) {
  const predicate both = v == 1 && field("w") == 2;
  const predicate either = v == 1 || field("w") == 2;
  EXPECT_TRUE(holds(both, R"({"w": 2, "v": 1})"));
  EXPECT_FALSE(holds(both, R"({"w": 2})"));
  EXPECT_TRUE(holds(either, R"({"w": 2})"));
  EXPECT_TRUE(holds(!both, R"({"w": 2})"));
  EXPECT_TRUE(holds(!(v == 1), "{}"));
  const predicate by_size = local([](const row& each) { return each.text().size() == 2; });
  EXPECT_TRUE(holds(by_size && v.is_null(), "{}"));
}

TEST(ClientFilter, FindsNothingInADocumentThatIsCutOffOrNull) {
  for (const char* bad :
       {"", " ", "{", R"({"v")", R"({"v":)", R"({"v": })", R"({"v": 1x})", R"({"w": [1, "v": 1})", "\xff"})
    EXPECT_FALSE(holds(v == 1, bad)) << bad;
  client_filter filter{(v == 1).made()};
  EXPECT_FALSE(filter.matches(document_row{R"({"w": [)"}.row()));
  EXPECT_TRUE(filter.matches(document_row{R"({"v": 1})"}.row())) << "the next one is not affected";
  const std::string null = sluice::test::be16(1) + sluice::test::be32(0xffffffff);
  EXPECT_FALSE(filter.matches(row{reinterpret_cast<const std::byte*>(null.data())}));
}

TEST(RunsOnClient, OnlyWhatGivesTheServersAnswerThere) {
  for (const predicate& one : {v == 1, v.as_text() < "a", v.like("a"), v.is_null(), v.exists(), v.has_key("a"),
                               v.has_any({1, "a", true, nullptr}), v.array_length() > 1})
    EXPECT_TRUE(runs_on_client(*one.made())) << describe(*one.made());
  for (const predicate& one :
       {column("n") == 1, field({}).has_key("a"), v.as_numeric() == 1, v.as_timestamptz() < "2024-01-01",
        v == bind_value::json("{}"), v == bind_value::uuid("00000000-0000-0000-0000-000000000000"),
        v.matches_regex("a"), v.contains_json("{}"), v.has(bind_value::json("{}")), v.depth() > 1,
        v.in_subnet("10.0.0.0/8")})
    EXPECT_FALSE(runs_on_client(*one.made())) << describe(*one.made());
}

}  // namespace
}  // namespace client_filter_test
