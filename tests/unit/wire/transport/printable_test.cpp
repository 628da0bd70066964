#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/utf8.hpp"
#include "transport/printable.hpp"

namespace printable_test {
namespace {

using sluice::printable;

TEST(PrintableText, KeepsLettersOfEveryScript) {
  for (const char* text : {"", "plain", "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80", "a\\b \"c\"", "\xc2\xa0"})
    EXPECT_EQ(printable(text), text);
}

TEST(PrintableText, EscapesEveryControlCharacter) {
  EXPECT_EQ(printable({"a\0b\n\x1b[2J\x7f", 9}), R"(a\x00b\x0a\x1b[2J\x7f)");
  EXPECT_EQ(printable("\xc2\x80\xc2\x9b\xc2\x9d\xc2\x9f"), R"(\xc2\x80\xc2\x9b\xc2\x9d\xc2\x9f)") << "C1";
}

TEST(PrintableText, EscapesWhatTurnsTheDirectionOrEndsALine) {
  EXPECT_EQ(printable("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c"),
            R"(\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c)");
  EXPECT_EQ(printable("\xe2\x80\xa8\xe2\x80\xa9"), R"(\xe2\x80\xa8\xe2\x80\xa9)");
}

TEST(PrintableText, EscapesEachByteThatIsNotUtf8) {
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            R"(\x9b31m)")
      << "C1 where it is a byte";
  EXPECT_EQ(printable("\xe4\xb8"), R"(\xe4\xb8)") << "cut off";
  EXPECT_EQ(printable("\xc0\x9b\xed\xa0\x80\xf5"), R"(\xc0\x9b\xed\xa0\x80\xf5)") << "too long, a surrogate, too large";
}

TEST(PrintableText, QuotesWhatItIsAskedTo) { EXPECT_EQ(printable("a\"b\\", "\"\\"), R"(a\"b\\)"); }

/// For arbitrary input, the output contains nothing dangerous, and plain text is unchanged.
TEST(PrintableText, LetsNothingThroughOfAnyBytes) {
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
      const sluice::proto::utf8_character next = sluice::proto::first_character(rest);
      ASSERT_TRUE(next.is_valid && !sluice::is_control(next.code)) << shown;
      rest.remove_prefix(next.size);
    }
  }
}

}  // namespace
}  // namespace printable_test
