// The SQL about a table that is copied as a whole: its names are literals or identifiers where they have to be.
#include <gtest/gtest.h>

#include <string>

#include "query/whole_table.hpp"
#include "readable_sql.hpp"

namespace whole_table_test {
namespace {

using sluice::detail::whole_table;
using sluice::test::readable;

const whole_table plain{.name = "\"app\".\"doc\"", .column = "data"};
const whole_table odd{.name = "\"it's \"\"odd\"\"\"", .column = "a\"b'c"};

TEST(WholeTable, IsCopiedByItsColumn) {
  EXPECT_EQ(plain.source(), R"("app"."doc" ("data"))");
  EXPECT_EQ(odd.source(), R"("it's ""odd""" ("a""b'c"))");
}

TEST(WholeTable, IsAskedForByLiterals) {
  const std::string sql = readable(plain.check());
  EXPECT_NE(sql.find(R"(c.oid = to_regclass('"app"."doc"')::oid)"), sql.npos) << sql;
  EXPECT_NE(sql.find("a.attname = 'data'"), sql.npos) << sql;
  const std::string quoted = readable(odd.check());
  EXPECT_NE(quoted.find(R"(to_regclass('"it''s ""odd"""'))"), quoted.npos) << quoted;
  EXPECT_NE(quoted.find(R"(a.attname = 'a"b''c')"), quoted.npos) << quoted;
}

TEST(WholeTable, IsNoViewHasNoChildrenAndAnOrdinaryColumn) {
  const std::string sql = readable(plain.check());
  for (const char* const condition : {"c.relkind = 'r'", "not c.relhassubclass", "a.attgenerated = ''"})
    EXPECT_NE(sql.find(condition), sql.npos) << condition << " in " << sql;
}

}  // namespace
}  // namespace whole_table_test
