#include <gtest/gtest.h>

#include <limits>
#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>
#include <string>

namespace {

using sluice::bind_value;
using sluice::from;
using sluice::query;
using sluice::quote_identifier;
using sluice::sort_key;

std::string text(const query& of) { return of.text(); }

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
  EXPECT_EQ(built.text(), R"(select "data" from "t" limit $1 offset $2)");
  ASSERT_EQ(built.parameters().size(), 2U);
  EXPECT_EQ(built.parameters()[0].text(), "10");
  EXPECT_EQ(built.parameters()[1].text(), "20");
  EXPECT_EQ(built.rows(), query::shape::document);
  EXPECT_THROW((void)from("t").limit(std::numeric_limits<std::uint64_t>::max()).build(), sluice::error);
}

TEST(From, OrdersByFieldsOfTheDocument) {
  sort_key name{.path = {"name"}};
  sort_key city{.path = {"profile", "it's"}, .descending = true, .order = sort_key::nulls::last};
  EXPECT_EQ(text(from("t").order_by(name).order_by(city)),
            R"(select "data" from "t" order by ("data"->>'name'), ("data"->'profile'->>'it''s') desc nulls last)");
  EXPECT_EQ(text(from("t").order_by({.path = {"a\\b"}})), R"(select "data" from "t" order by ("data"->>E'a\\b'))");
  EXPECT_THROW((void)from("t").order_by({}).build(), sluice::error);
}

TEST(From, NeverFailsOnATypedKeyThatIsOfAnotherType) {
  const std::string sql = text(from("t").order_by({.path = {"age"}, .type = sort_key::as::integer}));
  EXPECT_NE(sql.find("case when"), std::string::npos) << sql;
}

TEST(BindValue, CarriesTextAndType) {
  EXPECT_EQ(bind_value{"text"}.text(), "text");
  EXPECT_EQ(bind_value{"text"}.type(), 0U) << "inferred by the server";
  EXPECT_EQ(bind_value{42}.text(), "42");
  EXPECT_EQ(bind_value{42}.type(), 20U);
  EXPECT_EQ(bind_value{std::numeric_limits<std::uint64_t>::max()}.text(), "18446744073709551615");
  EXPECT_EQ(bind_value{std::numeric_limits<std::uint64_t>::max()}.type(), 1700U);
  EXPECT_EQ(bind_value{true}.text(), "true");
  EXPECT_EQ(bind_value{0.1}.text(), "0.1");
  EXPECT_EQ(bind_value{-std::numeric_limits<double>::infinity()}.text(), "-inf");
  EXPECT_EQ(bind_value{nullptr}.text(), std::nullopt);
  EXPECT_EQ(bind_value{std::optional<int>{}}.text(), std::nullopt);
  EXPECT_EQ(bind_value{std::optional<int>{7}}.text(), "7");
}

TEST(Sql, IsAskedForItsColumnsUnlessTheyAreStated) {
  EXPECT_EQ(sluice::sql("select 1").rows(), query::shape::detect);
  EXPECT_EQ(sluice::sql("select 1").as_document().rows(), query::shape::document);
  EXPECT_EQ(sluice::sql("select 1").as_object().rows(), query::shape::object);
  EXPECT_EQ(sluice::sql("select $1, $2", "a", 1).parameters().size(), 2U);
}

}  // namespace
