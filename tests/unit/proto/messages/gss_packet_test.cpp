// The packets of sessions that GSSAPI encrypts.
#include <gtest/gtest.h>

#include <string>
#include "messages/gss_packet.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace gss_packet_test {
namespace {

using namespace sluice::proto;
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::be32;
using found = framing::kind;

gss_framing next(const std::string& bytes, std::size_t most = max_gss_packet) {
  return next_gss_packet(as_bytes(bytes), most);
}

TEST(GssPacket, IsALengthThatDoesNotCountItselfAndItsContent) {
  const std::string two = be32(3) + "abc" + be32(1) + "d";
  const gss_framing first = next(two);
  EXPECT_EQ(first.found, found::complete);
  EXPECT_EQ(as_text(first.content), "abc");
  EXPECT_EQ(first.size, 7U);
  const gss_framing second = next_gss_packet(as_bytes(two).subspan(first.size), max_gss_packet);
  EXPECT_EQ(as_text(second.content), "d");
  EXPECT_EQ(first.size + second.size, two.size());
}

TEST(GssPacket, IsIncompleteAfterEveryCut) {
  const std::string whole = be32(5) + "abcde";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const gss_framing part = next(whole.substr(0, cut));
    EXPECT_EQ(part.found, found::incomplete) << cut;
    EXPECT_EQ(part.size, cut < gss_header_size ? gss_header_size : whole.size()) << cut;
  }
}

TEST(GssPacket, MayBeAsLongAsTheLimitAndNoLongerWhateverHasArrived) {
  for (const std::size_t most : {max_gss_packet, max_gss_token_packet}) {
    const auto longest = static_cast<std::uint32_t>(most - gss_header_size);
    EXPECT_EQ(next(be32(longest), most).found, found::incomplete);
    EXPECT_EQ(next(be32(longest) + std::string(longest, 'x'), most).found, found::complete);
    for (const std::uint32_t length : {longest + 1, 0x45000000U, 0x7fffffffU, 0x80000000U, 0xfffffffcU, 0xffffffffU}) {
      const gss_framing refused = next(be32(length), most);
      EXPECT_EQ(refused.found, found::faulty) << length;
      EXPECT_EQ(refused.why.what, fault::kind::bad_length) << length;
    }
  }
}

TEST(GssPacket, IsNeverEmpty) {
  EXPECT_EQ(next(be32(0)).why.what, fault::kind::bad_length);
  output out;
  EXPECT_EQ(append_gss_packet({}, max_gss_packet, out).what, fault::kind::unencodable);
  EXPECT_TRUE(out.empty());
}

TEST(GssPacket, IsReadAsItWasWritten) {
  output out;
  ASSERT_FALSE(append_gss_packet(as_bytes("first"), max_gss_packet, out));
  ASSERT_FALSE(append_gss_packet(as_bytes("second"), max_gss_packet, out));
  EXPECT_EQ(as_text(out), be32(5) + "first" + be32(6) + "second");
  const std::string longest(max_gss_packet - gss_header_size, 'x');
  const output before = out;
  EXPECT_EQ(append_gss_packet(as_bytes(longest + "x"), max_gss_packet, out).what, fault::kind::unencodable);
  EXPECT_EQ(out, before);
  ASSERT_FALSE(append_gss_packet(as_bytes(longest), max_gss_packet, out));
  EXPECT_EQ(out.size(), before.size() + max_gss_packet);
}

}  // namespace
}  // namespace gss_packet_test
