// The blocks that a program has begun on a connection.
#include "engine/open_blocks.hpp"
#include <gtest/gtest.h>

namespace open_blocks_test {
namespace {

using sluice::wire::open_blocks;

TEST(OpenBlocks, BeginWithAnUnsentStatement) {
  open_blocks blocks;
  EXPECT_TRUE(blocks.empty());
  const open_blocks::id outer = blocks.begin("begin read only");
  EXPECT_FALSE(blocks.empty());
  EXPECT_EQ(blocks.unsent(), "begin read only");
  EXPECT_TRUE(blocks.is_innermost(outer));
  blocks.sent();
  EXPECT_EQ(blocks.unsent(), "");
  EXPECT_EQ(blocks.commit(outer), "commit");
  EXPECT_EQ(blocks.roll_back(outer), "rollback");
  blocks.ended(outer);
  EXPECT_TRUE(blocks.empty());
  EXPECT_FALSE(blocks.is_open(outer));
}

TEST(OpenBlocks, DroppedBeforeTheyWereSentLeaveNothing) {
  open_blocks blocks;
  const open_blocks::id outer = blocks.begin("begin");
  blocks.drop(outer);
  EXPECT_TRUE(blocks.empty());
  EXPECT_FALSE(blocks.is_due());
  EXPECT_EQ(blocks.unsent(), "");
  blocks.drop(outer);
  EXPECT_TRUE(blocks.empty()) << "twice";
}

TEST(OpenBlocks, NestAsSavepoints) {
  open_blocks blocks;
  const open_blocks::id outer = blocks.begin("begin");
  blocks.sent();
  EXPECT_EQ(blocks.savepoint(), "savepoint sluice_2");
  const open_blocks::id inner = blocks.nested();
  EXPECT_FALSE(blocks.is_innermost(outer));
  EXPECT_TRUE(blocks.is_innermost(inner));
  EXPECT_EQ(blocks.commit(inner), "release savepoint sluice_2");
  EXPECT_EQ(blocks.roll_back(inner), "rollback to savepoint sluice_2; release savepoint sluice_2");
  blocks.ended(inner);
  EXPECT_TRUE(blocks.is_innermost(outer));
  EXPECT_EQ(blocks.savepoint(), "savepoint sluice_3") << "no name twice";
}

TEST(OpenBlocks, DroppedAreDueToBeTakenBackFromTheOutermostOn) {
  open_blocks blocks;
  const open_blocks::id outer = blocks.begin("begin");
  blocks.sent();
  const open_blocks::id middle = blocks.nested();
  const open_blocks::id inner = blocks.nested();
  blocks.drop(inner);
  blocks.drop(middle);
  EXPECT_TRUE(blocks.is_due());
  EXPECT_TRUE(blocks.is_innermost(outer));
  EXPECT_EQ(blocks.take_due(), "rollback to savepoint sluice_2; release savepoint sluice_2");
  EXPECT_FALSE(blocks.is_due());
  blocks.drop(outer);
  EXPECT_FALSE(blocks.empty()) << "until it is taken back";
  EXPECT_EQ(blocks.take_due(), "rollback");
  EXPECT_TRUE(blocks.empty());
}

TEST(OpenBlocks, EndWithTheOneAroundThem) {
  open_blocks blocks;
  const open_blocks::id outer = blocks.begin("begin");
  blocks.sent();
  const open_blocks::id inner = blocks.nested();
  blocks.ended(outer);
  EXPECT_FALSE(blocks.is_open(inner));
  blocks.drop(inner);
  EXPECT_TRUE(blocks.empty());
}

}  // namespace
}  // namespace open_blocks_test
