// COPY in the binary format: transcripts of CopyData.
#include <gtest/gtest.h>

#include <string>
#include "engine/binary_copy.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace binary_copy_test {
namespace {

using sluice::test::as_bytes;
using sluice::test::as_text;
using sluice::test::be16;
using sluice::test::be32;
using sluice::test::raw;
using sluice::wire::binary_copy;
using kind = binary_copy::part::kind;

const std::string signature = raw("PGCOPY\n\xff\r\n\0");
const std::string header = signature + be32(0) + be32(0);
const std::string tuple = be16(1) + be32(2) + "{}";
const std::string trailer = raw("\xff\xff");

TEST(BinaryCopy, HasAHeaderWithTheFirstRowAndATrailer) {
  binary_copy copy;
  const std::string first = header + tuple;
  const binary_copy::part begun = copy.on_data(as_bytes(first));
  EXPECT_EQ(begun.is, kind::header);
  EXPECT_EQ(as_text(begun.row), tuple);
  EXPECT_FALSE(copy.is_whole());
  EXPECT_EQ(copy.on_data(as_bytes(trailer)).is, kind::trailer);
  EXPECT_TRUE(copy.is_whole());
}

TEST(BinaryCopy, MayHaveItsHeaderAlone) {
  binary_copy copy;
  const binary_copy::part begun = copy.on_data(as_bytes(header));
  EXPECT_EQ(begun.is, kind::header);
  EXPECT_TRUE(begun.row.empty());
}

TEST(BinaryCopy, OfNoRowsIsOneMessage) {
  binary_copy copy;
  const std::string all = header + trailer;
  EXPECT_EQ(copy.on_data(as_bytes(all)).is, kind::trailer);
  EXPECT_TRUE(copy.is_whole());
}

TEST(BinaryCopy, PassesOverFlagsAndExtensionsThatAreNotCritical) {
  binary_copy copy;
  const std::string all = signature + be32(0x0000ffff) + be32(3) + "abc" + tuple;
  EXPECT_EQ(as_text(copy.on_data(as_bytes(all)).row), tuple);
}

TEST(BinaryCopy, RefusesWhatIsNotIt) {
  for (const std::string& each :
       {std::string{}, header.substr(0, header.size() - 1), "x" + header, signature + be32(0x00010000) + be32(0),
        signature + be32(0) + be32(5) + "abc", signature + be32(0) + be32(0xffffffff)}) {
    binary_copy copy;
    EXPECT_EQ(copy.on_data(as_bytes(each)).is, kind::malformed);
  }
}

TEST(BinaryCopy, RefusesWhatIsNoRowBehindTheHeader) {
  for (const std::string& each : {std::string{}, std::string{"rubbish"}, trailer + "x"}) {
    binary_copy copy;
    (void)copy.on_data(as_bytes(header));
    EXPECT_EQ(copy.on_data(as_bytes(each)).is, kind::malformed);
  }
  binary_copy over;
  (void)over.on_data(as_bytes(header));
  (void)over.on_data(as_bytes(trailer));
  EXPECT_EQ(over.on_data(as_bytes(trailer)).is, kind::malformed);
}

TEST(BinaryCopy, IsExpectedInBinaryAndWithTheColumnsThatWereDescribed) {
  const std::string one = std::string(1, '\1') + be16(1) + be16(1);
  EXPECT_TRUE(binary_copy::is_expected(as_bytes(one), 1));
  EXPECT_FALSE(binary_copy::is_expected(as_bytes(one), 2));
  const std::string text = std::string(1, '\0') + be16(1) + be16(0);
  EXPECT_FALSE(binary_copy::is_expected(as_bytes(text), 1));
  EXPECT_FALSE(binary_copy::is_expected(as_bytes(one.substr(1)), 1));
}

}  // namespace
}  // namespace binary_copy_test
