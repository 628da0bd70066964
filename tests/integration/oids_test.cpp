// The type OIDs that the library names match the server's catalog.
#include <gtest/gtest.h>

#include <algorithm>
#include <sluice/proto/oid.hpp>
#include <string>

#include "cluster.hpp"

namespace oids_test {
namespace {

TEST(Oids, AreThoseOfTheServersCatalog) {
  std::string ask = "select ''";
  std::string expected;
  for (std::uint32_t number = 1; number < 10'000; ++number) {
    const std::string name{sluice::proto::oid::name_of(number)};
    if (name.empty()) continue;
    ask += " || '" + name + " ' || 'pg_catalog." + name + "'::regtype::oid || ' '";
    expected += name + ' ' + std::to_string(number) + ' ';
  }
  EXPECT_GE(std::ranges::count(expected, ' '), 2 * 44);
  EXPECT_EQ(sluice::test::psql(ask), expected);
}

}  // namespace
}  // namespace oids_test
