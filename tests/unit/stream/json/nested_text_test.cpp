// Arrays, vectors and composites in text: quotes, escapes, bounds, and texts that end too early.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/proto/oid.hpp>

#include "json/value_plan.hpp"
#include "json_written.hpp"

namespace nested_text_test {
namespace {

using namespace sluice::detail;
namespace oid = sluice::proto::oid;

constexpr std::uint32_t boxes = 1020;
constexpr std::uint32_t int2_vector = 22;
constexpr std::uint32_t person = 20'000;
constexpr std::uint32_t people = 20'001;
constexpr std::uint32_t nothing = 20'002;

std::string from(std::uint32_t type, std::string_view value) {
  using enum type_facts::kind;
  type_catalog types;
  types.add(person,
            {.what = composite, .fields = {{"name", oid::text}, {"age", oid::int4}, {"tags", oid::text_array}}});
  types.add(people, {.what = array, .inner = person});
  types.add(nothing, {.what = composite});
  return sluice::test::written_by(plan_text_values(type, types, {}), value);
}
std::string texts(std::string_view value) { return from(oid::text_array, value); }

TEST(ArrayText, TellsNullFromTheWord) {
  EXPECT_EQ(texts("{a,b}"), R"(["a","b"])");
  EXPECT_EQ(texts("{}"), "[]");
  EXPECT_EQ(texts("{NULL,\"NULL\",null,NULLS}"), R"([null,"NULL","null","NULLS"])");
  EXPECT_EQ(texts("{\"\"}"), R"([""])");
}

TEST(ArrayText, TakesEscapesInQuotes) {
  EXPECT_EQ(texts(R"({"a,b","{c}","say \"hi\"","back\\slash"," "})"),
            R"(["a,b","{c}","say \"hi\"","back\\slash"," "])");
  EXPECT_EQ(texts("{\"\n\"}"), R"(["\n"])");
  EXPECT_EQ(texts("{\xc3\xa9}"), "[\"\xc3\xa9\"]");
  EXPECT_EQ(texts("{\xff}"), "refused");
}

TEST(ArrayText, HasUpToSixDimensions) {
  EXPECT_EQ(from(oid::int4_array, "{{1,2},{3,NULL}}"), "[[1,2],[3,null]]");
  EXPECT_EQ(from(oid::int4_array, "{{{{{{1}}}}}}"), "[[[[[[1]]]]]]");
  EXPECT_EQ(from(oid::int4_array, "{{{{{{{1}}}}}}}"), "refused");
  EXPECT_EQ(texts("[0:1]={a,b}"), R"(["a","b"])");
  EXPECT_EQ(texts("[-1:0][2:2]={{a},{b}}"), R"([["a"],["b"]])");
}

TEST(ArrayText, HasTheDelimiterOfItsElements) {
  EXPECT_EQ(from(boxes, "{(1,2),(0,0);(3,4),(0,0)}"), R"x(["(1,2),(0,0)","(3,4),(0,0)"])x");
}

TEST(ArrayText, IsRefusedWhereItEndsTooEarlyOrGoesOn) {
  for (const char* const bad : {"", "a", "{", "{a", "{a,", "{a,}", "{,a}", "{\"a}", "{\"a\\", "{\"a\"b}", "{a}}",
                                "{a} ", "[0:1]", "[0:1]{a}", "{{a}", "{{a},b", "{a\"b\""})
    EXPECT_EQ(texts(bad), "refused") << bad;
}

TEST(VectorText, HasSpacesBetweenItsElements) {
  EXPECT_EQ(from(int2_vector, ""), "[]");
  EXPECT_EQ(from(int2_vector, "1"), "[1]");
  EXPECT_EQ(from(int2_vector, "1 -2 3"), "[1,-2,3]");
  for (const char* const bad : {" ", "1 ", "1  2", "1,2", "x", "1 2x"})
    EXPECT_EQ(from(int2_vector, bad), "refused") << bad;
}

TEST(CompositeText, DoublesItsQuotes) {
  EXPECT_EQ(from(person, "(Ann,31,{x})"), R"({"name":"Ann","age":31,"tags":["x"]})");
  EXPECT_EQ(from(person, "(,,)"), R"({"name":null,"age":null,"tags":null})");
  EXPECT_EQ(from(person, R"x(("",,"{"")"",""a \\""b""}"))x"), R"x({"name":"","age":null,"tags":[")","a \"b"]})x");
  EXPECT_EQ(from(person, R"x(("a ""b"", \\c, (d)",,))x"), R"x({"name":"a \"b\", \\c, (d)","age":null,"tags":null})x");
  EXPECT_EQ(from(nothing, "()"), "{}");
}

TEST(CompositeText, MayBeAnElement) {
  EXPECT_EQ(from(people, R"x({"(Ann,31,)",NULL,"(\"\"\"\",,)"})x"),
            R"([{"name":"Ann","age":31,"tags":null},null,{"name":"\"","age":null,"tags":null}])");
}

TEST(CompositeText, IsRefusedWithOtherFieldsThanItsType) {
  for (const char* const bad : {"", "(", "()", "(a)", "(a,1)", "(a,1,,)", "(a,1,", "(a,1,{x}", "(a,1,{x})x", "(a,x,)",
                                "(\"a,1,)", "(\"a\"b,1,)", "a,1,)", "(a,1,x)"})
    EXPECT_EQ(from(person, bad), "refused") << bad;
  EXPECT_EQ(from(nothing, "(a)"), "refused");
}

}  // namespace
}  // namespace nested_text_test
