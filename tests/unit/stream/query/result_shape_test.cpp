// What the rows of a result become, by its columns: decided without a server, on a session that nobody answers.
#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>

#include "backend.hpp"
#include "bytes.hpp"
#include "query/result_shape.hpp"
#include "readable_sql.hpp"
#include "session_pair.hpp"

namespace result_shape_test {
namespace {

using namespace sluice::detail;
namespace oid = sluice::proto::oid;
using sluice::errc;
using sluice::format_choice;
using sluice::query;
using sluice::result_column;
using sluice::result_columns;
using sluice::proto::value_format;
using sluice::test::as_bytes;
using sluice::test::backend;
using sluice::test::readable;
using sluice::wire::decision;
using kind = decision::kind;

constexpr std::uint32_t mood = 20'000;   // of this database
constexpr std::uint32_t store = 20'001;  // with a cast to json

const result_columns json{{.name = "data", .type = oid::json}};
const result_columns two{{.name = "id", .type = oid::int4}, {.name = "at", .type = oid::inet}};

class ResultShape : public testing::Test {
 protected:
  std::shared_ptr<result_shape> shape(query::shape wanted) { return std::make_shared<result_shape>(*pair_, wanted); }
  static decision described(sluice::wire::decider& by, const result_columns& columns, bool is_running = false) {
    return by.described({.parameters = {}, .columns = &columns, .is_running = is_running});
  }
  static bool told(sluice::wire::decider& by, std::initializer_list<std::optional<std::string_view>> row) {
    constexpr std::size_t header = 5;
    const std::string message = backend{}.data_row(row).bytes;
    return by.told(*sluice::proto::decode_data_row(as_bytes(message).subspan(header)));
  }
  sluice::test::session_pair pair_;
};

TEST_F(ResultShape, IsADocumentOnlyOfOneColumnAndIfNoObjectWasAskedFor) {
  EXPECT_TRUE(shape(query::shape::detect)->is_document(json));
  EXPECT_FALSE(shape(query::shape::object)->is_document(json));
  EXPECT_FALSE(shape(query::shape::detect)->is_document(two));
  EXPECT_FALSE(shape(query::shape::detect)->is_document({json[0], json[0]}));
  EXPECT_FALSE(shape(query::shape::detect)->is_document({}));
}

TEST_F(ResultShape, MakesObjectsOfColumnsInTheirFormats) {
  const auto rows = shape(query::shape::detect);
  const auto by = decide_objects(rows, "select * from t");
  const decision how = described(*by, two);
  EXPECT_EQ(how.is, kind::as_it_is);
  EXPECT_EQ(how.formats, (std::vector{value_format::binary, value_format::text}));
  EXPECT_TRUE(rows->makes_objects());
  EXPECT_EQ(rows->objects().size(), 2U);
}

TEST_F(ResultShape, TakesTextOfAResultThatIsOnItsWay) {
  const auto rows = shape(query::shape::object);
  const auto by = decide_objects(rows, "select * from t");
  EXPECT_TRUE(described(*by, two, true).formats.empty());
  EXPECT_TRUE(rows->makes_objects());
}

TEST_F(ResultShape, AsksAboutTypesOnce) {
  const auto by = decide_objects(shape(query::shape::detect), "select m from t");
  const result_columns columns{{.name = "m", .type = mood}};
  const decision question = described(*by, columns);
  ASSERT_EQ(question.is, kind::ask);
  EXPECT_NE(question.sql.find("20000"), std::string::npos);
  EXPECT_TRUE(told(*by, {"20000", "b", "0", ",", "f", "0", std::nullopt, std::nullopt, "e", std::nullopt}));
  const decision how = by->answered();
  EXPECT_EQ(how.is, kind::as_it_is);
  EXPECT_EQ(how.sql, "select m from t");
  const auto again = decide_objects(shape(query::shape::detect), "select m from t");
  EXPECT_EQ(described(*again, columns).is, kind::as_it_is) << "the session remembers it";
}

TEST_F(ResultShape, RefusesAnAnswerOfAnotherForm) {
  const auto by = decide_objects(shape(query::shape::detect), "select m from t");
  ASSERT_EQ(described(*by, {{.name = "m", .type = mood}}).is, kind::ask);
  EXPECT_FALSE(told(*by, {"20000"}));
  EXPECT_FALSE(told(*by, {"20000", "c", "0", ",", "f", "1", "\xff", "23", std::nullopt, std::nullopt}));
  EXPECT_EQ(by->answered().is, kind::as_it_is) << "a type that was dropped: its values are texts";
}

TEST_F(ResultShape, LetsTheServerMakeObjectsWhereItsOwnDiffer) {
  const auto rows = shape(query::shape::detect);
  rows->types().add(store, {.has_cast_to_json = true});
  const auto by = decide_objects(rows, "select s from t;");
  const decision how = described(*by, {{.name = "s", .type = store}});
  EXPECT_EQ(how.is, kind::instead);
  EXPECT_EQ(readable(how.sql), "select row_to_json(q.*) from (select s from t\n) q");
  EXPECT_EQ(how.columns, one_document());
  EXPECT_FALSE(rows->makes_objects());
  const auto others = shape(query::shape::detect);
  const auto show = decide_objects(others, "show s");
  EXPECT_EQ(described(*show, {{.name = "s", .type = store}}).is, kind::as_it_is) << "it cannot stand in another query";
}

TEST_F(ResultShape, LeavesTheFormatsToAChoice) {
  const auto choice =
      std::make_shared<const format_choice>([](const result_column& each) { return each.name == "at"; });
  const auto check = std::make_shared<const sluice::columns_check>([](std::span<const result_column> all) {
    if (all.size() != 2) throw sluice::error{errc::bad_column, "two columns are wanted"};
  });
  result_shape rows{*pair_, choice, check};
  EXPECT_EQ(rows.plan(two), (std::vector{value_format::binary, value_format::text}));
  ASSERT_NE(rows.columns(), nullptr);
  EXPECT_TRUE((*rows.columns())[1].is_text);
  EXPECT_EQ((*rows.columns())[0].what, result_column::kind::scalar);
  result_shape others{*pair_, choice, check};
  EXPECT_THROW((void)others.plan(json), sluice::error);
  EXPECT_THROW(others.nothing(), sluice::error);
}

TEST_F(ResultShape, RefusesNamesThatAreNotUtf8) {
  EXPECT_THROW((void)shape(query::shape::object)->plan({{.name = "\xff", .type = oid::int4}}), sluice::error);
}

TEST_F(ResultShape, RemembersWhichRelationsHaveNoDocuments) {
  database_types& types = types_of(*pair_);
  types.remember_without_documents("select 1");
  EXPECT_TRUE(types_of(*pair_).is_without_documents("select 1"));
  types.forget_without_documents("select 1");
  EXPECT_FALSE(types.is_without_documents("select 1"));
  for (int i = 0; i < 257; ++i) types.remember_without_documents("select " + std::to_string(i));
  EXPECT_TRUE(types.is_without_documents("select 256"));
  EXPECT_FALSE(types.is_without_documents("select 0")) << "their number is bounded";
}

TEST(RefusedDocuments, AreTheOtherColumns) {
  EXPECT_EQ(refuse_documents_of(json), "");
  EXPECT_EQ(refuse_documents_of({{.name = "b", .type = oid::jsonb}}), "");
  EXPECT_EQ(refuse_documents_of(two),
            "the query gives 2 columns where one document per row was asked for: let them become an object");
  EXPECT_EQ(refuse_documents_of({{.name = "id", .type = oid::int4}}),
            "the column \"id\" is neither json nor jsonb, where documents were asked for: cast it, or let it become an "
            "object");
  EXPECT_NE(refuse_documents_of({}), "");
}

TEST(SelectFrom, EnclosesAQueryByWhatItIs) {
  EXPECT_EQ(select_from("select 1 -- all", "c1", "c1"), "select c1 from (select 1 -- all\n) q(c1)");
  EXPECT_EQ(select_from("insert into t values (1) returning a", "q.*"),
            "with q as (insert into t values (1) returning a\n) select q.* from q");
  EXPECT_EQ(select_from("show timezone", "q.*"), "");
}

TEST(RefusedBy, TakesTheReasonOfTheChoice) {
  const decision how = refused_by(sluice::error{errc::bad_column, "no"});
  EXPECT_EQ(how.is, kind::refuse);
  EXPECT_EQ(how.sql, "no");
  EXPECT_EQ(how.code, errc::bad_column);
}

}  // namespace
}  // namespace result_shape_test
