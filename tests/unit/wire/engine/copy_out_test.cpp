// COPY in the binary format: transcripts of CopyData.
#include <gtest/gtest.h>

#include <string>
#include "engine/copy_out.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace {

using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::raw;
using sluice::wire::copy_out;
using kind = copy_out::part::kind;

const std::string signature = raw("PGCOPY\n\xff\r\n\0");
const std::string header = signature + be32(0) + be32(0);
const std::string tuple = be16(1) + be32(2) + "{}";
const std::string trailer = raw("\xff\xff");

TEST(CopyOut, HasAHeaderWithTheFirstRowAndATrailer) {
  copy_out copy;
  const std::string first = header + tuple;
  const copy_out::part begun = copy.on_data(as_bytes(first));
  EXPECT_EQ(begun.is, kind::header);
  EXPECT_EQ(as_text(begun.row), tuple);
  EXPECT_FALSE(copy.is_whole());
  EXPECT_EQ(copy.on_data(as_bytes(trailer)).is, kind::trailer);
  EXPECT_TRUE(copy.is_whole());
}

TEST(CopyOut, MayHaveItsHeaderAlone) {
  copy_out copy;
  const copy_out::part begun = copy.on_data(as_bytes(header));
  EXPECT_EQ(begun.is, kind::header);
  EXPECT_TRUE(begun.row.empty());
}

TEST(CopyOut, OfNoRowsIsOneMessage) {
  copy_out copy;
  const std::string all = header + trailer;
  EXPECT_EQ(copy.on_data(as_bytes(all)).is, kind::trailer);
  EXPECT_TRUE(copy.is_whole());
}

TEST(CopyOut, PassesOverFlagsAndExtensionsThatAreNotCritical) {
  copy_out copy;
  const std::string all = signature + be32(0x0000ffff) + be32(3) + "abc" + tuple;
  EXPECT_EQ(as_text(copy.on_data(as_bytes(all)).row), tuple);
}

TEST(CopyOut, RefusesWhatIsNotIt) {
  for (const std::string& each :
       {std::string{}, header.substr(0, header.size() - 1), "x" + header, signature + be32(0x00010000) + be32(0),
        signature + be32(0) + be32(5) + "abc", signature + be32(0) + be32(0xffffffff)}) {
    copy_out copy;
    EXPECT_EQ(copy.on_data(as_bytes(each)).is, kind::malformed);
  }
}

TEST(CopyOut, RefusesWhatIsNoRowBehindTheHeader) {
  for (const std::string& each : {std::string{}, std::string{"rubbish"}, trailer + "x"}) {
    copy_out copy;
    (void)copy.on_data(as_bytes(header));
    EXPECT_EQ(copy.on_data(as_bytes(each)).is, kind::malformed);
  }
  copy_out over;
  (void)over.on_data(as_bytes(header));
  (void)over.on_data(as_bytes(trailer));
  EXPECT_EQ(over.on_data(as_bytes(trailer)).is, kind::malformed);
}

TEST(CopyOut, IsExpectedInBinaryAndWithTheColumnsThatWereDescribed) {
  const std::string one = std::string(1, '\1') + be16(1) + be16(1);
  EXPECT_TRUE(copy_out::is_expected(as_bytes(one), 1));
  EXPECT_FALSE(copy_out::is_expected(as_bytes(one), 2));
  const std::string text = std::string(1, '\0') + be16(1) + be16(0);
  EXPECT_FALSE(copy_out::is_expected(as_bytes(text), 1));
  EXPECT_FALSE(copy_out::is_expected(as_bytes(one.substr(1)), 1));
}

}  // namespace
