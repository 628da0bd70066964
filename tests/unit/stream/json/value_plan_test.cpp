// How the values of a type become JSON, without a server: the requested formats, and the types that are refused.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "backend.hpp"
#include "json/value_plan.hpp"
#include "json_written.hpp"

namespace value_plan_test {
namespace {

using namespace sluice::detail;
using sluice::proto::value_format;
using sluice::test::be32;
using sluice::test::written_by;

constexpr std::uint32_t inet = 869;
constexpr std::uint32_t inet_array = 1041;
constexpr std::uint32_t int4 = 23;
constexpr std::uint32_t int4_array = 1007;
constexpr std::uint32_t text = 25;
constexpr std::uint32_t timestamptz = 1184;
constexpr std::uint32_t bytea = 17;
constexpr std::uint32_t float8 = 701;
constexpr std::uint32_t record = 2249;
constexpr std::uint32_t pair = 20'000;     // defined in this database: a composite
constexpr std::uint32_t store = 20'001;    // with a cast to json
constexpr std::uint32_t address = 20'002;  // a domain over inet

type_catalog a_database() {
  using enum type_facts::kind;
  type_catalog types;
  types.add(pair, {.what = composite, .fields = {{"id", int4}, {"a \"name\"", text}}});
  types.add(store, {.has_cast_to_json = true});
  types.add(address, {.what = domain, .inner = inet});
  return types;
}

value_format format_of(std::uint32_t type, const session_settings& session = {}) {
  return plan_values(type, a_database(), session).format;
}

std::string from_binary(std::uint32_t type, std::string_view value) {
  return written_by(plan_values(type, a_database(), {}), value);
}
std::string from_text(std::uint32_t type, std::string_view value) {
  return written_by(plan_text_values(type, a_database(), {}), value);
}

TEST(ValuePlan, WritesMomentsOfAnotherDateStyleAsTheyAre) {
  constexpr std::uint32_t timestamp = 1114;
  EXPECT_EQ(from_text(timestamptz, "2024-07-01 12:00:00+05"), R"("2024-07-01T12:00:00+05:00")");
  EXPECT_EQ(from_text(timestamp, "12024-07-01 12:00:00 BC"), R"("12024-07-01T12:00:00 BC")");
  for (const char* each : {"01.07.2024 21:00:00 JST", "07/01/2024 21:00:00 JST", "Mon Jul 01 21:00:00 2024 JST",
                           "01-07-2024 21:00:00", "infinity", "-infinity", "2024", ""}) {
    const std::string expected = '"' + std::string{each} + '"';
    EXPECT_EQ(from_text(timestamptz, each), expected);
    EXPECT_EQ(from_text(timestamp, each), expected);
  }
}

TEST(ValuePlan, RefusesTextsThatAreNotJsonInPartsOfAnAlteredType) {
  for (const char* number : {"0", "-0.0", "12.50", "1e+23", "-1.5e-07"})
    EXPECT_EQ(from_text(pair, '(' + std::string{number} + ",)"),
              R"({"id":)" + std::string{number} + R"(,"a \"name\"":null})");
  for (const char* other : {"0123", "-", "1.", ".5", "1e", "x", "1 ", "--1", "Infinite", R"("1,""inject"":2")"})
    EXPECT_EQ(from_text(pair, '(' + std::string{other} + ",)"), "refused") << other;

