// What a COPY into a table asks, and what it says.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/oid.hpp>

#include "backend.hpp"
#include "failures.hpp"
#include "query/copy_sql.hpp"

namespace copy_sql_test {
namespace {

namespace oid = sluice::proto::oid;
using sluice::errc;
using sluice::query;
using sluice::result_columns;
using sluice::row;
using sluice::detail::copy_target;
using sluice::detail::written_column;
using sluice::test::backend;
using sluice::test::be64;
using sluice::test::failure_of;

const result_columns answered{{.name = "name", .type = oid::text},    {.name = "type", .type = oid::text},
                              {.name = "oid", .type = oid::int8},     {.name = "receive", .type = oid::text},
                              {.name = "element", .type = oid::int8}, {.name = "its receive", .type = oid::text}};

/// A column as the catalog tells it.
struct told {
  std::string_view name;
  std::string_view type_name;
  std::uint32_t type;
  std::string_view receive;
  std::optional<std::uint32_t> element{};
  std::optional<std::string_view> receive_element{};
};
void note(copy_target& to, const told& what) {
  const std::string type = be64(what.type);
  const std::string element = be64(what.element.value_or(0));
  const std::string message =
      backend{}
          .data_row({what.name, what.type_name, std::string_view{type}, what.receive,
                     what.element ? std::optional<std::string_view>{element} : std::nullopt, what.receive_element})
          .bytes;
  constexpr std::size_t header = 5;
  to.note(row{reinterpret_cast<const std::byte*>(message.data()) + header, &answered});
}

copy_target of_people(std::vector<std::string> columns = {}) {
  copy_target people{"app.person", std::move(columns)};
  note(people, {"id", "integer", oid::int4, "pg_catalog.int4recv"});
  note(people, {"Odd \"name\"", "text", oid::text, "textrecv"});
  note(people, {"tags", "text[]", oid::text_array, "array_recv", oid::text, "pg_catalog.textrecv"});
  note(people, {"sizes", "integer[]", oid::int4_array, "array_recv", oid::int4, "int4recv"});
  return people;
}

TEST(CopyTarget, AsksForTheColumnsOfItsTable) {
  const query ask = copy_target{"app.person", {}}.question();
  ASSERT_EQ(ask.parameters().size(), 1U);
  EXPECT_EQ(ask.parameters()[0].text(), R"("app"."person")");
  EXPECT_EQ(ask.rows(), query::shape::columns);
  EXPECT_NE(ask.text().find("a.attgenerated = ''"), std::string::npos) << "those that can be written";
}

TEST(CopyTarget, WritesAllColumnsInTheirOrder) {
  EXPECT_EQ(of_people().copy(),
            R"(copy "app"."person" ("id", "Odd ""name""", "tags", "sizes") from stdin (format binary))");
  EXPECT_EQ(copy_target("nothing", {}).copy(), R"(copy "nothing" from stdin (format binary))");
}

TEST(CopyTarget, WritesTheColumnsThatAreNamed) {
  EXPECT_EQ(of_people({"tags", "id"}).copy(), R"(copy "app"."person" ("tags", "id") from stdin (format binary))");
}

TEST(CopyTarget, KnowsHowTheTypesAreRead) {
  const std::vector<written_column> columns = of_people().columns();
  ASSERT_EQ(columns.size(), 4U);
  EXPECT_EQ(columns[0].type_name, "integer");
  EXPECT_EQ(columns[0].type.oid, oid::int4);
  EXPECT_FALSE(columns[0].type.is_text);
  EXPECT_FALSE(columns[0].element);
  EXPECT_TRUE(columns[1].type.is_text);
  ASSERT_TRUE(columns[2].element);
  EXPECT_EQ(columns[2].element->oid, oid::text);
  EXPECT_TRUE(columns[2].element->is_text);
  EXPECT_FALSE(columns[2].type.is_text);
  EXPECT_FALSE(columns[3].element->is_text);
}

TEST(CopyTarget, TakesTextForTheTypesThatReadIt) {
  copy_target types{"t", {}};
  for (const std::string_view function :
       {"textrecv", "varcharrecv", "bpcharrecv", "namerecv", "enum_recv", "json_recv", "jsonb_recv", "xml_recv",
        "citextrecv", "app.citextrecv", R"("a.b".citextrecv)"})
    note(types, {"c", "t", 1, function});
  for (const written_column& each : types.columns()) EXPECT_TRUE(each.type.is_text);
  copy_target others{"t", {}};
  for (const std::string_view function : {"", "-", "numeric_recv", "byteain", "textrecv2", "app.textrecv.other"})
    note(others, {"c", "t", 1, function});
  for (const written_column& each : others.columns()) EXPECT_FALSE(each.type.is_text);
}

TEST(CopyTarget, RefusesAColumnThatIsNotThere) {
  const auto why = failure_of([] { return of_people({"id", "no \"such\""}).copy(); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::bad_column);
  EXPECT_STREQ(why->what(), R"(the table "app"."person" has no column "no ""such""" that can be written)");
  EXPECT_TRUE(why->connection_usable());
}

TEST(CopyTarget, RefusesNamesThatAreNone) {
  for (const std::string_view name : {"", ".", "a.", "\"open"}) {
    const auto why = failure_of([&] { return copy_target{name, {}}; });
    ASSERT_TRUE(why) << name;
    EXPECT_EQ(why->code(), errc::bad_query);
  }
}

}  // namespace
}  // namespace copy_sql_test
