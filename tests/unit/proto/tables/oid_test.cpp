// The names of the built-in types.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string_view>

#include <sluice/proto/oid.hpp>

namespace oid_test {
namespace {

namespace oid = sluice::proto::oid;
using oid::name_of;

TEST(TypeName, IsThatOfTheCatalog) {
  EXPECT_EQ(name_of(oid::boolean), "bool");
  EXPECT_EQ(name_of(oid::one_char), "\"char\"");
  EXPECT_EQ(name_of(oid::int4), "int4");
  EXPECT_EQ(name_of(oid::object_id), "oid");
  EXPECT_EQ(name_of(oid::bpchar), "bpchar");
  EXPECT_EQ(name_of(oid::timestamptz), "timestamptz");
  EXPECT_EQ(name_of(oid::jsonb), "jsonb");
  EXPECT_EQ(name_of(oid::jsonpath), "jsonpath");
  EXPECT_EQ(name_of(oid::regclass), "regclass");
  EXPECT_EQ(name_of(oid::datemultirange), "datemultirange");
  EXPECT_EQ(name_of(oid::xid8), "xid8");
}

TEST(TypeName, OfAnArrayIsThatOfItsElementsWithBrackets) {
  EXPECT_EQ(name_of(oid::boolean_array), "bool[]");
  EXPECT_EQ(name_of(oid::int4_array), "int4[]");
  EXPECT_EQ(name_of(oid::json_array), "json[]");
  EXPECT_EQ(name_of(oid::jsonb_array), "jsonb[]");
  EXPECT_EQ(name_of(oid::uuid_array), "uuid[]");
}

TEST(TypeName, IsEmptyForATypeThatIsNotBuiltIn) {
  for (const std::uint32_t type : {0U, 1U, 15U, 31U, 9'999U, 16'383U, 16'384U, 20'000U, 0x7fffffffU, 0xffffffffU})
    EXPECT_EQ(name_of(type), "") << type;
}

TEST(TypeName, BelongsToOneTypeOnly) {
  std::set<std::string_view> names;
  std::size_t count = 0;
  for (std::uint32_t type = 0; type < 16'384; ++type) {
    const std::string_view name = name_of(type);
    if (name.empty()) continue;
    ++count;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_GT(count, 150U);
}

}  // namespace
}  // namespace oid_test
