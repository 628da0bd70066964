// Documents as values of C++ types: which ones fit, and the errors for those that do not.
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <ostream>
#include <sluice/stream/typed.hpp>
#include <string>

#include "backend.hpp"
#include "bytes.hpp"
#include "document_row.hpp"
#include "listener.hpp"

namespace shop {

enum class state { open, paid };
SLUICE_JSON_ENUM(state, open, paid)

struct line {
  std::string sku;
  unsigned quantity{};
  friend bool operator==(const line&, const line&) = default;
};
SLUICE_JSON(line, sku, quantity)

struct order {
  std::int64_t id{};
  state stage{};
  std::vector<line> lines;
  std::optional<std::string> note;
  std::map<std::string, double> prices;
};
SLUICE_JSON_MEMBERS(order, sluice::json_member{"id", &order::id}, sluice::json_member{"state", &order::stage},
                    sluice::json_member{"lines", &order::lines}, sluice::json_member{"note", &order::note},
                    sluice::json_member{"prices", &order::prices})

struct lenient {
  int a{7};
  int b{8};
};
SLUICE_JSON(lenient, a, b)

struct strict {
  int a{};
};
SLUICE_JSON(strict, a)

struct note {
  std::string text;
};
SLUICE_JSON(note, text)

/// A recursive type.
struct tree {
  std::vector<tree> inner;
};
SLUICE_JSON(tree, inner)

/// A type for which the program has its own overload.
struct point {
  double x{};
  double y{};
};
void from_json(sluice::json_value& from, point& into, const sluice::json_place& place) {
  std::vector<double> both;
  sluice::from_json(from, both, place);
  if (both.size() != 2) place.fail("two numbers", "another array");
  into = {both[0], both[1]};
}

struct single {
  float x{};
};
SLUICE_JSON(single, x)

struct both {
  bool yes{};
  std::string_view text;
  std::optional<std::int64_t> number;
};
SLUICE_JSON(both, yes, text, number)

struct empty_like {
  sluice::raw_json payload;
  std::string_view name;
  std::chrono::sys_time<std::chrono::milliseconds> at;
  std::chrono::sys_days day;
  sluice::uuid key;
  point where;
};
SLUICE_JSON(empty_like, payload, name, at, day, key, where)

}  // namespace shop

template <>
struct sluice::json_policy<shop::lenient> {
  static constexpr bool missing_members_keep_their_value = true;
  static constexpr bool unknown_members_are_errors = false;
};
template <>
struct sluice::json_policy<shop::note> {
  static constexpr bool missing_members_keep_their_value = false;
  static constexpr bool unknown_members_are_errors = true;
};
template <>
struct sluice::json_policy<shop::strict> {
  static constexpr bool missing_members_keep_their_value = false;
  static constexpr bool unknown_members_are_errors = true;
};

namespace typed_test {
namespace {

using namespace sluice::test;

template <class T>
T read(std::string_view json) {
  return document_row{json}.row().as<T>();
}

template <class T>
std::string refusal(std::string_view json) {
  try {
    (void)read<T>(json);
    return "no error";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_json);
    return e.what();
  }
}

TEST(TypedRow, FillsMembersInAnyOrder) {
  for (const char* json :
       {R"({"id": 7, "state": "paid", "lines": [{"sku": "a", "quantity": 1}, {"quantity": 2, "sku": "b"}], "note": null,
            "prices": {"a": 1.5, "b": 2}})",
        R"({"prices": {"a": 1.5, "b": 2}, "unknown": {"id": 9}, "lines": [{"sku": "a", "quantity": 1, "x": []},
            {"sku": "b", "quantity": 2}], "\u0073tate": "paid", "id": 7})"}) {
    const auto got = read<shop::order>(json);
    EXPECT_EQ(got.id, 7);
    EXPECT_EQ(got.stage, shop::state::paid);
    EXPECT_EQ(got.lines, (std::vector<shop::line>{{"a", 1}, {"b", 2}}));
    EXPECT_FALSE(got.note);
    EXPECT_EQ(got.prices, (std::map<std::string, double>{{"a", 1.5}, {"b", 2}}));
  }
}

