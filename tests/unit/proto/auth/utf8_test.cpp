// UTF-8, decoded character by character.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "auth/utf8.hpp"

namespace utf8_test {
namespace {

using sluice::proto::first_character;
using sluice::proto::is_continuation;
using sluice::proto::utf8_character;

/// RFC 3629, section 3, the other way round.
std::string encoded(char32_t code) {
  const auto byte = [code](unsigned shift, unsigned mark, unsigned mask) {
    return static_cast<char>(mark | (static_cast<unsigned>(code) >> shift & mask));
  };
  if (code < 0x80) return {byte(0, 0, 0x7f)};
  if (code < 0x800) return {byte(6, 0xc0, 0x1f), byte(0, 0x80, 0x3f)};
  if (code < 0x10000) return {byte(12, 0xe0, 0xf), byte(6, 0x80, 0x3f), byte(0, 0x80, 0x3f)};
  return {byte(18, 0xf0, 7), byte(12, 0x80, 0x3f), byte(6, 0x80, 0x3f), byte(0, 0x80, 0x3f)};
}

TEST(Utf8, DecodesEveryCharacter) {
  for (char32_t code = 0; code <= 0x10ffff; ++code) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const std::string text = encoded(code);
    const utf8_character read = first_character(text);
    ASSERT_TRUE(read.is_valid) << std::hex << static_cast<unsigned>(code);
    ASSERT_EQ(read.code, code);
    ASSERT_EQ(read.size, text.size());
  }
}

TEST(Utf8, LeavesWhatFollowsTheCharacter) {
  const utf8_character read = first_character("\xe2\x82\xac\xff");
  EXPECT_TRUE(read.is_valid);
  EXPECT_EQ(read.code, U'\u20ac');
  EXPECT_EQ(read.size, 3U);
}

TEST(Utf8, HasNoSurrogatesAndNothingBeyondItsEnd) {
  for (char32_t code = 0xd800; code <= 0xdfff; ++code) ASSERT_FALSE(first_character(encoded(code)).is_valid);
  EXPECT_FALSE(first_character("\xf4\x90\x80\x80").is_valid);
  EXPECT_FALSE(first_character("\xf5\x80\x80\x80").is_valid);
}

TEST(Utf8, HasOneFormOfEachCharacter) {
  for (const std::string_view overlong :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf"})
    EXPECT_FALSE(first_character(overlong).is_valid);
}

TEST(Utf8, TakesAByteThatBeginsNoCharacterByItself) {
  for (const std::string_view bad : {"\x80", "\xbf", "\xff", "\xfe\x80", "\xc3", "\xc3z", "\xe2\x82", "\xe2\x82z",
                                     "\xe2z\xac", "\xf0\x9f\x98", "\xf0\x9f\x98\xc3"}) {
    const utf8_character read = first_character(bad);
    EXPECT_FALSE(read.is_valid);
    EXPECT_EQ(read.size, 1U);
    EXPECT_EQ(read.code, static_cast<unsigned char>(bad[0]));
  }
}

TEST(Utf8, ContinuesACharacterWithItsOwnBytes) {
  for (unsigned byte = 0; byte < 256; ++byte)
    EXPECT_EQ(is_continuation(static_cast<char>(byte)), byte >= 0x80 && byte < 0xc0) << byte;
}

}  // namespace
}  // namespace utf8_test
