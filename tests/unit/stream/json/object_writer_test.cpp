// Rows as objects: keys, places inside of the object, and rows that are malformed.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "backend.hpp"
#include "bytes.hpp"
#include "json/object_writer.hpp"

namespace object_writer_test {
namespace {

using namespace sluice::detail;
using sluice::test::as_bytes;
using sluice::test::be16;
using sluice::test::be32;

constexpr std::uint32_t int4 = 23;
constexpr std::uint32_t text = 25;
const std::string null = be32(0xffffffff);
const std::string five = be32(4) + be32(5);

std::string row_of(const std::vector<std::string>& fields) {
  std::string body = be16(static_cast<std::uint32_t>(fields.size()));
  for (const std::string& each : fields) body += each;
  return body;
}

TEST(ObjectWriter, LeavesNothingOfARowThatIsMalformed) {
  object_writer objects;
  objects.add_column("a", plan_values(int4, {}, {}));
  objects.add_column("\"b\"", plan_values(text, {}, {}));
  text_buffer to;
  ASSERT_TRUE(objects.write(to, as_bytes(be16(2) + be32(4) + be32(5) + be32(1) + "x")));
  const std::string first{R"({"a":5,"\"b\"":"x"})"};
  EXPECT_EQ(to.text(), first);
  for (const std::string& bad : {std::string{}, be16(1), be16(2), be16(2) + be32(4) + be32(5),
                                 be16(2) + be32(3) + "xxx" + be32(0), be16(2) + be32(4) + be32(5) + be32(2) + "x",
                                 be16(2) + be32(4) + be32(5) + be32(1) + "xy", be16(3) + be32(0xffffffff)}) {
    EXPECT_FALSE(objects.write(to, as_bytes(bad)));
    EXPECT_EQ(to.text(), first);
  }
}

TEST(ObjectWriter, WritesRowsWithoutColumns) {
  object_writer objects;
  text_buffer to;
  EXPECT_TRUE(objects.write(to, as_bytes(be16(0))));
  EXPECT_EQ(to.text(), "{}");
}

TEST(ObjectWriter, WritesNullsAndAppendsToWhatIsThere) {
  object_writer objects;
  objects.add_column("a", plan_values(int4, {}, {}));
  objects.add_column("a", plan_values(text, {}, {}));  // the server writes a name twice, too
  EXPECT_EQ(objects.size(), 2U);
  text_buffer to;
  to.add("[");
  ASSERT_TRUE(objects.write(to, as_bytes(row_of({null, null}))));
  to.add(",");
  ASSERT_TRUE(objects.write(to, as_bytes(row_of({five, be32(0)}))));
  EXPECT_EQ(to.text(), R"([{"a":null,"a":null},{"a":5,"a":""})");
}

TEST(ObjectWriter, NestsColumnsByTheirPlaces) {
  object_writer objects;
  for (const std::vector<std::string>& place : std::vector<std::vector<std::string>>{
           {"id"}, {"home", "street"}, {"home", "at", "x"}, {"home", "at", "y"}, {"home", "city"}, {"work", "city"}})
    objects.add_column(place, plan_values(int4, {}, {}));
  text_buffer to;
  ASSERT_TRUE(objects.write(to, as_bytes(row_of({five, null, five, null, five, null}))));
  EXPECT_EQ(to.text(), R"({"id":5,"home":{"street":null,"at":{"x":5,"y":null},"city":5},"work":{"city":null}})");
}

TEST(ObjectWriter, NamesTheColumnThatIsMalformed) {
  object_writer objects;
  objects.add_column("a", plan_values(int4, {}, {}));
  objects.add_column("b", plan_values(int4, {}, {}));
  text_buffer to;
  EXPECT_FALSE(objects.write(to, as_bytes(row_of({be32(1) + "x", five}))));
  EXPECT_EQ(objects.culprit(), 0U);
  EXPECT_FALSE(objects.write(to, as_bytes(row_of({five, be32(1) + "x"}))));
  EXPECT_EQ(objects.culprit(), 1U);
  EXPECT_FALSE(objects.write(to, as_bytes(row_of({five, be32(9) + "x"}))));
  EXPECT_EQ(objects.culprit(), 2U) << "the row is cut off";
}

TEST(ObjectWriter, LeavesNothingOfARowThatIsTooLong) {
  object_writer objects;
  objects.add_column("a", plan_values(text, {}, {}));
  text_buffer to;
  to.add("before");
  to.limit(0);
  EXPECT_THROW((void)objects.write(to, as_bytes(row_of({be32(100'000) + std::string(100'000, 'x')}))), text_too_long);
  EXPECT_EQ(to.text(), "before");
  to.limit(1'000'000);
  EXPECT_TRUE(objects.write(to, as_bytes(row_of({be32(100'000) + std::string(100'000, 'x')}))));
}

}  // namespace
}  // namespace object_writer_test