TEST(TypedRow, ReadsTextMomentsKeysAndTypesOfTheProgram) {
  const document_row from{R"({"payload": {"a": [1, "x"]}, "name": "J\u00f6rg", "at": "2024-02-29T12:00:00.5+02:00",
      "day": "2024-02-29", "key": "123E4567-E89B-12D3-A456-426614174000", "where": [1, 2.5]})"};
  const auto got = from.row().as<shop::empty_like>();
  EXPECT_EQ(got.payload.text, R"({"a": [1, "x"]})");
  EXPECT_EQ(got.name, "J\xc3\xb6rg");
  using namespace std::chrono;
  EXPECT_EQ(got.at, sys_days{year{2024} / 2 / 29} + 10h + 500ms);
  EXPECT_EQ(got.day, sys_days{year{2024} / 2 / 29});
  EXPECT_EQ(got.key.to_string(), "123e4567-e89b-12d3-a456-426614174000");
  EXPECT_EQ(got.where.y, 2.5);
}

TEST(TypedRow, MayBeAnyKnownType) {
  EXPECT_EQ(read<int>("-5"), -5);
  EXPECT_EQ(read<std::string>("\"a\\nb\""), "a\nb");
  EXPECT_EQ(read<bool>("true"), true);
  EXPECT_EQ(read<std::vector<int>>("[1,2]"), (std::vector{1, 2}));
  EXPECT_EQ(read<std::optional<int>>("null"), std::nullopt);
  EXPECT_EQ((read<std::unordered_map<std::string, int>>(R"({"a": 1})")),
            (std::unordered_map<std::string, int>{{"a", 1}}));
  EXPECT_EQ(read<std::uint8_t>("255"), 255);
}

TEST(TypedRow, FollowsThePolicyOfItsType) {
  const auto lenient = read<shop::lenient>(R"({"b": 1})");
  EXPECT_EQ(lenient.a, 7);
  EXPECT_EQ(lenient.b, 1);
  EXPECT_EQ(refusal<shop::strict>(R"({"a": 1, "b": 2})"), "$: expected members of its type only, found another");
}

struct misfit {
  const char* name;
  std::function<std::string()> read;
  const char* says;
};
std::ostream& operator<<(std::ostream& out, const misfit& one) { return out << one.name; }
class Misfit : public testing::TestWithParam<misfit> {};

TEST_P(Misfit, IsToldWithItsPlace) { EXPECT_EQ(GetParam().read(), GetParam().says); }

template <class T>
std::function<std::string()> of(const char* json) {
  return [json] { return refusal<T>(json); };
}

INSTANTIATE_TEST_SUITE_P(
    Json, Misfit,
    testing::Values(
        misfit{"Missing", of<shop::order>(R"({"id": 1})"), "$.state: expected a value, found nothing"},
        misfit{"Mistyped", of<shop::order>(R"({"id": "1"})"), "$.id: expected an integer, found a string"},
        misfit{"Deep",
               of<shop::order>(R"({"id": 1, "state": "open", "lines": [{"sku": "a", "quantity": 1}, {"sku": 5}]})"),
               "$.lines[1].sku: expected a string, found another number"},
        misfit{"InAMap", of<shop::order>(R"({"id": 1, "state": "open", "lines": [], "prices": {"x": true}})"),
               "$.prices.x: expected a number, found a boolean"},
        misfit{"Negative", of<shop::line>(R"({"quantity": -1, "sku": "a"})"),
               "$.quantity: expected an integer that is not negative, found another number"},
        misfit{"Fraction", of<int>("1.5"), "$: expected an integer, found another number"},
        misfit{"OutOfRange", of<std::int8_t>("128"), "$: expected an integer in the range of its type, found another"},
        misfit{"BeyondInt64", of<std::int64_t>("9223372036854775808"), "$: expected an integer, found another number"},
        misfit{"UnknownName", of<shop::state>("\"lost\""),
               "$: expected one of the names of its enumeration, found another"},
        misfit{"NoDay", of<std::chrono::sys_days>("\"2023-02-29\""),
               "$: expected a date and time in ISO 8601, found another string"},
        misfit{"NoUuid", of<sluice::uuid>("\"123\""), "$: expected a UUID, found another string"},
        misfit{"NoObject", of<shop::order>("[]"), "$: expected an object, found an array"},
        misfit{"NullForAValue", of<int>("null"), "$: expected an integer, found null"},
        misfit{"FloatTooLarge", of<float>("1e39"), "$: expected a number in the range of its type, found another"},
        misfit{"MemberFloatTooLarge", of<shop::single>(R"({"x": -3.5e38})"),
               "$.x: expected a number in the range of its type, found another"},
        misfit{"DoubleTooLarge", of<double>("1e999"),
               "$: expected a number, found one that is malformed or out of range"},
        misfit{"BrokenString", of<std::string>(R"("\q")"), "$: expected a string, found no JSON"},
        misfit{"BrokenBoolean", of<bool>("truth"), "$: expected true or false, found no JSON"},
        misfit{"NanosecondsTooFar", of<std::chrono::sys_time<std::chrono::nanoseconds>>("\"2500-01-01\""),
               "$: expected a date and time in the range of its type, found another"},
        misfit{"NarrowSecondsTooFar", of<std::chrono::sys_time<std::chrono::duration<std::int32_t>>>("\"2100-01-01\""),
               "$: expected a date and time in the range of its type, found another"}),
    [](const auto& one) { return std::string{one.param.name}; });

