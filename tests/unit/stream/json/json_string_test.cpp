// Texts as strings of JSON, whatever their length and wherever their special characters are.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "bytes.hpp"
#include "json/json_string.hpp"
#include "json_written.hpp"

namespace json_string_test {
namespace {

using namespace sluice::detail;
using sluice::test::as_text;
using sluice::test::raw;

std::string written(std::string_view text) {
  return sluice::test::written_by([](text_buffer& to, auto bytes) { return write_string(to, as_text(bytes)); }, text);
}

TEST(JsonString, EscapesWhereverACharacterStands) {
  for (const char special : {'"', '\\', '\x01', '\x1f', '\n', ' ', '\x7f'})
    for (std::size_t size = 1; size < 50; ++size)
      for (std::size_t at = 0; at < size; ++at) {
        std::string value(size, 'x');
        value[at] = special;
        std::string expected(at, 'x');
        switch (special) {
          case '"': expected += "\\\""; break;
          case '\\': expected += "\\\\"; break;
          case '\x01': expected += "\\u0001"; break;
          case '\x1f': expected += "\\u001f"; break;
          case '\n': expected += "\\n"; break;
          default: expected += special;
        }
        expected += std::string(size - at - 1, 'x');
        ASSERT_EQ(written(value), '"' + expected + '"');
      }
}

TEST(JsonString, IsUtf8WhereverACharacterStands) {
  const std::string special = "\xc3\xa9";
  for (std::size_t size = 0; size < 50; ++size)
    for (std::size_t at = 0; at <= size; ++at) {
      std::string value(size, 'x');
      value.insert(at, special);
      ASSERT_EQ(written(value), '"' + value + '"');
      value.erase(at + 1, 1);
      ASSERT_EQ(written(value), "refused");
    }
}

TEST(JsonString, HasShortEscapesWhereJsonHasThem) {
  EXPECT_EQ(written(""), R"("")");
  EXPECT_EQ(written("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(written(raw("\0\1\x0b\x0e\x1f")), R"("\u0000\u0001\u000b\u000e\u001f")");
  EXPECT_EQ(written("\x7f/\xc2\x80"), "\"\x7f/\xc2\x80\"") << "as the server leaves them";
}

TEST(JsonString, MayConsistOfEscapesAlone) {
  for (const std::size_t size : {1U, 7U, 8U, 9U, 15U, 16U, 17U, 4095U, 4096U, 4097U, 10'000U}) {
    std::string expected;
    for (std::size_t i = 0; i < size; ++i) expected += "\\u0001";
    ASSERT_EQ(written(std::string(size, '\1')), '"' + expected + '"') << size;
  }
}

/// Long texts are written in pieces, which may end inside of a character.
TEST(JsonString, MayBeLong) {
  for (std::size_t before = 4090; before < 4100; ++before) {
    std::string text(before, 'x');
    text += "\xf0\x9f\x98\x80" + std::string(5000, 'y');
    ASSERT_EQ(written(text), '"' + text + '"') << before;
    text[before + 2] = 'z';
    ASSERT_EQ(written(text), "refused") << before;
  }
}

TEST(JsonString, RefusesWhatIsNotUtf8) {
  for (const char* const bad : {"\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\n\xe2\x82"})
    EXPECT_EQ(written(bad), "refused");
}

TEST(JsonString, IsEscapedWithoutItsQuotesToo) {
  text_buffer to;
  EXPECT_TRUE(write_escaped(to, "say \"hi\""));
  EXPECT_TRUE(write_escaped(to, ""));
  EXPECT_TRUE(write_escaped(to, "\t"));
  EXPECT_EQ(to.text(), R"(say \"hi\"\t)");
  EXPECT_FALSE(write_escaped(to, "\xff"));
}

}  // namespace
}  // namespace json_string_test
