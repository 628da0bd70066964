// No heap allocation per row, for rows with every kind of column, once the buffers have grown to the size that they
// need.
#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>

#include "backend.hpp"
#include "bytes.hpp"
#include "counted_memory.hpp"
#include "json/object_writer.hpp"
#include "rows/object_rows.hpp"

namespace {

using namespace sluice::detail;
using sluice::test::as_bytes;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::raw;

std::string field(const std::string& value) { return be32(static_cast<std::uint32_t>(value.size())) + value; }

TEST(ObjectWriter, AllocatesNothingPerRow) {
  constexpr std::uint32_t pair = 20'000;
  type_catalog types;
  types.add(pair, {.what = type_facts::kind::composite, .fields = {{"id", 23}, {"address", 869}}});
  types.add(pair + 1, {.what = type_facts::kind::array, .inner = pair});
  object_writer objects;
  std::string body = be16(11);
  const auto add = [&](const char* name, std::uint32_t type, const std::string& value) {
    objects.add_column(name, plan_values(type, types, {}));
    body += field(value);
  };
  add("id", 20, be32(0) + be32(7));
  add("name", 25, "somebody \"else\", with a name that is rather long");
  add("total", 1700, be16(2) + be16(0) + be16(0) + be16(2) + be16(12) + be16(5000));
  add("created_at", 1184, be32(0x000264c9) + be32(0xd1b56c00));
  add("active", 16, raw("\1"));
  add("status", 25, "inactive");
  add("score", 701, be32(0x3fb99999) + be32(0x9999999a));
  add("ratio", 701, be32(0x3fd55555) + be32(0x55555555));
  add("data", 3802, raw("\1") + R"({"a": 1})");
  add("numbers", 1007, be32(1) + be32(0) + be32(23) + be32(1) + be32(1) + field(be32(5)));
  add("pairs", pair + 1, R"x({"(1,10.0.0.1)","(2,\"::1\")",NULL})x");

  text_buffer to;
  ASSERT_TRUE(objects.write(to, as_bytes(body)));
  ASSERT_EQ(to.text(),
            R"({"id":7,"name":"somebody \"else\", with a name that is rather long","total":12.50,)"
            R"("created_at":"2021-05-08T05:45:22.953216+00:00","active":true,"status":"inactive","score":0.1,)"
            R"("ratio":0.3333333333333333,"data":{"a": 1},"numbers":[5],)"
            R"("pairs":[{"id":1,"address":"10.0.0.1"},{"id":2,"address":"::1"},null]})");
  const std::size_t before = sluice::test::counted.allocations;
  for (int i = 0; i < 10'000; ++i) {
    to.clear();
    ASSERT_TRUE(objects.write(to, as_bytes(body)));
  }
  EXPECT_EQ(sluice::test::counted.allocations - before, 0U);
}

// A few bytes may stand for many: the row has 14 kB, and its object 131 MB.
TEST(ObjectRows, TakeNoMoreMemoryThanTheyMay) {
  constexpr std::uint32_t numeric = 1700;
  constexpr std::uint32_t numeric_array = 1231;
  constexpr std::size_t largest = 1'000'000;
  std::string array = be32(1) + be32(0) + be32(numeric) + be32(1'000) + be32(1);
  for (int i = 0; i < 1'000; ++i) array += field(be16(1) + be16(32'767) + be16(0) + be16(0) + be16(1));
  const std::string bytes = sluice::test::backend{}.data_row({array}).bytes;
  const sluice::proto::row_batch from{
      .begin = as_bytes(bytes).data(), .end = as_bytes(bytes).data() + bytes.size(), .shape = {.columns = 1}};
  object_writer objects;
  objects.add_column("a", plan_values(numeric_array, type_catalog{}, {}));
  object_rows rows;
  const std::size_t before = sluice::test::counted.live;
  sluice::test::counted.peak = before;
  EXPECT_EQ(rows.make(from, objects, largest, largest, {}).is, object_rows::made::kind::too_large);
  EXPECT_LT(sluice::test::counted.peak - before, 3 * largest);
}

}  // namespace
