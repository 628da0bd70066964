// A query divided by one of its columns, as far as nothing has to be asked for. tests/integration/partitions_test.cpp
// has ranges of keys.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>

#include "awaited.hpp"
#include "failures.hpp"
#include "parallel/query_parts.hpp"
#include "readable_sql.hpp"

namespace query_parts_test {
namespace {

using sluice::errc;
using sluice::query;
using sluice::split_by;
using sluice::sql;

/// On a connection that is none: whatever it is asked fails.
std::vector<query> divided(const query& what, const split_by& how, std::uint32_t count) {
  sluice::connection nobody;
  const sluice::detail::asking on{nobody, {}};
  return sluice::test::awaited(sluice::detail::divide(on, what, how, count));
}
std::string refusal(const query& what, const split_by& how) {
  const auto why = sluice::test::failure_of([&] { return divided(what, how, 2); });
  if (!why) return "divided";
  EXPECT_EQ(why->code(), errc::bad_query);
  return why->what();
}

TEST(QueryParts, AreTheQueryItselfIfOneIsWanted) {
  const std::vector<query> parts = divided(sql("select 1 where $1", true), split_by::ctid(), 1);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].text(), "select 1 where $1");
  EXPECT_EQ(parts[0].parameters().size(), 1U);
}

TEST(QueryParts, AreBucketsOfAHash) {
  const std::vector<query> parts =
      divided(sql("select * from t where a = $1;", 7).as_columns(), split_by::hash("Id"), 3);
  ASSERT_EQ(parts.size(), 3U);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(sluice::test::readable(parts[i].text()),
              "select q.* from (select * from t where a = $1\n) q where coalesce(hashtextextended(q.\"Id\"::text, 0) & "
              "9223372036854775807, 0) % 3 = " +
                  std::to_string(i));
    ASSERT_EQ(parts[i].parameters().size(), 1U);
    EXPECT_EQ(parts[i].parameters()[0].text(), "7");
    EXPECT_EQ(parts[i].rows(), query::shape::columns);
  }
}

TEST(QueryParts, QuoteTheColumn) {
  const std::vector<query> parts = divided(sql("table t"), split_by::hash("a\"b"), 2);
  EXPECT_NE(parts[0].text().find(R"(q."a""b"::)"), std::string::npos) << parts[0].text();
  EXPECT_EQ(refusal(sql("table t"), split_by::hash("")), "an empty name");
}

TEST(QueryParts, AreNoRangesOfPages) {
  EXPECT_EQ(refusal(sql("select 1"), split_by::ctid()),
            "partitions: a query has no pages: divide it by a key or a hash of one of its columns, or into one");
}

TEST(QueryParts, AreOfAQueryOnly) {
  for (const char* const text : {"insert into t values (1) returning id", "show timezone", "call p()", "delete from t"})
    EXPECT_EQ(refusal(sql(text), split_by::hash("id")),
              "partitions: only a query can be divided: SELECT, TABLE, VALUES, or WITH")
        << text;
  for (const char* const text :
       {"select 1 as id", "table t", "values (1)", "with q as (select 1 as id) select * from q"})
    EXPECT_EQ(refusal(sql(text), split_by::hash("id")), "divided") << text;
}

TEST(QueryParts, AskForTheRangeOfAKey) {
  const auto why = sluice::test::failure_of([] { return divided(sql("table t"), split_by::key("id"), 2); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::bad_state) << "there is nobody to ask";
}

}  // namespace
}  // namespace query_parts_test
