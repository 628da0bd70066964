#include <gtest/gtest.h>

#include <sluice/proto/frame.hpp>
#include <string>

#include "backend.hpp"
#include "bytes.hpp"

namespace frame_test {
namespace {

using sluice::proto::fault;
using sluice::proto::framing;
using sluice::proto::limits;
using sluice::proto::next_frame;
using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::backend;
using sluice::test::raw;

TEST(NextFrame, GivesTypeBodyAndSize) {
  const std::string bytes = backend{}.command_complete("SELECT 1").ready_for_query().bytes;

  const framing found = next_frame(as_bytes(bytes), limits{});

  ASSERT_EQ(found.found, framing::kind::complete);
  EXPECT_EQ(found.message.type, 'C');
  EXPECT_EQ(as_text(found.message.body), raw("SELECT 1\0"));
  EXPECT_EQ(found.size, 5U + 9U);
}

TEST(NextFrame, SaysHowManyBytesItNeedsForEveryCut) {
  const std::string bytes = backend{}.command_complete("SELECT 1").bytes;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const framing found = next_frame(as_bytes(bytes).first(cut), limits{});
    EXPECT_EQ(found.found, framing::kind::incomplete) << "cut after " << cut;
    EXPECT_EQ(found.size, cut < 5 ? 5U : bytes.size()) << "cut after " << cut;
  }
}

TEST(NextFrame, RefusesLengthsThatNoServerSends) {
  for (const std::string& header : {raw("D\0\0\0\0"), raw("D\0\0\0\3"), raw("D\xff\xff\xff\xff"), raw("D\x80\0\0\0")}) {
    const framing found = next_frame(as_bytes(header), limits{});
    EXPECT_EQ(found.found, framing::kind::faulty);
    EXPECT_EQ(found.why.what, fault::kind::bad_length);
    EXPECT_EQ(found.why.type, 'D');
  }
}

TEST(NextFrame, RefusesALongRowOnItsHeader) {
  const limits small{.row = 100};
  EXPECT_EQ(next_frame(as_bytes(raw("D\0\0\0\x68")), small).found, framing::kind::incomplete);
  const framing found = next_frame(as_bytes(raw("D\0\0\0\x69")), small);
  EXPECT_EQ(found.found, framing::kind::faulty);
  EXPECT_EQ(found.why.what, fault::kind::too_large);
}

TEST(NextFrame, TakesALongMessageOfAShortKindForABrokenServer) {
  for (const char type : {'Z', 'C', 'R', 'K', 'S', '1', 'x'}) {
    const framing found = next_frame(as_bytes(type + raw("\0\1\0\0")), limits{});
    EXPECT_EQ(found.found, framing::kind::faulty) << type;
    EXPECT_EQ(found.why.what, fault::kind::bad_length) << type;
  }
}

}  // namespace
}  // namespace frame_test
