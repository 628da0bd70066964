// Queries of one row: the row, and the errors for none and for several.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <sluice/proto/oid.hpp>
#include <sluice/stream/single_row.hpp>

#include "backend.hpp"
#include "failures.hpp"

namespace single_row_test {
namespace {

using namespace sluice::detail;
using sluice::errc;
using sluice::test::be32;
using sluice::test::failure_of;

const sluice::result_columns number{{.name = "n", .type = sluice::proto::oid::int4}};
using reader = row_reader<std::int32_t>;

/// Chunks of rows, as they come from a server.
std::optional<std::tuple<std::int32_t>> only_of(const std::vector<std::vector<std::uint32_t>>& chunks) {
  only_row<reader> only;
  for (const std::vector<std::uint32_t>& each : chunks) {
    sluice::test::backend server;
    for (const std::uint32_t value : each) server.data_row(be32(value));
    const auto bytes = std::as_bytes(std::span{server.bytes});
    only.take(sluice::chunk{{.begin = bytes.data(),
                             .end = bytes.data() + bytes.size(),
                             .shape = {.columns = 1, .type = std::byte{'D'}, .max_body = 1'000},
                             .walked = nullptr},
                            &number});
  }
  return std::move(only).found();
}

TEST(OnlyRow, IsFoundInAnyChunk) {
  EXPECT_EQ(only_of({{7}}), std::tuple{7});
  EXPECT_EQ(only_of({{}, {7}, {}}), std::tuple{7});
  EXPECT_EQ(only_of({}), std::nullopt);
  EXPECT_EQ(only_of({{}}), std::nullopt);
}

TEST(OnlyRow, IsNotTheFirstOfSeveral) {
  for (const std::vector<std::vector<std::uint32_t>>& chunks :
       {std::vector<std::vector<std::uint32_t>>{{1, 2}}, std::vector<std::vector<std::uint32_t>>{{1}, {}, {2}}}) {
    const auto why = failure_of([&] { return only_of(chunks); });
    ASSERT_TRUE(why);
    EXPECT_EQ(why->code(), errc::unexpected_rows);
    EXPECT_STREQ(why->what(), "the query has more than one row, and one was asked for");
    EXPECT_EQ(why->rows(), 1U);
    EXPECT_TRUE(why->connection_usable());
    EXPECT_FALSE(why->retryable());
  }
}

TEST(OnlyRow, HasToBeThereWhereOneIsRequired) {
  const auto why = failure_of([] { return required(std::optional<std::tuple<int>>{}); });
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::unexpected_rows);
  EXPECT_STREQ(why->what(), "the query has no row, and one was asked for");
  EXPECT_EQ(why->rows(), 0U);
  EXPECT_TRUE(why->connection_usable());
  EXPECT_EQ(required(std::optional{std::tuple{7}}), std::tuple{7});
  EXPECT_EQ(first_value(std::optional{std::tuple{7}}), 7);
  EXPECT_EQ(as_it_is(std::optional<int>{}), std::nullopt);
}

TEST(OnlyRow, CannotBeReadAsAView) {
  static_assert(is_view_of_a_row<std::string_view>);
  static_assert(is_view_of_a_row<std::optional<std::vector<std::string_view>>>);
  static_assert(is_view_of_a_row<std::tuple<int, std::pair<int, std::span<const std::byte>>>>);
  static_assert(is_view_of_a_row<sluice::range<sluice::bit_string>>);
  static_assert(!is_view_of_a_row<std::optional<std::vector<std::string>>>);
  static_assert(!is_view_of_a_row<std::tuple<int, std::pair<int, std::string>>>);
  EXPECT_EQ(row_reader<int>::prepared(sluice::sql("select 1")).rows(), sluice::query::shape::columns);
}

}  // namespace
}  // namespace single_row_test
