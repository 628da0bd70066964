// One message, appended to a buffer as a whole or not at all.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "backend.hpp"
#include "bytes.hpp"
#include "messages/message_writer.hpp"

namespace message_writer_test {
namespace {

using sluice::proto::fault;
using sluice::proto::message_writer;
using sluice::proto::output;
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::raw;

output filled(std::string_view text) {
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

TEST(MessageWriter, FillsInTheLength) {
  output out = filled("before");
  message_writer message{'P', out};
  EXPECT_FALSE(message.text("name").u16(2).u32(7).byte('x').bytes("ab").sized("c").finish());
  EXPECT_EQ(as_text(out),
            "beforeP" + be32(4 + 5 + 2 + 4 + 1 + 2 + 5) + raw("name\0") + be16(2) + be32(7) + "xab" + be32(1) + "c");
}

TEST(MessageWriter, WritesNoTypeByteOfAStartUpMessage) {
  output out;
  message_writer message{'\0', out};
  EXPECT_FALSE(message.u32(80'877'103).finish());
  EXPECT_EQ(as_text(out), be32(8) + be32(80'877'103));
}

TEST(MessageWriter, MayBeEmpty) {
  output out;
  message_writer message{'S', out};
  EXPECT_FALSE(message.finish());
  EXPECT_EQ(as_text(out), "S" + be32(4));
}

TEST(MessageWriter, LeavesNothingOfAMessageThatWasNotFinished) {
  output out = filled("before");
  {
    message_writer{'P', out}.text("name");
  }
  EXPECT_EQ(as_text(out), "before");
}

TEST(MessageWriter, LeavesNothingOfARefusedMessage) {
  output out = filled("before");
  {
    message_writer message{'P', out};
    const fault why = message.text("good").text(raw("a\0b")).text("after").finish();
    EXPECT_EQ(why.what, fault::kind::unencodable);
    EXPECT_EQ(why.type, 'P');
    EXPECT_EQ(why.rule, "a text with a zero byte, which would end it early");
  }
  EXPECT_EQ(as_text(out), "before");
}

TEST(MessageWriter, TellsTheFirstOfTwoFaults) {
  output out;
  message_writer message{'B', out};
  message.u16(0x10000).refuse("another");
  EXPECT_EQ(message.finish().rule, "more than 65535 parameters");
}

TEST(MessageWriter, CountsUpTo65535) {
  output out;
  message_writer message{'B', out};
  EXPECT_FALSE(message.u16(0xffff).finish());
  EXPECT_EQ(as_text(out), "B" + be32(6) + be16(0xffff));
}

TEST(MessageWriter, HoldsZeroBytesOnlyInBytes) {
  output out;
  message_writer message{'d', out};
  EXPECT_FALSE(message.bytes(raw("a\0b")).sized(raw("\0")).finish());
  EXPECT_EQ(as_text(out), "d" + be32(4 + 3 + 5) + raw("a\0b") + be32(1) + raw("\0"));
}

TEST(MessageWriter, IsAsLongAsItsLimitAllows) {
  constexpr std::size_t limit = 16;  // the length, which counts itself
  for (const std::size_t size : {11U, 12U, 13U, 100U}) {
    output out = filled("before");
    {
      message_writer message{'p', out, limit};
      const fault why = message.bytes(std::string(size, 'x')).finish();
      EXPECT_EQ(static_cast<bool>(why), size + 4 > limit) << size;
      EXPECT_EQ(why.rule, size + 4 > limit ? "a message longer than the server accepts" : "");
    }
    EXPECT_EQ(out.size(), size + 4 > limit ? 6U : 6U + 5U + size) << size;
  }
  output out;
  EXPECT_TRUE((message_writer{'p', out, limit}.u32(1).u32(2).u32(3).byte('x').finish())) << "of fields without a size";
  EXPECT_TRUE((message_writer{'p', out, limit}.text(std::string(12, 'x')).finish())) << "with the zero byte";
}

TEST(MessageWriter, DoesNotMoveWithinItsRoom) {
  output out;
  message_writer message{'p', out};
  message.room(100'000);
  const auto* const before = out.data();
  EXPECT_FALSE(message.text(std::string(50'000, 'x')).text(std::string(49'999, 'y')).finish());
  EXPECT_EQ(out.data(), before);
}

TEST(MessageWriter, AllocatesNothingForARefusedSize) {
  output out;
  message_writer message{'p', out};
  message.room(message_writer::max_message);
  EXPECT_LT(out.capacity(), 1'000U);
  EXPECT_EQ(message.finish().what, fault::kind::unencodable);
}

}  // namespace
}  // namespace message_writer_test
