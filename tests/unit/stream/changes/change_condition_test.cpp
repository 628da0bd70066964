// Conditions on the rows of changes, which the client evaluates.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include <sluice/stream/predicate.hpp>
#include <sluice/wire/error.hpp>

#include "changes/change_condition.hpp"
#include "failures.hpp"
#include "query/client_filter.hpp"

namespace change_condition_test {
namespace {

using namespace sluice::detail;
using sluice::changed_relation;
using sluice::column;
using sluice::field;
using sluice::operation;

changed_relation named(std::string schema, std::string name) {
  changed_relation made;
  made.schema = std::move(schema);
  made.name = std::move(name);
  return made;
}

TEST(ChangeCondition, IsEvaluatedOnTheRowsText) {
  client_filter filter{condition_on_client(field("id") == 7 && field("tag").like("a%"))};
  row_image image;
  EXPECT_TRUE(filter.matches(image.of(R"({"id":7,"tag":"ab"})")));
  EXPECT_FALSE(filter.matches(image.of(R"({"id":7,"tag":"b"})")));
  EXPECT_FALSE(filter.matches(image.of("")));
}

TEST(ChangeCondition, SaysWhatToWriteWhenOnlyTheServerCan) {
  for (const sluice::predicate& one : {column("id") == 7, field("id").as_numeric() == 7, field("v").matches_regex("a"),
                                       sluice::sql_predicate("true"), field("id") == 7 && column("id") == 7}) {
    const auto why = sluice::test::failure_of([&] { return condition_on_client(one); });
    ASSERT_TRUE(why);
    EXPECT_EQ(why->code(), sluice::errc::bad_query);
    EXPECT_NE(std::string{why->what()}.find("a column is a field, as in field(\"id\") == 7"), std::string::npos);
  }
}

TEST(ChangeCondition, IsAboutChangesOfRows) {
  for (const operation each : {operation::insert, operation::update, operation::remove, operation::snapshot})
    EXPECT_TRUE(has_row(each)) << to_string(each);
  for (const operation each :
       {operation::truncate, operation::message, operation::begin, operation::commit, operation::schema})
    EXPECT_FALSE(has_row(each)) << to_string(each);
}

TEST(TableName, MayHaveItsSchema) {
  const changed_relation table = named("app", "doc");
  EXPECT_TRUE(is_named(table, "doc"));
  EXPECT_TRUE(is_named(table, "app.doc"));
  for (const std::string_view other : {"", "app", "app.", ".doc", "app.docs", "xapp.doc", "app.do", "appxdoc",
                                       "doc.app", "App.doc", "app..doc", "other.doc"})
    EXPECT_FALSE(is_named(table, other)) << other;
  EXPECT_TRUE(is_named(named("a.b", "c"), "a.b.c"));
  EXPECT_TRUE(is_named(named("a", "b.c"), "a.b.c"));
  EXPECT_FALSE(is_named(named("", "doc"), "app.doc"));
}

TEST(RowImage, HoldsOneTextAtATime) {
  row_image image;
  for (const std::size_t size : {0U, 10U, 5'000U, 10U, 3'000'000U, 100U}) {
    const std::string text(size, 'x');
    const sluice::row row = image.of(text);
    EXPECT_EQ(row.text(), text);
    EXPECT_FALSE(row.is_null());
    EXPECT_EQ(row.text().data()[size], '\0') << "padding follows, for the parser";
  }
}

}  // namespace
}  // namespace change_condition_test
