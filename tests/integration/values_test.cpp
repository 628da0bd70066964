// Bound parameters of every kind, to the server and back.
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace values_test {
namespace {

using namespace sluice::test;
using sluice::bind_value;
using sluice::sql;

struct parameter_case {
  const char* name;
  const char* expression;  // in terms of $1; gives a document
  bind_value value;
  std::string document;
};

class BoundParameter : public testing::TestWithParam<parameter_case> {};

TEST_P(BoundParameter, ArrivesAsItIs) {
  const auto& [name, expression, value, document] = GetParam();
  sluice::client db{dsn()};
  EXPECT_EQ(answer(db, sql(std::string{"select "} + expression, value)), document);
  EXPECT_EQ(answer(db, sql(std::string{"select "} + expression, value).as_document()), document);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, BoundParameter,
    testing::Values(
        parameter_case{"Text", "to_json($1::text)", "x", "\"x\""},
        parameter_case{"EmptyText", "to_json($1::text)", "", "\"\""},
        parameter_case{"Quotes", "to_json($1::text)", R"(it's "x" \ $1 ; -- )", R"("it's \"x\" \\ $1 ; -- ")"},
        parameter_case{"Unicode", "to_json($1::text)", "\xce\xb1\xe2\x82\xac\xf0\x9f\x90\x98",
                       "\"\xce\xb1\xe2\x82\xac\xf0\x9f\x90\x98\""},
        parameter_case{"Lines", "to_json($1::text)", "a\nb\tc", R"("a\nb\tc")"},
        parameter_case{"Null", "to_json($1::text)", nullptr, "NULL"},
        parameter_case{"NullOfAType", "to_json($1::int)", std::optional<int>{}, "NULL"},
        parameter_case{"LeastInt64", "to_json($1)", std::numeric_limits<std::int64_t>::min(), "-9223372036854775808"},
        parameter_case{"MostInt64", "to_json($1)", std::numeric_limits<std::int64_t>::max(), "9223372036854775807"},
        parameter_case{"MostUint64", "to_json($1)", std::numeric_limits<std::uint64_t>::max(), "18446744073709551615"},
        parameter_case{"IntOfAPlace", "to_json(1 = $1)", 1, "true"},
        parameter_case{"True", "to_json($1)", true, "true"}, parameter_case{"False", "to_json($1)", false, "false"},
        parameter_case{"Double", "to_json($1)", 0.1, "0.1"},
        parameter_case{"SmallestDouble", "to_json($1::float8)", std::numeric_limits<double>::denorm_min(), "5e-324"},
        parameter_case{"LargestDouble", "to_json($1::float8)", std::numeric_limits<double>::max(),
                       "1.7976931348623157e+308"},
        parameter_case{"NotANumber", "to_json($1::text)", std::numeric_limits<double>::quiet_NaN(), "\"NaN\""},
        parameter_case{"Infinity", "to_json($1 = '-infinity')", -std::numeric_limits<double>::infinity(), "true"},
        parameter_case{"Document", "$1::jsonb", R"({"b":1,"a":[]})", R"({"a": [], "b": 1})"},
        parameter_case{"Bytes", "to_json(encode($1, 'hex'))",
                       bind_value::bytes(std::vector{std::byte{0}, std::byte{0xff}, std::byte{'\\'}}), "\"00ff5c\""},
        parameter_case{"NoBytes", "to_json(length($1))", bind_value::bytes({}), "0"},
        parameter_case{
            "ListOfBytes", "to_json(encode($1[2], 'hex'))",
            bind_value::array(std::vector{bind_value::bytes({}), bind_value::bytes(std::vector(2, std::byte{7}))}),
            "\"0707\""},
        parameter_case{"Uuid", "to_json($1)", *sluice::uuid::parse("123e4567-e89b-12d3-a456-426614174000"),
                       "\"123e4567-e89b-12d3-a456-426614174000\""},
        parameter_case{"Moment", "to_json($1 at time zone 'UTC')",
                       std::chrono::sys_days{} + std::chrono::milliseconds{1}, "\"1970-01-01T00:00:00.001\""},
        parameter_case{"TimeOnTheWall", "to_json($1)",
                       std::chrono::local_time<std::chrono::seconds>{std::chrono::hours{36}},
                       "\"1970-01-02T12:00:00\""},
        parameter_case{"DateByItsPlace", "to_json(date '2024-02-28' + 1 = $1)", "2024-02-29", "true"}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(BoundParameters, MayBeLargerThanTheSocketHolds) {
  const std::string large(30'000'000, 'x');
  for (const std::string& conninfo : {dsn(), tcp_dsn()}) {
    sluice::client db{conninfo};
    EXPECT_EQ(answer(db, sql("select to_json(length($1::text))", large)), "30000000");
    EXPECT_EQ(answer(db, sql("select $1::json", '"' + large + '"')), '"' + large + '"');
  }
}

asio::awaitable<void> echo(std::string conninfo, std::string large) {
  sluice::connection db = co_await sluice::connect(conninfo);
  const sluice::query back = sql("select $1::json", '"' + large + '"').as_document();
  const std::string got = co_await answer(db, back);
  EXPECT_TRUE(got == '"' + large + '"') << got.size() << " bytes came back";
}

TEST(BoundParameters, OfACoroutineMayBeLargerThanTheSocketHoldsToo) {
  const std::string large(30'000'000, 'x');
  run(echo(dsn(), large));
  run(echo(tcp_dsn(), large));
}

TEST(BoundParameters, MayBeManyAndNotMore) {
  sluice::client db{dsn()};
  std::string text = "select to_json(array_length(array[$1::int";
  for (int n = 2; n <= 65'535; ++n) text += ",$" + std::to_string(n);
  text += "], 1))";
  std::vector<bind_value> values(65'535, bind_value{7});
  EXPECT_EQ(answer(db, {text, values, sluice::query::shape::document}), "65535");
  values.emplace_back(8);
  try {
    (void)db.stream({text, values, sluice::query::shape::document});
    ADD_FAILURE() << "65536 parameters were taken";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_query);
  }
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(Statements, ThatTheProtocolCannotCarryLeaveTheConnectionUsable) {
  sluice::client db{dsn()};
  const std::string zero("select '\0'", 10);
  EXPECT_THROW((void)db.stream(sql(zero)), sluice::error);
  EXPECT_THROW((void)db.stream(sql("select to_json($1::text)", std::string("\0", 1))).next(), sluice::error);
  EXPECT_THROW((void)db.execute(zero), sluice::error);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

}  // namespace
}  // namespace values_test
