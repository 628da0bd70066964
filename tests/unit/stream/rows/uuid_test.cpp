// The text form of a UUID.
#include <gtest/gtest.h>

#include <cstddef>
#include <sluice/stream/uuid.hpp>
#include <string>
#include <string_view>

namespace uuid_test {
namespace {

using sluice::uuid;

constexpr std::string_view example{"123e4567-e89b-12d3-a456-426614174000"};

TEST(Uuid, IsParsedInEitherCaseAndWrittenInLowerCase) {
  const auto parsed = uuid::parse(example);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->bytes[0], std::byte{0x12});
  EXPECT_EQ(parsed->bytes[15], std::byte{0x00});
  EXPECT_EQ(parsed->to_string(), example);
  EXPECT_EQ(uuid::parse("123E4567-E89B-12D3-A456-426614174000"), parsed);
}

TEST(Uuid, IsNothingForAnyOtherText) {
  for (const std::string_view text : {"", "123e4567e89b12d3a456426614174000", "{123e4567-e89b-12d3-a456-426614174000}",
                                      "123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-4266141740000",
                                      "123e4567-e89b-12d3-a4564-26614174000", "g23e4567-e89b-12d3-a456-426614174000"})
    EXPECT_FALSE(uuid::parse(text)) << text;
  std::string cut{example};
  for (char& each : cut) {
    const char before = each;
    each = ' ';
    EXPECT_FALSE(uuid::parse(cut)) << cut;
    each = before;
  }
}

TEST(Uuid, IsOrderedByItsBytes) {
  const auto at = [](std::string_view text) { return *uuid::parse(text); };
  EXPECT_LT(at("00000000-0000-0000-0000-0000000000ff"), at("01000000-0000-0000-0000-000000000000"));
  EXPECT_LT(at("7f000000-0000-0000-0000-000000000000"), at("80000000-0000-0000-0000-000000000000"));
}

}  // namespace
}  // namespace uuid_test