template <class T>
void expect_refused(std::string_view json) {
  EXPECT_NE(refusal<T>(json), "no error") << json;
}

TEST(TypedRow, RefusesWhatFollowsAValue) {
  for (const char* json : {"1]", "17 18", "1,2", "1:", "1}", "1 \"x\"", "1x", "01", "1\n2", "-"}) {
    expect_refused<int>(json);
    expect_refused<std::uint8_t>(json);
    expect_refused<float>(json);
    expect_refused<double>(json);
    expect_refused<std::optional<int>>(json);
  }
  for (const char* json : {"true]", "true false", "truex", "true,1"}) expect_refused<bool>(json);
  for (const char* json : {"null]", "null null", "nullx", "nul"}) expect_refused<std::optional<int>>(json);
  for (const char* json : {R"("a"])", R"("a" "b")", R"("a"x)", R"("a\")", R"("a)", R"("a",)"}) {
    expect_refused<std::string>(json);
    expect_refused<shop::state>(json);
  }
  expect_refused<sluice::uuid>(R"("123e4567-e89b-12d3-a456-426614174000"])");
  expect_refused<std::chrono::sys_days>(R"("2024-02-29" 1)");
  EXPECT_EQ(read<int>(" 17 "), 17);
  EXPECT_EQ(read<std::string>("\n\"a\\\"]\" "), "a\"]");
}

TEST(TypedRow, RefusesWhatFollowsAMembersValue) {
  for (const char* value : {"17 18", "17]", "17:1", "1x", "nullx", "null 1"}) {
    const std::string text{value};
    expect_refused<shop::both>(R"({"yes": true, "text": "a", "number": )" + text + '}');
    expect_refused<shop::both>(R"({"number": )" + text + R"(, "yes": true, "text": "a"})");
    expect_refused<shop::both>(R"({"yes": true, "text": "a", "number": )" + text + R"(, "other": 1})");
    expect_refused<std::vector<std::optional<int>>>("[1, " + text + ']');
    expect_refused<std::map<std::string, std::optional<int>>>("{\"a\": " + text + '}');
  }
  expect_refused<shop::both>(R"({"text": "a", "number": 1, "yes": true false})");
  expect_refused<shop::both>(R"({"number": 1, "yes": true, "text": "a" "b"})");
  expect_refused<shop::both>(R"({"number": 1, "yes": true, "text": "a"x})");
  expect_refused<shop::single>(R"({"x" 1})");
  expect_refused<std::vector<int>>("[1]]");
  expect_refused<std::map<std::string, int>>(R"({"a": 1}})");
  EXPECT_EQ(refusal<int>("nullx"), "$: expected an integer, found no JSON");
  EXPECT_EQ(read<shop::both>(R"({"number": 1, "yes": true, "text": "a" , "more": 5})").number, 1);
  EXPECT_EQ(read<float>("3.4028234e38"), 3.4028234e38F);
}

TEST(TypedRow, ReadsEachStringOnce) {  // reading one twice would exhaust the parser's buffer
  const std::string text(100'000, 'x');
  EXPECT_EQ(read<shop::note>(R"({"text":")" + text + "\"}").text, text);
  const std::string key = "\\u0061" + text;
  EXPECT_EQ(read<shop::lenient>("{\"" + key + R"(":1,"\u0062":2})").b, 2);
}

