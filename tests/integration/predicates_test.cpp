// Every operator against a real server: which rows match, and that rows of another shape neither match nor cause an
// error.
#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>
#include <vector>

#include <sluice/stream/json.hpp>

#include "cluster.hpp"
#include "faces.hpp"
#include "readable_sql.hpp"

namespace predicates_test {
namespace {

using namespace sluice::test;
using sluice::all_of;
using sluice::any_of;
using sluice::bind_value;
using sluice::column;
using sluice::field;
using sluice::from;
using sluice::predicate;
using sluice::sql_predicate;

/// A field "v" of every shape, and columns of every type that operators support.
void make_table() {
  psql(R"(
    create extension if not exists ltree;
    create extension if not exists pg_trgm;
    drop table if exists shapes;
    create table shapes (id text, n int, f float8, name text, at timestamptz, tags text[], host inet, path ltree,
                         key uuid, data jsonb);
    insert into shapes (id, data) values
      ('none',    '{}'),
      ('null',    '{"v": null}'),
      ('true',    '{"v": true}'),
      ('false',   '{"v": false}'),
      ('zero',    '{"v": 0}'),
      ('five',    '{"v": 5}'),
      ('half',    '{"v": 5.5}'),
      ('huge',    '{"v": 123456789012345678901234567890}'),
      ('empty',   '{"v": ""}'),
      ('text5',   '{"v": "5"}'),
      ('abc',     '{"v": "abc"}'),
      ('upper',   '{"v": "ABC"}'),
      ('percent', '{"v": "a%c"}'),
      ('quote',   '{"v": "it''s \"x\" \\ y"}'),
      ('umlaut',  '{"v": "\u00e4bc"}'),
      ('array',   '{"v": [1, "a", null, true, 2.50]}'),
      ('words',   '{"v": ["a", "b"]}'),
      ('nothing', '{"v": []}'),
      ('object',  '{"v": {"a": 1, "b": {"c": "deep"}}}'),
      ('date',    '{"v": "2024-02-29"}'),
      ('nodate',  '{"v": "2023-02-29"}'),
      ('moment',  '{"v": "2024-03-01T12:00:00.5+02:00"}'),
      ('uuid',    '{"v": "123E4567-e89b-12d3-a456-426614174000"}'),
      ('ip4',     '{"v": "10.1.2.3"}'),
      ('net4',    '{"v": "192.168.0.0/16"}'),
      ('loop6',   '{"v": "::1"}'),
      ('doc6',    '{"v": "2001:db8::7"}'),
      ('noip',    '{"v": "300.1.2.3"}'),
      ('tree',    '{"v": "top.science.physics"}'),
      ('branch',  '{"v": "top.science"}'),
      ('story',   '{"v": "The quick brown foxes jumped"}'),
      ('bool',    '{"v": "true"}'),
      ('big',     '{"v": "1e999999"}');
    insert into shapes (id, n, f, name, at, tags, host, path, key, data) values
      ('columns', 7, 1.5, 'Ada', '2024-05-01 00:00+00', '{x,y}', '127.0.0.1', 'top.art',
       '00000000-0000-0000-0000-00000000000a', '{}');
    update shapes set data = data || jsonb_build_object('id', id);
    drop table if exists shapes_json;
    create table shapes_json as select id, n, f, name, at, tags, host, path, key, data::json from shapes;
  )");
}

/// The ids of the rows that match, or the error.
std::string matching(sluice::relation of, const predicate& condition) {
  const sluice::query asked = of.where(condition).order_by(sluice::sort_key{column("id")}.collate("C")).build();
  std::string ids;
  try {
    sluice::client db{dsn()};
    for (const sluice::row each : db.stream(asked)) {
      sluice::json_document document = each.json();
      ids += (ids.empty() ? "" : " ") + std::string{document["id"].get_string().value()};
    }
  } catch (const sluice::error& e) {
    return std::string{e.what()} + '\n' + asked.explain();
  }
  return ids;
}

struct operator_case {
  const char* name;
  predicate condition;
  const char* matches;
};
std::ostream& operator<<(std::ostream& out, const operator_case& one) { return out << one.name; }

class Operator : public testing::TestWithParam<operator_case> {
 protected:
  static void SetUpTestSuite() { make_table(); }
};

TEST_P(Operator, MatchesTheseRowsAndNoOthers) {
  EXPECT_EQ(matching(from("shapes"), GetParam().condition), GetParam().matches) << "jsonb";
  EXPECT_EQ(matching(from("shapes_json"), GetParam().condition), GetParam().matches) << "json";
}

const auto v = field("v");
const auto moment = std::chrono::sys_days{std::chrono::year{2024} / 3 / 1};

INSTANTIATE_TEST_SUITE_P(
    Comparison, Operator,
    testing::Values(
        operator_case{"Text", v == "abc", "abc"}, operator_case{"TextOfANumber", v == "5", "text5"},
        operator_case{"Number", v == 5, "five"}, operator_case{"Double", v == 5.5, "half"},
        operator_case{"BeyondADouble", v == bind_value{123456789012345678ULL}, ""},
        operator_case{"Boolean", v == true, "true"}, operator_case{"OtherBoolean", v != false, "true"},
        operator_case{"OtherText", v != "abc" && v.ends_with("bc"), "umlaut"},
        operator_case{"OtherNumber", v != 5, "half huge zero"}, operator_case{"Less", v < 5.5, "five zero"},
        operator_case{"AtMost", v <= 5.5, "five half zero"}, operator_case{"Greater", v > 5, "half huge"},
        operator_case{"AtLeast", v >= 5, "five half huge"}, operator_case{"TextOrder", v >= "abc" && v < "b", "abc"},
        operator_case{"Distinct", v.is_distinct_from(5) && v.is_not_null() && v.as_numeric() >= 0,
                      "half huge text5 zero"},
        operator_case{"DistinctWhereNothingIs", v.is_distinct_from("abc") && v.is_null(), "columns none null"},
        operator_case{"EqualsNull", v == nullptr, "columns none null"},
        operator_case{"AsText", v.as_text() == "5", "five text5"},
        operator_case{"AsTextOfABoolean", v.as_text() == "true", "bool true"},
        operator_case{"AsNumeric", v.as_numeric() == 5, "five text5"},
        operator_case{"AsBool", v.as_bool() == true, "bool true"}, operator_case{"Moment", v > moment, "moment"},
        operator_case{"MomentAtMost", v <= moment, "date"},
        operator_case{"AsMoment", v.as_timestamptz() >= "2024-02-29 00:00+00", "date moment"},
        operator_case{"Uuid", v == bind_value::uuid("123e4567-e89b-12d3-a456-426614174000"), "uuid"},
        operator_case{"AsUuid", v.as_uuid() > "00000000-0000-0000-0000-000000000000", "uuid"},
        operator_case{"Json", v == bind_value::json(R"(["a","b"])"), "words"},
        operator_case{"Column", column("n") == 7, "columns"},
        operator_case{"ColumnOfDoubles", column("f") < 2.0, "columns"},
        operator_case{"ColumnOfText", column("name") == "Ada", "columns"},
        operator_case{"ColumnOfMoments", column("at") > moment, "columns"},
        operator_case{"ColumnOfUuids", column("key") == "00000000-0000-0000-0000-00000000000A", "columns"}));

INSTANTIATE_TEST_SUITE_P(
    Sets, Operator,
    testing::Values(operator_case{"InTexts", v.in({"abc", "5", "nobody"}), "abc text5"},
                    operator_case{"InNumbers", v.in(std::vector{5, 0, 7}), "five zero"},
                    operator_case{"InBooleans", v.in({true}), "true"},
                    operator_case{"InNothing", v.in({}) || v == 5, "five"},
                    operator_case{"NotInNumbers", v.not_in({5, 0}), "half huge"},
                    operator_case{"NotInNothing", v.not_in({}) && v.is_null(), "columns none null"},
                    operator_case{"Between", v.between(0, 5.5), "five half zero"},
                    operator_case{"ColumnInNumbers", column("n").in({1, 7}), "columns"},
                    operator_case{"ColumnInNumbersOfTwoTypes", column("n").in({1, 7, 0.5}), "columns"},
                    operator_case{"ColumnBetweenNumbersOfTwoTypes", column("n").between(6, 7.5), "columns"},
                    operator_case{"ColumnInTexts", column("name").in({"Ada", "it's"}), "columns"}));

INSTANTIATE_TEST_SUITE_P(
    Text, Operator,
    testing::Values(operator_case{"Like", v.like("a%c"), "abc percent"},
                    operator_case{"LikeOne", v.like("_bc"), "abc umlaut"},
                    operator_case{"Ilike", v.ilike("aBc"), "abc upper"},
                    operator_case{"Contains", v.contains("%"), "percent"},
                    operator_case{"ContainsQuotes", v.contains("'s \"x\" \\"), "quote"},
                    operator_case{"Icontains", v.icontains("BC"), "abc umlaut upper"},
                    operator_case{"StartsWith", v.starts_with("a%"), "percent"},
                    operator_case{"IstartsWith", v.istarts_with("THE"), "story"},
                    operator_case{"EndsWith", v.ends_with("bc"), "abc umlaut"},
                    operator_case{"IendsWith", v.iends_with("Bc"), "abc umlaut upper"},
                    operator_case{"Regex", v.matches_regex("^[[:alpha:]]{3}$"), "abc umlaut upper"},
                    operator_case{"AsTextOfNumbers", v.as_text().starts_with("5"), "five half text5"}));

INSTANTIATE_TEST_SUITE_P(Null, Operator,
                         testing::Values(operator_case{"IsNull", v.is_null(), "columns none null"},
                                         operator_case{"IsNotNull", v.is_not_null() && v.as_text() == "", "empty"},
                                         operator_case{"Exists", v.exists() && v.is_null(), "null"},
                                         operator_case{"Deep", field("v.b.c") == "deep", "object"},
                                         operator_case{"DeepIntoSomethingElse", field("v.a.c").is_not_null(), ""},
                                         operator_case{"Element", field("v.0") == "a", "words"},
                                         operator_case{"ColumnIsNull", !column("n").is_null(), "columns"}));

INSTANTIATE_TEST_SUITE_P(
    Documents, Operator,
    testing::Values(operator_case{"Contains", v.contains_json(R"({"b": {"c": "deep"}})"), "object"},
                    operator_case{"WholeContains", field({}).contains_json(R"({"v": 5})"), "five"},
                    operator_case{"ContainedIn", v.contained_in_json(R"(["a", "b", "c"])"), "nothing words"},
                    operator_case{"HasKey", v.has_key("a"), "object"},
                    operator_case{"HasAnyKey", v.has_any_key({"x", "b"}), "object"},
                    operator_case{"HasAllKeys", v.has_all_keys({"a", "b"}), "object"},
                    operator_case{"HasNotAllKeys", v.has_all_keys({"a", "x"}), ""},
                    operator_case{"Jsonpath", v.jsonpath_exists("$.b.c ? (@ starts with \"d\")"), "object"},
                    operator_case{"JsonpathWithVariables",
                                  field({}).jsonpath_exists("$.v ? (@ == $wanted)", R"({"wanted": 5})"), "five"},
                    operator_case{"JsonpathMatches", field({}).jsonpath_matches("$.v > 5"), "half huge"},
                    operator_case{"JsonpathMatchesWithVariables",
                                  field({}).jsonpath_matches("$.v > $least", R"({"least": 5.2})"), "half huge"}));

INSTANTIATE_TEST_SUITE_P(Arrays, Operator,
                         testing::Values(operator_case{"HasText", v.has("a"), "array words"},
                                         operator_case{"HasNumber", v.has(2.5), "array"},
                                         operator_case{"HasNull", v.has(nullptr), "array"},
                                         operator_case{"HasAny", v.has_any({"b", "z"}), "words"},
                                         operator_case{"HasAll", v.has_all({"a", "b"}), "words"},
                                         operator_case{"HasAllOfNothing", v.has_all({}), "array nothing words"},
                                         operator_case{"Length", v.array_length() == 2, "words"},
                                         operator_case{"LengthAtLeast", v.array_length() >= 1, "array words"},
                                         operator_case{"ColumnHas", column("tags").has("x"), "columns"},
                                         operator_case{"ColumnHasAny", column("tags").has_any({"z", "y"}), "columns"},
                                         operator_case{"ColumnHasAll", column("tags").has_all({"x", "z"}), ""},
                                         operator_case{"ColumnLength", column("tags").array_length() > 1, "columns"}));

INSTANTIATE_TEST_SUITE_P(
    FullText, Operator,
    testing::Values(operator_case{"Matches", v.matches("fox & jump", "english"), "story"},
                    operator_case{"Plain", v.plain_query("jumping fox", "english"), "story"},
                    operator_case{"Phrase", v.phrase_query("quick brown", "english"), "story"},
                    operator_case{"PhraseInAnotherOrder", v.phrase_query("brown quick", "english"), ""},
                    operator_case{"Websearch", v.websearch_query("\"quick brown\" -cat", "english"), "story"},
                    operator_case{"OfAColumn", column("name").matches("ada"), "columns"}));

INSTANTIATE_TEST_SUITE_P(
    Network, Operator,
    testing::Values(operator_case{"InSubnet", v.in_subnet("10.0.0.0/8"), "ip4"},
                    operator_case{"InSubnetOrEqual", v.in_subnet("192.168.0.0/16"), "net4"},
                    operator_case{"ContainsSubnet", v.contains_subnet("192.168.7.0/24"), "net4"},
                    operator_case{"ContainsIp", v.contains_subnet("192.168.7.1"), "net4"},
                    operator_case{"Overlaps", v.overlaps("192.0.0.0/8"), "net4"},
                    operator_case{"Ipv4", v.is_ipv4(), "ip4 net4"}, operator_case{"Ipv6", v.is_ipv6(), "doc6 loop6"},
                    operator_case{"Private", v.is_private(), "ip4 net4"},
                    operator_case{"Loopback", v.is_loopback(), "loop6"},
                    operator_case{"ColumnLoopback", column("host").is_loopback(), "columns"},
                    operator_case{"Documentation", v.is_documentation(), "doc6"},
                    operator_case{"Others", v.is_multicast() || v.is_link_local() || v.is_carrier_grade(), ""}));

INSTANTIATE_TEST_SUITE_P(
    Tree, Operator,
    testing::Values(operator_case{"Descendant", v.descendant_of("top.science"), "branch tree"},
                    operator_case{"Ancestor", v.ancestor_of("top.science.physics.optics"), "branch tree"},
                    operator_case{"Lquery", v.matches_lquery("top.*{2}"), "tree"},
                    operator_case{"Ltxtquery", v.matches_ltxtquery("science & !physics"), "branch"},
                    operator_case{"AnyLquery", v.matches_any_lquery({"*.art", "*.physics"}), "tree"},
                    operator_case{"ColumnAnyLquery", column("path").matches_any_lquery({"*.art"}), "columns"},
                    operator_case{"Lca", v.lca_of({"top.science.physics.a", "top.science.physics.b"}), "tree"},
                    operator_case{"Depth", v.depth() == 3 && v.starts_with("top"), "tree"},
                    operator_case{"ColumnDepth", column("path").depth() == 2, "columns"}));

INSTANTIATE_TEST_SUITE_P(
    Logic, Operator,
    testing::Values(operator_case{"AndOr", (v == 5 || v == "abc") && !(v == "abc"), "five"},
                    operator_case{"NotMatchesWhatIsMissing", !(v != "abc") && v.is_null(), "columns none null"},
                    operator_case{"NotNot", !!(v == 5), "five"},
                    operator_case{"NotOfATree", !(v.is_null() || v.as_text() != "5"), "five text5"},
                    operator_case{"AllOfNone", all_of({}) && v == 5, "five"},
                    operator_case{"AnyOfNone", any_of({}) || v == 5, "five"},
                    operator_case{"Sql", sql_predicate("length(id) = $1 -- a comment", {3}) && v == "abc", "abc"},
                    operator_case{"SqlBesideOthers",
                                  v == 5 && sql_predicate("$1 <> '$2' and id = $1", {"five"}) && v > 4, "five"},
                    operator_case{"SqlIsInParentheses", v == 5 && sql_predicate("false or true"), "five"}));

TEST(Vector, OperatorsAreWrittenForTheExtension) {
  const auto sql = [](const predicate& p) { return from("t").where(p).build().text(); };
  const auto e = column("e");
  EXPECT_EQ(readable(sql(e.l2_distance({1, 0.5}) < 2.0)),
            R"(select "data" from "t" where (((("e")::vector <-> $1::vector) < $2::float8)))");
  EXPECT_EQ(readable(sql(e.cosine_distance({1}) < 2)),
            R"(select "data" from "t" where (((("e")::vector <=> $1::vector) < $2::float8)))");
  EXPECT_EQ(readable(sql(e.inner_product({1}) < 2)),
            R"(select "data" from "t" where (((("e")::vector <#> $1::vector) < $2::float8)))");
  EXPECT_EQ(readable(sql(e.l1_distance({1}) < 2)),
            R"(select "data" from "t" where (((("e")::vector <+> $1::vector) < $2::float8)))");
  EXPECT_EQ(readable(sql(e.hamming_distance("101") < 2)),
            R"(select "data" from "t" where (((("e")::bit <~> $1::bit(3)) < $2::float8)))");
  EXPECT_EQ(readable(sql(e.jaccard_distance("101") < 2)),
            R"(select "data" from "t" where (((("e")::bit <%> $1::bit(3)) < $2::float8)))");
}

TEST(Predicates, RefuseWhatCannotBe) {
  EXPECT_THROW((void)(v < nullptr), sluice::error);
  EXPECT_THROW((void)v.in({1, "a"}), sluice::error);
  EXPECT_THROW((void)(v == 1.0 / 0.0 * 1.0), sluice::error);
  EXPECT_THROW((void)v.array_length().contains("a"), sluice::error);
  EXPECT_THROW((void)v.matches_regex("a").on_client(), sluice::error);
  EXPECT_THROW((void)sql_predicate("true").on_client(), sluice::error);
  EXPECT_THROW((void)sql_predicate("a = $2", {1}), sluice::error);
  EXPECT_THROW((void)sql_predicate("a = 'x"), sluice::error);
  EXPECT_THROW((void)field("a..b"), sluice::error);
  EXPECT_NO_THROW((void)field({"a", ""})) << "an empty key is a key";
  EXPECT_THROW((void)field({std::string_view{"a\0b", 3}}), sluice::error);
  EXPECT_THROW((void)field({"\xff"}), sluice::error);
  EXPECT_THROW((void)v.like("a\\"), sluice::error) << "the server would fail in the middle of the rows";
  EXPECT_THROW((void)v.ilike("\\\\\\"), sluice::error);
  EXPECT_NO_THROW((void)v.like("a\\\\"));
  EXPECT_THROW((void)v.has(0.0 / 0.0), sluice::error);
  EXPECT_THROW((void)v.has_any({1.0 / 0.0}), sluice::error);
  EXPECT_THROW((void)(v < std::chrono::sys_days{std::chrono::days{200'000'000}}), sluice::error);
  static_assert(!std::is_constructible_v<sluice::bind_value, const int*>);
  static_assert(!std::is_constructible_v<sluice::bind_value, const char8_t*>);
  static_assert(std::is_constructible_v<sluice::bind_value, const char*>);
  static_assert(std::is_constructible_v<sluice::bind_value, int(&)[2]>);
}

/// In every spelling of a number that numeric accepts.
TEST(Numbers, MatchInListsAsTheyDoAlone) {
  psql(
      "drop table if exists spelled_numbers; create table spelled_numbers (data jsonb);"
      "insert into spelled_numbers values ('{\"n\": 7, \"a\": [7, 0.5]}'), ('{\"n\": 0.5, \"a\": [1]}'), ('{\"n\": "
      "-1}')");
  sluice::client db{dsn()};
  const auto count = [&](const predicate& condition) {
    int rows = 0;
    for ([[maybe_unused]] const sluice::row row : db.stream(from("spelled_numbers").where(condition))) ++rows;
    return rows;
  };
  using sluice::bind_value;
  for (const char* text : {"007", "+7", "7.", "7.0", "0.7e1", "+.5", "00.50", "-01", "-1e0"}) {
    const bind_value number = bind_value::numeric(text);
    EXPECT_EQ(count(field("n") == number), 1) << text;
    EXPECT_EQ(count(field("n").in({number})), 1) << text;
    EXPECT_EQ(count(field("n").not_in({number})), 2) << text;
  }
  for (const char* text : {"007", "+7", "7.", ".5"}) {
    EXPECT_EQ(count(field("a").has(bind_value::numeric(text))), 1) << text;
    EXPECT_EQ(count(field("a").has_any({bind_value::numeric(text)})), 1) << text;
  }
}

/// A path element with a sign is a key, whatever its neighbours are.
TEST(Paths, CountElementsByPlainNumbersOnly) {
  psql(R"(drop table if exists counted; create table counted (data jsonb);
          insert into counted values ('{"a": [[1, 2], [3, 4]]}'), ('{"a": [{"-1": 2}]}'), ('{"a": [{"-1": {"1": 2}}]}'))");
  sluice::client db{dsn()};
  for (const auto& [path, rows] : {std::pair{field({"a", "0", "-1"}), 1},
                                   {field({"a", "0", "+1"}), 0},
                                   {field({"a", "0", " 1"}), 0},
                                   {field({"a", "0", "1"}), 1},
                                   {field({"a", "0", "-1", "1"}), 1}}) {
    for (const predicate& each : {path == 2, (path == 2).on_client()}) {
      int seen = 0;
      for ([[maybe_unused]] const sluice::row row : db.stream(from("counted").where(each))) ++seen;
      EXPECT_EQ(seen, rows);
    }
  }
}

/// Bytes are compared as they are: in bytea's text form, a backslash would begin an escape.
TEST(Bytes, OfAColumnAreFoundWhateverTheyAre) {
  psql(
      "drop table if exists with_bytes; create table with_bytes (data jsonb, b bytea);"
      "insert into with_bytes select jsonb_build_object('n', n), b from (values (1, '\\x5c303031'::bytea), (2, "
      "'\\x01'), "
      "(3, '\\x00ff7b2c227d'), (4, '')) v(n, b)");
  sluice::client db{dsn()};
  const auto found = [&](const predicate& condition) {
    std::string all;
    for (const sluice::row row : db.stream(from("with_bytes").where(condition).order_by(field("n").as_numeric())))
      all += row.text();
    return all;
  };
  const auto bytes = [](std::string_view text) { return sluice::bind_value::bytes(std::as_bytes(std::span{text})); };
  EXPECT_EQ(found(sluice::column("b") == bytes("\\001")), R"({"n": 1})");
  EXPECT_EQ(found(sluice::column("b") == bytes({"\0\xff{,\"}", 6})), R"({"n": 3})");
  EXPECT_EQ(found(sluice::column("b").in({bytes("\x01"), bytes("")})), R"({"n": 2}{"n": 4})");
}

/// Texts that would break out of their quotes if they were pasted into SQL.
class Hostile : public testing::TestWithParam<const char*> {};

TEST_P(Hostile, TextStaysWhereItBelongs) {
  const std::string text = GetParam();
  psql("drop table if exists hostile; create table hostile (data jsonb)");
  sluice::client db{dsn()};
  for (const char* conforming : {"on", "off"}) {
    db.execute(std::string{"set standard_conforming_strings = "} + conforming);
    db.execute("truncate hostile");
    (void)db
        .stream(sluice::sql(
            "insert into hostile values (jsonb_build_object($1::text, $2::text, 'id', 1)) returning data", text, text))
        .next();
    const auto key = field(std::vector{text});
    for (const predicate& each : {key == text, key.contains(text), key.in({text}), field({}).has_key(text),
                                  key.starts_with(text) && sql_predicate("data->>'id' = $1", {"1"}),
                                  (key == text).on_client(), key.contains(text).on_client()}) {
      int count = 0;
      const sluice::query asked = from("hostile").where(each).order_by(key).build();
      for (const sluice::row row : db.stream(asked)) count += row.is_null() ? 0 : 1;
      EXPECT_EQ(count, 1) << asked.explain();
    }
    const sluice::query chosen = from("hostile").select(sluice::projection{std::vector{text}}).build();
    for (sluice::row row : db.stream(chosen)) {
      sluice::json_document document = row.json();
      for (auto each : document.get_object()) EXPECT_EQ(each.unescaped_key().value(), text);
    }
  }
  EXPECT_EQ(psql("select count(*) from hostile"), "1");
}

INSTANTIATE_TEST_SUITE_P(Injection, Hostile,
                         testing::Values("'", "\"", "\\", "''", "\\'", "'; drop table hostile; --", "a\".b", "a.b",
                                         "$1", "$$", "E'", "\\\\'", "--", "/*", "*/", "%", "_", "\xe2\x80\x99", "\n",
                                         "\t", "'||pg_sleep(600)||'", "\" from hostile; --", "{a,b}", "0", "-1", "null",
                                         "\\u0000", "a\":1,\"id", "?", "::text", "@>"));

}  // namespace
}  // namespace predicates_test
