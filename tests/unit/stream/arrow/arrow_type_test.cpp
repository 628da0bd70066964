// The Arrow type of a column, and whether it comes as text.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>

#include "arrow/arrow_type.hpp"

namespace arrow_type_test {
namespace {

namespace oid = sluice::proto::oid;
using sluice::arrow_options;
using sluice::result_column;
using sluice::detail::arrow_type;
using sluice::detail::arrow_type_of;
using sluice::detail::comes_as_text;
using what = result_column::kind;
using kind = arrow_type::kind;

result_column scalar(std::uint32_t type, std::int32_t modifier = -1) {
  return {.name = "c", .type = type, .modifier = modifier, .what = what::scalar, .base = type};
}
result_column made_of(what how, std::uint32_t type, std::vector<result_column> parts) {
  return {.name = "c", .type = type, .what = how, .base = type, .parts = std::move(parts)};
}
constexpr std::int32_t modifier_of(int precision, int scale) { return ((precision << 16) | (scale & 0x7ff)) + 4; }

std::string format_of(const result_column& column, const arrow_options& how = {}) {
  return arrow_type_of(column, how).format;
}

TEST(ArrowType, IsThatOfTheBaseType) {
  EXPECT_EQ(format_of(scalar(oid::boolean)), "b");
  EXPECT_EQ(format_of(scalar(oid::int2)), "s");
  EXPECT_EQ(format_of(scalar(oid::int4)), "i");
  EXPECT_EQ(format_of(scalar(oid::int8)), "l");
  EXPECT_EQ(format_of(scalar(oid::object_id)), "I");
  EXPECT_EQ(format_of(scalar(oid::float4)), "f");
  EXPECT_EQ(format_of(scalar(oid::float8)), "g");
  EXPECT_EQ(format_of(scalar(oid::bytea)), "z");
  EXPECT_EQ(format_of(scalar(oid::date)), "tdD");
  EXPECT_EQ(format_of(scalar(oid::time)), "ttu");
  EXPECT_EQ(format_of(scalar(oid::timestamp)), "tsu:");
  EXPECT_EQ(format_of(scalar(oid::timestamptz)), "tsu:UTC");
  EXPECT_EQ(format_of(scalar(oid::interval)), "tin");
  for (const std::uint32_t type : {oid::text, oid::varchar, oid::bpchar, oid::name, oid::xml, oid::json, oid::jsonb})
    EXPECT_EQ(format_of(scalar(type)), "u") << type;
  result_column domain = scalar(oid::int4);
  domain.type = 20'000;
  EXPECT_EQ(format_of(domain), "i");
  EXPECT_EQ(arrow_type_of(domain, {}).type, 20'000U);
}

TEST(ArrowType, IsMarkedWhereArrowHasAnExtension) {
  EXPECT_EQ(arrow_type_of(scalar(oid::json), {}).extension, "arrow.json");
  EXPECT_EQ(arrow_type_of(scalar(oid::jsonb), {}).is, kind::versioned_text);
  EXPECT_EQ(arrow_type_of(scalar(oid::uuid), {}).extension, "arrow.uuid");
  EXPECT_EQ(arrow_type_of(scalar(oid::uuid), {}).format, "w:16");
  EXPECT_EQ(arrow_type_of(scalar(oid::uuid), {.extension_types = false}).extension, "");
  EXPECT_EQ(arrow_type_of(scalar(oid::text), {}).extension, "");
}

TEST(ArrowType, OfANumericIsADecimalWhereItsModifierSaysHowLarge) {
  const auto format = [](int precision, int scale) {
    return format_of(scalar(oid::numeric, modifier_of(precision, scale)));
  };
  EXPECT_EQ(format(10, 2), "d:10,2");
  EXPECT_EQ(format(38, 38), "d:38,38");
  EXPECT_EQ(format(3, -2), "d:5,0") << "rounded to hundreds";
  EXPECT_EQ(format(2, 5), "d:5,5") << "0.000xx";
  EXPECT_EQ(format(39, 0), "u") << "too large for a decimal";
  EXPECT_EQ(format(38, -1), "u");
  const arrow_type made = arrow_type_of(scalar(oid::numeric, modifier_of(10, 2)), {});
  EXPECT_EQ(made.is, kind::decimal);
  EXPECT_EQ(made.precision, 10);
  EXPECT_EQ(made.scale, 2);
}

TEST(ArrowType, OfANumericOfAnySizeIsWhatTheOptionsSay) {
  EXPECT_EQ(arrow_type_of(scalar(oid::numeric), {}).is, kind::numeric_as_text);
  EXPECT_EQ(arrow_type_of(scalar(oid::numeric), {.numeric = arrow_options::numerics::float64}).is,
            kind::numeric_as_double);
  EXPECT_EQ(format_of(scalar(oid::numeric), {.numeric = arrow_options::numerics::decimal, .precision = 20, .scale = 3}),
            "d:20,3");
  EXPECT_EQ(format_of(scalar(oid::numeric, modifier_of(5, 1)), {.numeric = arrow_options::numerics::float64}), "d:5,1");
}

TEST(ArrowType, NestsArraysAndComposites) {
  const arrow_type made = arrow_type_of(
      made_of(what::array, 20'001, {made_of(what::composite, 20'000, {scalar(oid::int4), scalar(oid::uuid)})}), {});
  EXPECT_EQ(made.format, "+l");
  ASSERT_EQ(made.children.size(), 1U);
  EXPECT_EQ(made.children[0].format, "+s");
  ASSERT_EQ(made.children[0].children.size(), 2U);
  EXPECT_EQ(made.children[0].children[1].format, "w:16");
}

TEST(ArrowType, OfAnEnumerationMayBeADictionary) {
  const result_column mood{.name = "c", .type = 20'000, .what = what::enumeration, .base = 20'000};
  EXPECT_EQ(arrow_type_of(mood, {}).is, kind::text);
  EXPECT_EQ(arrow_type_of(mood, {.dictionaries = true}).is, kind::label);
  EXPECT_EQ(format_of(mood, {.dictionaries = true}), "i");
}

TEST(ArrowType, OfAColumnInTextIsText) {
  result_column number = scalar(oid::int4);
  number.is_text = true;
  EXPECT_EQ(format_of(number), "u");
  EXPECT_TRUE(arrow_type_of(number, {}).children.empty());
}

std::string said(const result_column& column, const arrow_options& how) {
  try {
    return comes_as_text(column, how) ? "text" : "binary";
  } catch (const sluice::error& why) {
    EXPECT_EQ(why.code(), sluice::errc::bad_column);
    return why.what();
  }
}

TEST(ArrowType, WithoutACounterpartIsRefusedOrText) {
  const arrow_options texts{.others = arrow_options::fallback::text};
  const result_column addresses = made_of(what::array, oid::inet_array, {scalar(oid::inet)});
  const result_column numbers = made_of(what::array, oid::int4_array, {scalar(oid::int4)});
  EXPECT_EQ(said(scalar(oid::inet), {}),
            "column \"c\": inet has no Arrow type: cast it in the query, as in \"c\"::text, or let "
            "arrow_options::others make it text");
  EXPECT_NE(said(scalar(20'000), {}).find("the type with the OID 20000 has no Arrow type"), std::string::npos);
  EXPECT_EQ(said(scalar(oid::inet), texts), "text");
  EXPECT_EQ(said(addresses, texts), "text");
  EXPECT_NE(said(addresses, {}).find("inet has no Arrow type"), std::string::npos);
  EXPECT_EQ(said(numbers, {}), "binary");
  EXPECT_EQ(said(numbers, {.array = arrow_options::arrays::text}), "text");
  EXPECT_EQ(said(made_of(what::composite, 20'000, {scalar(oid::int4), numbers}), texts), "binary");
  EXPECT_EQ(said({.name = "c", .type = 2249, .base = 2249}, texts), "text");
  EXPECT_EQ(said(scalar(oid::numeric), {}), "binary");
}

}  // namespace
}  // namespace arrow_type_test
