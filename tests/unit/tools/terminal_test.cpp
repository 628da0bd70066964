// What a terminal is given: nothing that it would obey, or show in another order.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "terminal.hpp"

namespace {

using namespace sluice::tool;

TEST(Printable, EscapesControlCharacters) {
  EXPECT_EQ(printable("a\x1b[31m\nb\x7f"), "a\\x1b[31m\\x0ab\\x7f");
  EXPECT_EQ(printable("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"), "\\u0080\\u009b\\u009f\xc2\xa0");
  EXPECT_EQ(printable("\xd8\x9c\xe2\x80\x8e\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9\xe2\x80\xa8"),
            "\\u061c\\u200e\\u202e\\u2066\\u2069\\u2028");
  EXPECT_EQ(printable("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 ~"), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 ~");
}

TEST(Printable, EscapesBytesThatAreNoCharacter) {
  EXPECT_EQ(printable("\x9b"
                      "2J"),
            "\\x9b2J");
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b") << "ESC in two bytes";
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80") << "cut";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a surrogate pair";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
}

TEST(PrintableLines, IndentsThoseThatFollow) {
  EXPECT_EQ(printable_lines("a\nb\n  c\r"), "a\n  b\n  c\\x0d");
  EXPECT_EQ(printable_lines("a\n"), "a\n  ");
}

TEST(PrintableDocument, StaysTheSameValue) {
  EXPECT_EQ(printable_document("{\"a\":\t\"\xc2\x9b\x7f\xe2\x80\xae\"\n}"), "{\"a\":\t\"\\u009b\\u007f\\u202e\"\n}");
  EXPECT_EQ(printable_document("\"\x1b\r\""), "\"\\u001b\\u000d\"");
}

/// Whatever comes in, nothing that matters comes out, and plain text stays as it is.
TEST(Printable, LetsNothingThroughOfAnyBytes) {
  std::uint64_t random = 1;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
      random = random * 6364136223846793005U + 1442695040888963407U;
      static constexpr char likely[] = "\x1b\x80\x8f\x9b\x9c\xad\xae\xc2\xe2\xf0\xff\xd8 a\n\t";
      text += likely[(random >> 33U) % (sizeof likely - 1)];
    }
    const std::string shown = printable(text);
    EXPECT_EQ(printable(shown), shown);
    for (std::string_view rest = shown; !rest.empty();) {
      const character next = first_character(rest);
      ASSERT_TRUE(next.is_utf8 && !is_control(next.code)) << shown;
      rest.remove_prefix(next.size);
    }
  }
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
