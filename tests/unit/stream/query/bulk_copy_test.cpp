// A query as COPY: the decisions that are made about it, without a server.
#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/proto/oid.hpp>
#include <sluice/stream/query.hpp>

#include "backend.hpp"
#include "bytes.hpp"
#include "failures.hpp"
#include "query/bulk_copy.hpp"
#include "readable_sql.hpp"

namespace bulk_copy_test {
namespace {

namespace oid = sluice::proto::oid;
using sluice::errc;
using sluice::query;
using sluice::result_columns;
using sluice::detail::bulk_copy;
using sluice::proto::parameter;
using sluice::test::as_bytes;
using sluice::test::backend;
using sluice::test::readable;
using sluice::wire::decision;
using kind = decision::kind;

/// A copy of a query, and the statement that it made.
struct copying {
  query what;
  std::vector<parameter> values;
  bulk_copy copy{what, values, nullptr};
  sluice::wire::statement statement{};
  std::unique_ptr<sluice::wire::decider> decides;

  explicit copying(query of, std::vector<parameter> bound = {}) : what{std::move(of)}, values{std::move(bound)} {
    copy.make_copy(statement);
    decides = statement.decides();
  }
  decision described(const result_columns& columns, const std::vector<std::uint32_t>& parameters = {}) {
    return decides->described({.parameters = parameters, .columns = &columns});
  }
  bool told(std::initializer_list<std::optional<std::string_view>> row) {
    constexpr std::size_t header = 5;
    const std::string message = backend{}.data_row(row).bytes;
    return decides->told(*sluice::proto::decode_data_row(as_bytes(message).subspan(header)));
  }
};

query documents(std::string text) { return {std::move(text), {}, query::shape::document}; }
query texts(std::string text) { return {std::move(text), {}, query::shape::text_columns}; }
query columns(std::string text) { return {std::move(text), {}, query::shape::columns}; }
std::string copied(const std::string& text) { return "copy (" + text + "\n) to stdout (format binary)"; }

const result_columns json{{.name = "data", .type = oid::json}};
const result_columns jsonb{{.name = "data", .type = oid::jsonb}};

TEST(BulkCopy, OfJsonIsTheQueryItself) {
  copying of{documents("select data from t;")};
  EXPECT_TRUE(of.statement.is_copied);
  EXPECT_EQ(of.statement.question, "");
  EXPECT_EQ(of.statement.before_copy.sql, "");
  const decision how = of.described(json);
  EXPECT_EQ(how.is, kind::copy);
  EXPECT_EQ(how.sql, copied("select data from t"));
}

TEST(BulkCopy, OfJsonbIsItsText) {
  copying of{documents("select data from t")};
  EXPECT_EQ(readable(of.described(jsonb).sql), copied("select c1::text from (select data from t\n) q(c1)"));
}

TEST(BulkCopy, TakesTheTextsOfColumnsFromTheirOutputFunctions) {
  copying of{texts("select * from t")};
  const decision how = of.described({{.name = "id", .type = oid::int4}, {.name = "name", .type = oid::text}});
  EXPECT_EQ(readable(how.sql), copied("select case when c1 is distinct from null then format('%s', c1) end, c2 from "
                                      "(select * from t\n) q(c1, c2)"));
  copying plain{texts("select * from t")};
  EXPECT_EQ(plain.described({{.name = "name", .type = oid::varchar}}).sql, copied("select * from t"));
  copying binary{columns("select * from t")};
  EXPECT_EQ(binary.described({{.name = "id", .type = oid::int4}}).sql, copied("select * from t"));
}

TEST(BulkCopy, CarriesItsParametersInSettings) {
  copying of{columns("select $1::int, $2, '$1'"), {{.value = "7"}, {.value = std::nullopt}}};
  EXPECT_EQ(readable(std::string{of.statement.before_copy.sql}),
            "select set_config('sluice.parameter_1', $1::text, true)");
  ASSERT_EQ(of.statement.before_copy.values.size(), 1U);
  EXPECT_EQ(of.statement.before_copy.values[0].value, "7");
  EXPECT_EQ(of.statement.before_copy.types[0], oid::text);
  const decision how = of.described({{.name = "a", .type = oid::int4}}, {oid::int4, oid::text});
  EXPECT_EQ(readable(how.sql),
            copied("select ((current_setting('sluice.parameter_1') || ''::text)::int4)::int, (null::text), '$1'"));
}

TEST(BulkCopy, CarriesBytesAsBytes) {
  copying of{columns("select $1"), {{.value = "\1", .binary = true}}};
  EXPECT_EQ(of.statement.before_copy.types[0], oid::bytea);
}

TEST(BulkCopy, AsksForTheNamesOfTypesThatItDoesNotKnow) {
  copying of{columns("select $1, $2"), {{.value = "a"}, {.value = std::nullopt}}};
  const decision question = of.described({{.name = "a", .type = 20'000}}, {20'000, 20'001});
  EXPECT_EQ(question.is, kind::ask);
  EXPECT_NE(question.sql.find("'{20000,20001}'"), std::string::npos) << question.sql;
  EXPECT_TRUE(of.told({"20000", "app.\"Mood\""}));
  EXPECT_TRUE(of.told({"20001", "app.price"}));
  const decision how = of.decides->answered();
  EXPECT_EQ(readable(how.sql), copied("select ((current_setting('sluice.parameter_1') || ''::text)::app.\"Mood\"), "
                                      "(null::app.price)"));
}

TEST(BulkCopy, IsRefusedWhereATypeHasNoName) {
  copying of{columns("select $1"), {{.value = "a"}}};
  ASSERT_EQ(of.described({{.name = "a", .type = oid::text}}, {20'000}).is, kind::ask);
  EXPECT_FALSE(of.told({"20000"}));
  EXPECT_FALSE(of.told({"20000", std::nullopt}));
  const decision how = of.decides->answered();
  EXPECT_EQ(how.is, kind::refuse);
  EXPECT_EQ(how.code, errc::bad_query);
  EXPECT_EQ(how.sql, "the type of $1 has no name, which bulk mode needs");
}

TEST(BulkCopy, IsOfTheTableItselfIfTheServerSaysSo) {
  const auto decided = [](std::initializer_list<std::optional<std::string_view>> answer) {
    copying of{sluice::from("app.doc").column("data").build()};
    EXPECT_NE(of.statement.question, "");
    EXPECT_TRUE(of.told(answer));
    return of.described(json).sql;
  };
  EXPECT_EQ(decided({"t"}), R"(copy "app"."doc" ("data") to stdout (format binary))");
  EXPECT_EQ(decided({"f"}), copied(R"(select "data" from "app"."doc")"));
  EXPECT_EQ(decided({std::nullopt}), copied(R"(select "data" from "app"."doc")"));
  EXPECT_EQ(decided({"t", "t"}), copied(R"(select "data" from "app"."doc")"));
}

TEST(BulkCopy, IsRefusedWithoutRowsAndForOtherResults) {
  copying none{documents("create table t ()")};
  const decision without = none.decides->described({.parameters = {}, .columns = nullptr});
  EXPECT_EQ(without.is, kind::refuse);
  EXPECT_EQ(without.sql, "COPY needs a query that gives rows");
  copying text{documents("select name from t")};
  EXPECT_EQ(text.described({{.name = "name", .type = oid::text}}).code, errc::unsupported_result);
  copying more{documents("select $1"), {{.value = "a"}}};
  EXPECT_EQ(more.described(json, {oid::text, oid::text}).sql, "not as many parameters as were named");
  copying writes{documents("explain select 1")};
  EXPECT_EQ(writes.described(jsonb).is, kind::refuse) << "it cannot stand in another query";
}

TEST(BulkCopy, RefusesParametersThatItDoesNotHave) {
  const auto why =
      sluice::test::failure_of([] { return copying{columns("select $2"), {{.value = "a"}}}.values.size(); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::bad_query);
}

}  // namespace
}  // namespace bulk_copy_test
