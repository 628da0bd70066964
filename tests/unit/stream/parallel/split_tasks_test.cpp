// Divisions that are refused, or need no answer of the server's. The others are in
// tests/integration/splitting_test.cpp.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>

#include "awaited.hpp"
#include "failures.hpp"
#include "parallel/split_tasks.hpp"

namespace split_tasks_test {
namespace {

using sluice::errc;
using sluice::field;
using sluice::from;
using sluice::relation;
using sluice::split_by;
using sluice::detail::asking;
using sluice::detail::division;

/// On a connection that is none: whatever it is asked fails.
division divided(const relation& what, std::uint32_t connections, bool is_exact = false,
                 const split_by& how = split_by::ctid()) {
  sluice::connection nobody;
  const asking on{nobody, {}};
  return sluice::test::awaited(sluice::detail::divide(on, what, how, connections, is_exact));
}
std::string refusal(const relation& what, std::uint32_t connections, errc code = errc::bad_query) {
  const auto why = sluice::test::failure_of([&] { return divided(what, connections); });
  if (!why) return "divided";
  EXPECT_EQ(why->code(), code);
  return why->what();
}

TEST(Divide, NeedsAConnection) { EXPECT_EQ(refusal(from("t"), 0), "in parallel: no connections"); }

TEST(Divide, LeavesTheFirstRowsToOneConnection) {
  const std::string expected =
      "in parallel: LIMIT and OFFSET ask for any rows, or for the first in an order: read them on one connection";
  EXPECT_EQ(refusal(from("t").limit(1), 2), expected);
  EXPECT_EQ(refusal(from("t").offset(1), 2), expected);
}

TEST(Divide, MergesNoColumns) {
  const auto columns = [] { return from("t").formats([](const sluice::result_column&) { return false; }); };
  EXPECT_EQ(refusal(columns().order_by(field("id")), 2),
            "in parallel: columns come in no order: only documents are merged here");
}

TEST(Divide, ReadsEverythingByOneQueryOnOneConnection) {
  const division whole = divided(from("t").column("doc").where(field("id") == 7).order_by(field("id")), 1);
  ASSERT_EQ(whole.tasks.size(), 1U);
  EXPECT_EQ(whole.tasks[0].weight, 1U);
  EXPECT_EQ(whole.tasks[0].what.parameters().size(), 1U);
  EXPECT_NE(whole.tasks[0].what.text().find("order by"), std::string::npos) << "the server sorts";
  EXPECT_TRUE(whole.order.empty());
}

TEST(Divide, IntoBucketsAsksNothing) {
  const division parts = divided(from("t").column("doc"), 3, false, split_by::hash("id"));
  EXPECT_EQ(parts.tasks.size(), 3U);
  EXPECT_TRUE(parts.order.empty());
}

TEST(Divide, AsksTheServerWhereItHasTo) {
  EXPECT_NE(refusal(from("t").column("doc"), 2, errc::bad_state), "divided") << "for the pages";
  EXPECT_NE(refusal(from("t").column("doc").order_by(field("id")), 2, errc::bad_state), "divided") << "for the types";
}

TEST(WithItsDocuments, TakesTheColumnThatWasNamed) {
  sluice::connection nobody;
  const asking on{nobody, {}};
  const relation named = sluice::test::awaited(sluice::detail::with_its_documents(on, from("t").column("doc")));
  EXPECT_EQ(named.documents(), "\"doc\"");
  EXPECT_TRUE(sluice::test::failure_of([&] {
    return sluice::test::awaited(sluice::detail::with_its_documents(on, from("t"))).qualified_name();
  })) << "whether there is a column data has to be asked";
}

}  // namespace
}  // namespace split_tasks_test
