// What the command writes to a terminal: nothing that the terminal would obey or display in another order.
#include <gtest/gtest.h>

#include <string>

#include "terminal.hpp"

namespace terminal_test {
namespace {

using namespace sluice::tool;

TEST(PrintableLines, IndentsThoseThatFollow) {
  EXPECT_EQ(printable_lines("a\nb\n  c\r"), "a\n  b\n  c\\x0d");
  EXPECT_EQ(printable_lines("a\n"), "a\n  ");
}

TEST(PrintableDocument, StaysTheSameValue) {
  EXPECT_EQ(printable_document("{\"a\":\t\"\xc2\x9b\x7f\xe2\x80\xae\"\n}"), "{\"a\":\t\"\\u009b\\u007f\\u202e\"\n}");
  EXPECT_EQ(printable_document("\"\x1b\r\""), "\"\\u001b\\u000d\"");
}

TEST(WithCaret, PointsAtTheCharacter) {
  EXPECT_EQ(with_caret("  ", "a b", 2), "  a b\n    ^");
  EXPECT_EQ(with_caret("",
                       "\xc3\xa4\x1b"
                       "b",
                       3),
            "\xc3\xa4\\x1bb\n     ^");
  EXPECT_EQ(with_caret("", "", 0), "\n^");
}

}  // namespace
}  // namespace terminal_test