TEST(TypedRow, KnowsKeysByTheirMeaning) {
  EXPECT_EQ(read<shop::strict>(R"({"\u0061":5})").a, 5);
  EXPECT_EQ(read<shop::strict>(R"({"a":5,"a":6})").a, 5);
  EXPECT_EQ(refusal<shop::strict>(R"({"a":5,"b":6})"), "$: expected members of its type only, found another");
  EXPECT_EQ(refusal<shop::strict>("{}"), "$.a: expected a value, found nothing");
}

TEST(TypedRow, RefusesDepthWithoutEnd) {
  const auto nested = [](int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i) text += R"({"inner":[)";
    text += R"({"inner":[]})";
    for (int i = 0; i < levels; ++i) text += "]}";
    return text;
  };
  EXPECT_EQ(read<shop::tree>(nested(200)).inner.size(), 1U);
  try {
    (void)read<shop::tree>(nested(5000));
    FAIL() << "accepted";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_json);
    EXPECT_EQ(std::string{e.what()}, "the document is nested more than 512 levels deep");
  }
}

TEST(JsonValidator, HasLimits) {
  const document_row deep{"[[[[1]]]]"};
  EXPECT_NO_THROW((sluice::json_validator{{.max_depth = 5}}.check(deep.row())));
  EXPECT_THROW((sluice::json_validator{{.max_depth = 4}}.check(deep.row())), sluice::error);
  EXPECT_THROW((sluice::json_validator{{.max_bytes = 8}}.check(deep.row())), sluice::error);
  EXPECT_THROW(sluice::json_validator{}.check(document_row{"[1"}.row()), sluice::error);
  EXPECT_THROW(sluice::json_validator{}.check(document_row{"\"\xff\""}.row()), sluice::error);
  sluice::json_parser small{8};
  EXPECT_THROW((void)deep.row().json(small), sluice::error);
}

TEST(JsonValues, BeyondADoubleKeepTheirText) {
  const document_row big{R"({"n": 123456789012345678901234567890.125})"};
  sluice::json_document document = big.row().json();
  simdjson::ondemand::value n = document["n"].value();
  EXPECT_EQ(std::string_view{n.raw_json_token()}.substr(0, 34), "123456789012345678901234567890.125");
}

TEST(TypedRow, TellsSqlNullFromAValue) {
  const std::string body = backend{}.data_row({std::optional<std::string_view>{}}).bytes.substr(5);
  const sluice::row null{reinterpret_cast<const std::byte*>(body.data())};
  EXPECT_EQ(null.as<std::optional<int>>(), std::nullopt);
  EXPECT_THROW((void)null.as<int>(), sluice::error);
}

/// A server that sends these documents as one result.
listener serving(const std::vector<std::string>& documents) {
  return listener{{[documents](server_end client) {
    client.let_in();
    (void)client.receive();
    backend answer;
    answer.parse_complete().bind_complete().row_description();
    for (const std::string& each : documents) answer.data_row(each);
    client.send(answer.command_complete("SELECT " + std::to_string(documents.size())).ready_for_query().bytes);
    client.receive_all();
  }}};
}

TEST(TypedRange, GivesEachRowAndNamesTheOneThatDoesNotFit) {
  const listener server = serving({R"({"sku":"a","quantity":1})", R"({"sku":"b"})", R"({"sku":"c","quantity":3})"});
  sluice::client db{server.dsn()};
  std::string seen;
  try {
    for (const shop::line& each : db.stream<shop::line>(sluice::from("v"))) seen += each.sku;
    ADD_FAILURE() << "no error";
  } catch (const sluice::error& e) {
    EXPECT_STREQ(e.what(), "row 2, $.quantity: expected a value, found nothing");
    EXPECT_TRUE(e.connection_usable());
  }
  EXPECT_EQ(seen, "a");
}

TEST(TypedRange, SkipsAndCountsIfAskedTo) {
  const listener server =
      serving({"[]", R"({"sku":"a","quantity":1})", R"({"sku":"b"})", R"({"sku":"c","quantity":3})", "1"});
  sluice::client db{server.dsn()};
  auto lines = db.stream<shop::line>(sluice::from("v")).skip_bad_rows();
  std::string seen;
  for (const shop::line& each : lines) seen += each.sku;
  EXPECT_EQ(seen, "ac");
  EXPECT_EQ(lines.skipped(), 3U);
  EXPECT_TRUE(db.is_idle());
}

}  // namespace
}  // namespace typed_test
