#include <gtest/gtest.h>

#include <string>
#include "messages/body_reader.hpp"

#include "bytes.hpp"

namespace body_reader_test {
namespace {

using sluice::proto::body_reader;
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::raw;

TEST(BodyReader, ReadsFieldsInNetworkOrder) {
  const std::string body = raw("\1\2\3\xff\xff\xff\xfe") + raw("ab\0xyz");
  body_reader in{as_bytes(body)};

  EXPECT_EQ(in.u8(), 1);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.i32(), -2);
  EXPECT_EQ(in.text(), "ab");
  EXPECT_EQ(as_text(in.rest()), "xyz");
  EXPECT_TRUE(in.exhausted());
}

TEST(BodyReader, GivesZerosPastTheEndAndRemembers) {
  const std::string body = raw("\1\2\3");
  body_reader in{as_bytes(body)};

  EXPECT_EQ(in.u32(), 0U);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0) << "nothing may be read after a failure";
  EXPECT_FALSE(in.ok());
}

TEST(BodyReader, RefusesACountBeyondTheEndHoweverLarge) {
  const std::string body = "abc";
  for (const std::size_t count : {std::size_t{4}, static_cast<std::size_t>(-1)}) {
    body_reader in{as_bytes(body)};
    EXPECT_TRUE(in.bytes(count).empty());
    EXPECT_FALSE(in.ok());
  }
}

TEST(BodyReader, RefusesTextWithoutItsZero) {
  const std::string body = "abc";
  body_reader in{as_bytes(body)};
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.ok());
}

TEST(BodyReader, IsExhaustedOnlyWhenNothingIsLeft) {
  const std::string body = raw("a\0b");
  body_reader in{as_bytes(body)};
  EXPECT_EQ(in.text(), "a");
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(in.exhausted());
}

}  // namespace
}  // namespace body_reader_test
