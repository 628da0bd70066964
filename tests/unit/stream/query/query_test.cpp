#include <gtest/gtest.h>

#include <limits>
#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <utility>
#include <vector>

#include "readable_sql.hpp"

namespace query_test {
namespace {

using sluice::column;
using sluice::field;
using sluice::from;
using sluice::local;
using sluice::query;
using sluice::quote_identifier;
using sluice::sort_key;
using sluice::test::readable;

std::string text(const query& of) { return readable(of.text()); }

TEST(QuoteIdentifier, DoublesQuotesAndKeepsTheRest) {
  EXPECT_EQ(quote_identifier("data"), "\"data\"");
  EXPECT_EQ(quote_identifier("a\"b.c;--"), "\"a\"\"b.c;--\"");
}

TEST(QuoteIdentifier, RefusesWhatIsNoName) {
  EXPECT_THROW((void)quote_identifier(""), sluice::error);
  EXPECT_THROW((void)quote_identifier(std::string_view{"a\0b", 3}), sluice::error);
}

TEST(From, QuotesEachPartOfTheName) {
  EXPECT_EQ(text(from("v_user")), R"(select "data" from "v_user")");
  EXPECT_EQ(text(from("app.v_user").column("doc")), R"(select "doc" from "app"."v_user")");
  EXPECT_EQ(text(from(R"("A.b"".c".t)")), R"(select "data" from "A.b"".c"."t")");
  EXPECT_EQ(text(from("t\" ; drop table t; --")), R"(select "data" from "t"" ; drop table t; --")");
}

TEST(From, RefusesNamesThatAreNone) {
  for (const char* name : {"", "a.", ".a", "a..b", "\"a", "\"a\"b", "\"\""})
    EXPECT_THROW((void)from(name), sluice::error) << name;
}

TEST(From, BindsLimitAndOffset) {
  const query built = from("t").limit(10).offset(20);
  EXPECT_EQ(text(built), R"(select "data" from "t" limit $1::int8 offset $2::int8)");
  ASSERT_EQ(built.parameters().size(), 2U);
  EXPECT_EQ(built.parameters()[0].text(), "10");
  EXPECT_EQ(built.parameters()[1].text(), "20");
  EXPECT_EQ(built.rows(), query::shape::document);
  EXPECT_THROW((void)from("t").limit(std::numeric_limits<std::uint64_t>::max()).build(), sluice::error);
}

TEST(From, OrdersByFieldsAndColumns) {
  EXPECT_EQ(
      text(from("t").order_by(field("name")).order_by(desc(field({"profile", "it's"})).nulls_last())),
      R"(select "data" from "t" order by ("data" ->> 'name'), ("data" -> 'profile' ->> 'it''s') desc nulls last)");
  EXPECT_EQ(text(from("t").order_by(field({"a\\b"}))), R"(select "data" from "t" order by ("data" ->> E'a\\b'))");
  EXPECT_EQ(text(from("t").order_by(sort_key{column("id")}.collate("C").nulls_first())),
            R"(select "data" from "t" order by "id" collate "C" nulls first)");
  EXPECT_EQ(text(from("t").order_by(column("v").l2_distance({1, 2}))),
            R"(select "data" from "t" order by (("v")::vector <-> '[1,2]'::vector))");
}

TEST(From, NeverFailsOnATypedKeyThatIsOfAnotherType) {
  const std::string sql = text(from("t").order_by(field("age").as_numeric()));
  EXPECT_NE(sql.find("case when"), std::string::npos) << sql;
}

TEST(From, SelectsFieldsAtTheirPlaces) {
  EXPECT_EQ(
      text(from("t").select("id", "profile.city", "profile.age")),
      R"(select ("data" -> 'id') as "id", ("data" -> 'profile' -> 'city'), ("data" -> 'profile' -> 'age') from "t")");
  EXPECT_EQ(text(from("t").select(sluice::projection{"profile.city"}.as("town"), "tags.0")),
            R"(select ("data" -> 'profile' -> 'city') as "town", ("data" #> array['tags','0']) from "t")");
  for (const auto& [first, second] : {std::pair{"a", "a"}, std::pair{"a", "a.b"}, std::pair{"a.b", "a"}})
    EXPECT_THROW((void)from("t").select(first, second).build(), sluice::error) << first << ' ' << second;
}

TEST(From, GoesOnAfterTheValuesOfTheKeys) {
  const query page = from("t").order_by(field("name")).order_by(desc(column("id"))).after({"Ada", 7});
  EXPECT_EQ(text(page),
            R"(select "data" from "t" where (((("data" ->> 'name') > $1::text or ("data" ->> 'name') is null))"
            R"() or (("data" ->> 'name') = $1::text and ("id" < $2::int8))) )"
            R"(order by ("data" ->> 'name'), "id" desc)");
  EXPECT_THROW((void)from("t").after({1}).build(), sluice::error);
  EXPECT_THROW((void)from("t").order_by(column("id")).after({1, 2}).build(), sluice::error);
}

TEST(From, KeepsItsConditionsApart) {
  EXPECT_EQ(text(from("t").where(column("a") == 1 || column("b") == 2).where(column("c") == 3)),
            R"(select "data" from "t" where ((("a" = $1::int8) or ("b" = $2::int8)) and ("c" = $3::int8)))");
}

TEST(Explain, TellsWhatRunsWhereAndNoValues) {
  const query asked = from("t")
                          .where(field("name") == "se\"cret")
                          .where(local([](const sluice::row&) { return true; }, "is wanted"))
                          .limit(5);
  const std::string told = asked.explain();
  EXPECT_NE(told.find("where "), std::string::npos) << told;
  EXPECT_NE(told.find("$1: text"), std::string::npos) << told;
  EXPECT_NE(told.find("on the client: is wanted"), std::string::npos) << told;
  EXPECT_NE(told.find("limit 5"), std::string::npos) << told;
  EXPECT_EQ(told.find("cret"), std::string::npos) << told;
  EXPECT_EQ(text(asked).find(" limit "), std::string::npos) << "rows are still to be struck out";
}

TEST(Sql, IsAskedForItsColumnsUnlessTheyAreStated) {
  EXPECT_EQ(sluice::sql("select 1").rows(), query::shape::detect);
  EXPECT_EQ(sluice::sql("select 1").as_document().rows(), query::shape::document);
  EXPECT_EQ(sluice::sql("select 1").as_object().rows(), query::shape::object);
  EXPECT_EQ(sluice::sql("select $1, $2", "a", 1).parameters().size(), 2U);
}

}  // namespace
}  // namespace query_test