  constexpr std::uint32_t json = 114;
  constexpr std::uint32_t json_array = 199;
  constexpr std::uint32_t with_json = 20'003;
  type_catalog types;
  types.add(with_json, {.what = type_facts::kind::composite, .fields = {{"one", json}, {"all", json_array}}});
  const auto of_json = [&](std::string_view value) {
    return written_by(plan_text_values(with_json, types, {}), value);
  };
  EXPECT_EQ(of_json(R"((" [1, 2]","{true,""[]""}"))"), R"({"one": [1, 2],"all":[true,[]]})");
  EXPECT_EQ(of_json("(tru,)"), "refused");
  EXPECT_EQ(of_json(R"(("1,""x"":2",))"), "refused");
  EXPECT_EQ(of_json(R"((1,"{1,x}"))"), "refused");
}

TEST(ValuePlan, AsksForBinaryWhereAllPartsAreKnownInIt) {
  EXPECT_EQ(format_of(int4), value_format::binary);
  EXPECT_EQ(format_of(int4_array), value_format::binary);
  EXPECT_EQ(format_of(pair), value_format::binary);
  EXPECT_EQ(format_of(inet), value_format::text);
  EXPECT_EQ(format_of(inet_array), value_format::text);
  EXPECT_EQ(format_of(address), value_format::text);
  EXPECT_EQ(format_of(4'000'000), value_format::text);
}

TEST(ValuePlan, AsksForTextWhereASettingDecides) {
  EXPECT_EQ(format_of(timestamptz), value_format::binary);
  EXPECT_EQ(format_of(timestamptz, {.is_in_utc = false}), value_format::text);
  EXPECT_EQ(format_of(bytea, {.has_hex_bytea = false}), value_format::text);
  EXPECT_EQ(format_of(float8, {.has_all_digits = false}), value_format::text);
}

TEST(ValuePlan, SaysWhereItFallsShortOfTheServer) {
  const auto falls_short = [](std::uint32_t type, const session_settings& session = {}) {
    return plan_values(type, a_database(), session).falls_short;
  };
  EXPECT_FALSE(falls_short(pair));
  EXPECT_TRUE(falls_short(store));
  EXPECT_TRUE(falls_short(record));
  EXPECT_FALSE(falls_short(timestamptz, {.is_in_utc = false}));
  EXPECT_FALSE(falls_short(timestamptz, {.has_iso_dates = false}));
  EXPECT_TRUE(falls_short(timestamptz, {.is_in_utc = false, .has_iso_dates = false}));
  EXPECT_EQ(from_text(store, "a=>\"1\""), R"("a=>\"1\"")");
}

TEST(ValuePlan, EndsWithTypesThatAreMadeOfThemselves) {
  using enum type_facts::kind;
  type_catalog types;
  types.add(30'000, {.what = array, .inner = 30'000});
  types.add(30'001, {.what = composite, .fields = std::vector<type_facts::field>(4, {"again", 30'001})});
  EXPECT_TRUE(plan_values(30'000, types, {}).falls_short);
  EXPECT_TRUE(plan_values(30'001, types, {}).falls_short);
}

TEST(TypeCatalog, MissesNothingForBuiltInTypes) {
  const type_catalog types = a_database();
  using list = std::vector<std::uint32_t>;
  EXPECT_EQ(types.missing(list{int4, int4_array, inet_array, pair, address, record}), list{});
  EXPECT_EQ(types.missing(list{40'000, int4, 40'000}), list{40'000});
  EXPECT_EQ(types.missing(list{273}), list{83});  // pg_class[]
}

TEST(TypeCatalog, TakesTheSameAnswerTwice) {
  type_catalog types;
  for (int i = 0; i < 2; ++i) {
    types.add({.type = 7'000'000, .kind = 'c', .delimiter = ',', .place = 1, .field = "a", .field_type = int4});
    types.add({.type = 7'000'000, .kind = 'c', .delimiter = ',', .place = 2, .field = "b", .field_type = text});
  }
  EXPECT_EQ(written_by(plan_text_values(7'000'000, types, {}), "(1,x)"), R"({"a":1,"b":"x"})");
}

TEST(ValuePlan, WritesCompositesFromBothFormats) {
  const std::string fields = be32(2) + be32(int4) + be32(4) + be32(7) + be32(text) + be32(0xffffffff);
  EXPECT_EQ(from_binary(pair, fields), R"({"id":7,"a \"name\"":null})");
  EXPECT_EQ(from_text(pair, "(7,)"), R"({"id":7,"a \"name\"":null})");
  EXPECT_EQ(from_text(pair, R"((,"a ""b\\c"))"), R"({"id":null,"a \"name\"":"a \"b\\c"})");
}

TEST(ValuePlan, RefusesCompositesThatWereAlteredMeanwhile) {
  EXPECT_EQ(from_binary(pair, be32(1) + be32(int4) + be32(4) + be32(7)), "refused");
  EXPECT_EQ(from_binary(pair, be32(2) + be32(int4) + be32(4) + be32(7) + be32(int4) + be32(0xffffffff)), "refused");
  EXPECT_EQ(from_text(pair, "(7)"), "refused");
  EXPECT_EQ(from_text(pair, "(7,x,y)"), "refused");
}

TEST(ValuePlan, WritesArraysWhateverTheirBoundsAre) {
  const auto array = [](std::uint32_t dimensions, const std::string& bounds, const std::string& elements) {
    return be32(dimensions) + be32(0) + be32(int4) + bounds + elements;
  };
  const std::string one = be32(4) + be32(1);
  EXPECT_EQ(from_binary(int4_array, array(0, "", "")), "[]");
  EXPECT_EQ(from_binary(int4_array, array(1, be32(2) + be32(0xfffffff9), one + be32(0xffffffff))), "[1,null]");
  EXPECT_EQ(from_binary(int4_array, array(2, be32(1) + be32(1) + be32(2) + be32(1), one + one)), "[[1,1]]");
  EXPECT_EQ(from_text(int4_array, "{}"), "[]");
  EXPECT_EQ(from_text(int4_array, "[-7:-6][0:0]={{1},{NULL}}"), "[[1],[null]]");
}

TEST(ValuePlan, RefusesArraysThatSayMoreThanTheyHold) {
  const auto array = [](const std::string& bounds, std::uint32_t element = int4) {
    return be32(static_cast<std::uint32_t>(bounds.size() / 8)) + be32(0) + be32(element) + bounds;
  };
  EXPECT_EQ(from_binary(int4_array, array(be32(0xffffffff) + be32(1))), "refused");
  EXPECT_EQ(from_binary(int4_array, array(be32(0xffffffff) + be32(1) + be32(0) + be32(1))), "refused");
  EXPECT_EQ(from_binary(int4_array, array(be32(0x10000) + be32(1) + be32(0x10000) + be32(1))), "refused");
  EXPECT_EQ(from_binary(int4_array, array(be32(0) + be32(1))), "[]");
  EXPECT_EQ(from_binary(int4_array, array("", text)), "refused");
  EXPECT_EQ(from_binary(int4_array, be32(7) + be32(0) + be32(int4)), "refused");
  for (const char* bad : {"", "{", "{1", "{1,", "{1,}", "{1}x", "1}", "{\"1}", "{{1}", "[1:2]", "{{{{{{{1}}}}}}}"})
    EXPECT_EQ(from_text(int4_array, bad), "refused") << bad;
}

/// No bytes from a server cause a read past the value.
TEST(ValuePlan, ReadsNothingBeyondAValue) {
  std::mt19937 random{20240229};  // NOLINT(cert-msc51-cpp): the same bytes each time
  for (const std::uint32_t type : {16U,   17U,   20U,   21U,   23U,   25U,   26U,   114U,  700U,  701U, 1700U, 1082U,
                                   1083U, 1114U, 1184U, 2950U, 3802U, 1007U, 1009U, 1231U, 3807U, 22U,  pair})
    for (int i = 0; i < 2'000; ++i) {
      std::string value(random() % 40, '\0');
      for (char& each : value) each = random() % 3 == 0 ? static_cast<char>(random()) : '\0';
      (void)from_binary(type, value);
      (void)from_text(type, value);
    }
}

}  // namespace
}  // namespace value_plan_test
