// What results are known by.
#include <gtest/gtest.h>

#include <set>
#include <sluice/stream/query.hpp>
#include <string>
#include <vector>
#include "cache/query_key.hpp"

namespace query_key_test {
namespace {

using sluice::bind_value;
using sluice::from;
using sluice::sql;
using sluice::detail::query_key;

constexpr std::size_t roomy = 1U << 20U;

std::string key_of(const sluice::query& what, const std::vector<std::string>& tags = {},
                   std::string_view session = {}) {
  query_key key;
  EXPECT_TRUE(write_key(key, what, sluice::fetch_mode::plain, {.session = session, .tags = tags}, roomy));
  return std::to_string(key.statement.size()) + ':' + key.statement + key.values;
}

TEST(QueryKey, DiffersWhereverTheRowsMayDiffer) {
  const auto with = [](const bind_value& value) { return sql("select $1", value); };
  const std::string zero(1, '\0');
  const std::vector<std::string> keys{
      key_of(with(1)),
      key_of(with(2)),
      key_of(with("1")),
      key_of(with(std::int64_t{1})),
      key_of(with(bind_value::numeric("1"))),
      key_of(with(nullptr)),
      key_of(with("")),
      key_of(with(zero)),
      key_of(sql("select $1", 1).as_columns()),
      key_of(sql("select $1", 1).as_text_columns()),
      key_of(sql("select $1", 1).as_object()),
      key_of(sql("select $1", 1).as_document()),
      key_of(sql("select $1 ", 1)),
      key_of(with(1), {"a"}),
      key_of(with(1), {"a", ""}),
      key_of(with(1), {"", "a"}),
      key_of(with(1), {}, "a"),
      key_of(sql("select $1 || $2", "a", "bc")),
      key_of(sql("select $1 || $2", "ab", "c")),
      key_of(sql("select $1 || $2", "abc", "")),
      key_of(sql("select $1 || $2", "abc", nullptr)),
      key_of(from("v")),
      key_of(from("v").column("data")),
      key_of(from("V")),
      key_of(from("v").select("a.b")),
      key_of(from("v").select(sluice::projection{"a.b"}.as("a"))),
      key_of(from("v").select(sluice::projection{"a.b"}.as("a.c"))),
      key_of(from("v").of_columns()),
  };
  const std::set<std::string> distinct{keys.begin(), keys.end()};
  EXPECT_EQ(distinct.size(), keys.size());
  EXPECT_EQ(key_of(with(1)), key_of(with(1)));
  EXPECT_EQ(key_of(from("V")), key_of(from("\"V\""))) << "the same relation";
}

TEST(QueryKey, IsRefusedWhenItIsTooLong) {
  query_key key;
  const std::vector<std::string> none;
  const std::string megabytes(5U << 20U, 'x');
  const auto fits = [&](const sluice::query& what, std::string_view session = {}) {
    return write_key(key, what, sluice::fetch_mode::plain, {.session = session, .tags = none}, roomy);
  };
  EXPECT_FALSE(fits(sql("select $1", megabytes)));
  EXPECT_FALSE(fits(sql("select '" + megabytes + "'")));
  EXPECT_FALSE(fits(sql("select 1"), megabytes));
  EXPECT_TRUE(fits(sql("select 1")));
}

TEST(RelationName, IsWrittenWithQuotesOnlyWhereNeeded) {
  EXPECT_EQ(from("app.v_user").build().relation_name(), "app.v_user");
  EXPECT_EQ(from("\"App\".\"odd \"\" name\"").build().relation_name(), R"("App"."odd "" name")");
  EXPECT_EQ(from("v").of_columns().build().as_columns().relation_name(), "v");
  EXPECT_EQ(from("v").as_text_columns().relation_name(), "v");
  EXPECT_EQ(from("v").select("a").build().relation_name(), "v");
  EXPECT_EQ(sql("select 1").relation_name(), "");
}

}  // namespace
}  // namespace query_key_test
