// Keys of JSON objects, compared in place.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/json_key.hpp>

namespace json_key_test {
namespace {

using namespace sluice::detail;
using namespace std::string_view_literals;

struct key_case {
  const char* raw;  // text up to the closing quote
  std::string_view name;
  bool is_key;
};

TEST(JsonKey, MeansItsNameWithEscapes) {
  for (const auto& [raw, name, is_key] : {
           key_case{"\"", "", true},
           key_case{"a\"", "", false},
           key_case{"\"", "a", false},
           key_case{"ab\"", "ab", true},
           key_case{"ab\"", "abc", false},
           key_case{"abc\"", "ab", false},
           key_case{R"(a\u0062")", "ab", true},
           key_case{R"(\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t", true},
           key_case{R"(\u00e9")", "\xc3\xa9", true},
           key_case{R"(\u20AC")", "\xe2\x82\xac", true},
           key_case{R"(\ud83d\ude00")", "\xf0\x9f\x98\x80", true},
           key_case{R"(\ud83d")", "\xed\xa0\xbd", false},
           key_case{R"(\ude00")", "\xed\xb8\x80", false},
           key_case{R"(\ud83d\u0041")", "A", false},
           key_case{R"(\u00")", "", false},
           key_case{R"(\ud83d\u")", "", false},
           key_case{R"(\x")", "x", false},
           key_case{R"(\u0000")", "\0"sv, true},
           key_case{R"(\u0000")", "", false},
           key_case{R"(\uD83D\uDE00x")", "\xf0\x9f\x98\x80x", true},
           key_case{R"(\uffff")", "\xef\xbf\xbf", true},
           key_case{R"(\u07ff\u0800")", "\xdf\xbf\xe0\xa0\x80", true},
           key_case{R"(\udbff\udfff")", "\xf4\x8f\xbf\xbf", true},
           key_case{R"(\ud83d\ud83d")", "\xf0\x9f\x80\xbd", false},  // what the sum of the two halves would be
           key_case{R"(\ud83d\nde00")", "\xf0\x9f\x98\x80", false},
           key_case{R"(\ud83d\ue000")", "\xf0\x9f\xa0\x80", false},
           key_case{R"(\u00g0")", "", false},
           key_case{R"(\u0061b")", "a", false},
           key_case{"\xc3\xa9\"", "\xc3\xa9", true},
       })
    EXPECT_EQ(is_json_key(raw, name), is_key) << raw;
}

TEST(JsonKey, IsReadNoFurtherThanItsQuote) {
  for (const std::string_view cut :
       {R"(\")", R"(\u")", R"(\u1")", R"(\u12")", R"(\u123")", R"(\ud83d\")", R"(\ud83d\u1")"}) {
    const std::vector<char> exact(cut.begin(), cut.end());  // a sanitizer watches its end
    EXPECT_FALSE(is_json_key(exact.data(), "x")) << cut;
  }
}

TEST(PlainName, FitsIntoThePaddingOfADocumentAndNeedsNoEscapes) {
  EXPECT_TRUE(is_plain_name(""));
  EXPECT_TRUE(is_plain_name(std::string(63, 'a')));
  EXPECT_FALSE(is_plain_name(std::string(64, 'a')));
  EXPECT_FALSE(is_plain_name("a\"b"));
  EXPECT_FALSE(is_plain_name("a\\b"));
  EXPECT_TRUE(is_plain_name("\xc3\xa9"));
}

TEST(PlainKey, EqualsANameUpToItsQuote) {
  const std::string key = "name\":1}" + std::string(64, '\0');
  EXPECT_TRUE(is_plain_json_key(key.c_str(), "name"));
  EXPECT_FALSE(is_plain_json_key(key.c_str(), "nam"));
  EXPECT_FALSE(is_plain_json_key(key.c_str(), "names"));
  EXPECT_FALSE(is_plain_json_key(key.c_str(), ""));
  EXPECT_TRUE(is_plain_json_key("\":1}", ""));
}

TEST(HasEscapes, LooksAtTheKeyAlone) {
  EXPECT_FALSE(has_escapes(R"(name":"\n")"));
  EXPECT_TRUE(has_escapes(R"(na\u006de":1)"));
  EXPECT_FALSE(has_escapes("\""));
}

}  // namespace
}  // namespace json_key_test
