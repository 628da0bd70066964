// The messages inside the CopyData of a replication connection.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include "messages/replication.hpp"

#include "backend.hpp"
#include "bytes.hpp"

namespace replication_test {
namespace {

using namespace sluice::proto;
using sluice::test::as_bytes;
using sluice::test::be32;
using sluice::test::be64;

const std::string piece = 'w' + be64(0x1'0000'0002) + be64(3) + be64(4) + "data";
const std::string alive = 'k' + be64(0x5'0000'0006) + be64(7) + '\1';

TEST(XlogData, HasPositionsTimeAndData) {
  const auto decoded = decode_xlog_data(as_bytes(piece));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->start, 0x1'0000'0002U);
  EXPECT_EQ(decoded->end, 3U);
  EXPECT_EQ(decoded->sent_at, 4);
  EXPECT_EQ((std::string_view{reinterpret_cast<const char*>(decoded->data.data()), decoded->data.size()}), "data");
}

TEST(PrimaryKeepalive, HasPositionTimeAndWhetherToReply) {
  const auto decoded = decode_primary_keepalive(as_bytes(alive));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->end, 0x5'0000'0006U);
  EXPECT_EQ(decoded->sent_at, 7);
  EXPECT_TRUE(decoded->wants_reply);
}

TEST(ReplicationMessage, IsRejectedWhereverItIsCut) {
  const std::size_t header = piece.size() - 4;  // the data may be of any length
  for (std::size_t size = 0; size < header; ++size)
    EXPECT_FALSE(decode_xlog_data(as_bytes(std::string_view{piece}.substr(0, size)))) << size;
  for (std::size_t size = 0; size < alive.size(); ++size)
    EXPECT_FALSE(decode_primary_keepalive(as_bytes(std::string_view{alive}.substr(0, size)))) << size;
}

TEST(ReplicationMessage, IsRejectedAsAnother) {
  EXPECT_FALSE(decode_xlog_data(as_bytes(alive)));
  EXPECT_FALSE(decode_primary_keepalive(as_bytes(piece)));
  EXPECT_FALSE(decode_primary_keepalive(as_bytes(alive + '\0')));
  std::string neither = alive;
  neither.back() = '\2';
  EXPECT_FALSE(decode_primary_keepalive(as_bytes(neither))) << "neither yes nor no";
}

TEST(StandbyStatusUpdate, IsSentAsCopyData) {
  output out;
  ASSERT_FALSE(
      encode(standby_status_update{.written = 1, .flushed = 2, .applied = 3, .sent_at = -1, .wants_reply = true}, out));
  const std::string body = 'r' + be64(1) + be64(2) + be64(3) + be64(~std::uint64_t{0}) + '\1';
  EXPECT_EQ((std::string{reinterpret_cast<const char*>(out.data()), out.size()}),
            'd' + be32(static_cast<std::uint32_t>(body.size() + 4)) + body);
}

}  // namespace
}  // namespace replication_test
