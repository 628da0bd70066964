#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>
#include "transport/receive_buffer.hpp"

#include "bytes.hpp"

namespace receive_buffer_test {
namespace {

using sluice::test::as_text;
using sluice::wire::receive_buffer;

/// Writes as much of `text` into the buffer as fits.
std::size_t arrive(receive_buffer& buffer, std::string_view text, std::size_t wanted) {
  const auto room = buffer.make_room(wanted);
  const std::size_t count = std::min(room.size(), text.size());
  std::memcpy(room.data(), text.data(), count);
  buffer.commit(count);
  return count;
}

TEST(ReceiveBuffer, AllocatesNothingBeforeItsFirstUse) {
  const receive_buffer buffer{1024, 4096};
  EXPECT_EQ(buffer.allocated(), 0U);
  EXPECT_TRUE(buffer.arrived().empty());
}

TEST(ReceiveBuffer, KeepsConsumedBytesReadableUntilRoomIsMade) {
  receive_buffer buffer{16, 64};
  arrive(buffer, "consumed,arrived", 5);
  const auto view = buffer.arrived().first(9);
  buffer.consume(9);
  EXPECT_EQ(as_text(view), "consumed,");
  EXPECT_EQ(as_text(buffer.arrived()), "arrived");
  EXPECT_EQ(buffer.make_room(5).size(), 9U);
  EXPECT_EQ(as_text(buffer.arrived()), "arrived") << "moved to the front";
}

TEST(ReceiveBuffer, CanBePartedFromItsMemory) {
  receive_buffer buffer{16, 64};
  arrive(buffer, "consumed,arrived", 5);
  const auto view = buffer.arrived().first(9);
  buffer.consume(9);
  const auto before = buffer.part();
  EXPECT_EQ(before.get(), view.data());
  EXPECT_EQ(as_text(buffer.arrived()), "arrived");
  arrive(buffer, " after it", 5);
  EXPECT_EQ(as_text(buffer.arrived()), "arrived after it");
  EXPECT_EQ(as_text(view), "consumed,") << "views stay valid";
  EXPECT_EQ(buffer.allocated(), 16 + receive_buffer::padding);
}

TEST(ReceiveBuffer, DoesNotGrowForALengthAlone) {
  receive_buffer buffer{1024, 1U << 30U};
  arrive(buffer, "D....", 1U << 29U);
  (void)buffer.make_room(1U << 29U);
  EXPECT_EQ(buffer.allocated(), 1024 + receive_buffer::padding);
}

TEST(ReceiveBuffer, GrowsByDoublingAsBytesArriveAndShrinksBack) {
  receive_buffer buffer{1024, 1U << 20U};
  const std::string message(5000, 'x');
  std::size_t sent = 0;
  while (sent < message.size()) {
    sent += arrive(buffer, std::string_view{message}.substr(sent), message.size());
    EXPECT_LE(buffer.allocated(), 2 * std::max<std::size_t>(sent, 1024) + receive_buffer::padding);
  }
  EXPECT_EQ(as_text(buffer.arrived()), message);
  EXPECT_EQ(buffer.allocated(), 8192 + receive_buffer::padding);
  buffer.consume(message.size());
  (void)buffer.make_room(5);
  EXPECT_EQ(buffer.allocated(), 1024 + receive_buffer::padding);
  EXPECT_EQ(buffer.peak(), 8192 + receive_buffer::padding);
}

TEST(ReceiveBuffer, GivesNoRoomAboveItsLimit) {
  receive_buffer buffer{1024, 2048};
  EXPECT_TRUE(buffer.make_room(2049).empty());
  EXPECT_FALSE(buffer.make_room(2048).empty());
}

TEST(ReceiveBuffer, HasReadablePaddingBehindItsEnd) {
  receive_buffer buffer{64, 64};
  arrive(buffer, std::string(64, 'x'), 5);
  const auto* end = buffer.arrived().data() + buffer.arrived().size();
  std::size_t zeros = 0;
  for (std::size_t i = 0; i < receive_buffer::padding; ++i) zeros += end[i] == std::byte{0} ? 1 : 0;
  EXPECT_EQ(zeros, receive_buffer::padding);
}

TEST(ReceiveBuffer, GrowsWhileReadsFillItAndEasesWhenTheyDoNot) {
  receive_buffer buffer{128, 1U << 20U, 16};
  const std::string much(1'000, 'x');
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 6; ++i) {
    const std::size_t count = arrive(buffer, much, 5);
    sizes.push_back(count);
    buffer.consume(count);
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{16, 32, 64, 128, 128, 128}));
  buffer.ease();  // this read has filled the buffer
  for (int i = 0; i < 5; ++i) {
    buffer.consume(arrive(buffer, "few", 3));
    buffer.ease();
  }
  EXPECT_EQ(arrive(buffer, much, 5), 16U);
}

TEST(ReceiveBuffer, GivesItsMemoryBackAtRest) {
  receive_buffer buffer{1024, 4096};
  buffer.consume(arrive(buffer, "all", 3));
  buffer.rest();
  EXPECT_EQ(buffer.allocated(), 0U);
  EXPECT_TRUE(buffer.arrived().empty());
  arrive(buffer, "kept", 4);
  buffer.rest();
  EXPECT_EQ(as_text(buffer.arrived()), "kept") << "it has not been dealt with";
}

}  // namespace
}  // namespace receive_buffer_test
