// Whole documents: which are JSON, which are not, and where the error is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <ostream>
#include <sluice/stream/json.hpp>
#include <string>
#include "transport/printable.hpp"

#include "bytes.hpp"

namespace json_validator_test {
namespace {

using sluice::test::raw;

/// The error message, or an empty string if the document is valid.
std::string flaw_of(const std::string& document, sluice::json_limits limits = {}) {
  const auto body = std::make_unique<std::byte[]>(6 + document.size() + simdjson::SIMDJSON_PADDING);
  const auto size = static_cast<std::uint32_t>(document.size());
  for (unsigned i = 0; i < 4; ++i) body[2 + i] = static_cast<std::byte>(size >> (24U - 8U * i));
  if (size != 0) std::memcpy(body.get() + 6, document.data(), size);
  body[1] = std::byte{1};
  std::memset(body.get() + 6 + size, '1', simdjson::SIMDJSON_PADDING);  // bytes that the validator must ignore
  try {
    sluice::json_validator{limits}.check(sluice::row{body.get()}, 3);
  } catch (const sluice::error& refused) {
    EXPECT_EQ(refused.code(), sluice::errc::bad_json);
    EXPECT_TRUE(refused.connection_usable());
    return refused.what();
  }
  return {};
}

TEST(JsonValidator, TakesWhatIsJson) {
  for (const std::string& document :
       {std::string{"0"}, std::string{"-0.0e-0"}, std::string{"1E+2"}, std::string{"\"\""},
        std::string{" \t\r\n null\n"}, std::string{"true"}, std::string{"[]"}, std::string{"{}"},
        std::string{"[ [ ] , { } ]"},
        std::string{R"({"a":{"b":[1,"x\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00",false]},"":null})"},
        std::string{"\"\x7f\xc2\x80\xf4\x8f\xbf\xbf\""}, std::string{"\"0123456701234567\\\"01234567\""},
        std::string(400, '1'), "[1e" + std::string(400, '9') + "]"})
    EXPECT_EQ(flaw_of(document), "") << document;
}

struct mistake {
  std::string document;
  const char* says;
  std::size_t at;  // from 1
  friend std::ostream& operator<<(std::ostream& out, const mistake& one) {
    return out << sluice::printable(one.document);
  }
};
class JsonMistake : public testing::TestWithParam<mistake> {};

TEST_P(JsonMistake, IsToldWithItsPlace) {
  EXPECT_EQ(flaw_of(GetParam().document),
            "row 3 is not JSON: " + std::string{GetParam().says} + " at byte " + std::to_string(GetParam().at));
}

INSTANTIATE_TEST_SUITE_P(
    Documents, JsonMistake,
    testing::Values(
        mistake{"", "expected a value", 1}, mistake{"  ", "expected a value", 3}, mistake{"tru", "expected a value", 1},
        mistake{"True", "expected a value", 1}, mistake{"truex", "expected the end", 5},
        mistake{"1 2", "expected the end", 3}, mistake{"01", "expected the end", 2},
        mistake{"-", "expected a digit", 2}, mistake{"-x", "expected a digit", 2}, mistake{"1.", "expected a digit", 3},
        mistake{".5", "expected a value", 1}, mistake{"1e", "expected a digit", 3},
        mistake{"1e+", "expected a digit", 4}, mistake{"+1", "expected a value", 1},
        mistake{"[1,]", "expected a value", 4}, mistake{"[,1]", "expected a value", 2},
        mistake{"[1 2]", "expected ',' or ']'", 4}, mistake{"[", "expected a value", 2},
        mistake{"[1", "expected ',' or ']'", 3}, mistake{"]", "expected a value", 1},
        mistake{"[}", "expected a value", 2}, mistake{"[1}", "expected ',' or ']'", 3},
        mistake{"{]", "expected a key in double quotes", 2}, mistake{"{a:1}", "expected a key in double quotes", 2},
        mistake{"{\"a\" 1}", "expected ':'", 6}, mistake{"{\"a\":1,}", "expected a key in double quotes", 8},
        mistake{"{\"a\":}", "expected a value", 6}, mistake{"{\"a\":1]", "expected ',' or '}'", 7},
        mistake{"{\"a\"", "expected ':'", 5}, mistake{"'a'", "expected a value", 1},
        mistake{"\"a", "a string that is never closed", 3}, mistake{"\"01234567a", "a string that is never closed", 11},
        mistake{"\"\\", "no such escape", 3}, mistake{"\"\\x\"", "no such escape", 3},
        mistake{"\"\\u12g4\"", "expected four hexadecimal digits", 6},
        mistake{"\"\\u12", "expected four hexadecimal digits", 6},
        mistake{"\"a\nb\"", "a control character in a string", 3},
        mistake{"\"01234567\x1f\"", "a control character in a string", 10},
        mistake{"\"\t\"", "a control character in a string", 2},
        mistake{raw("\"\0\""), "a control character in a string", 2}, mistake{raw("1\0"), "expected the end", 2},
        mistake{"\"\\ud800\"", "half of a surrogate pair", 2}, mistake{"\"a\\udc00\"", "half of a surrogate pair", 3},
        mistake{"\"\\ud800\\u0041\"", "half of a surrogate pair", 2}, mistake{"\xef\xbb\xbf{}", "expected a value", 1},
        mistake{"[1]//", "expected the end", 4}, mistake{"\f1", "expected a value", 1},
        mistake{"NaN", "expected a value", 1}));

TEST(JsonValidator, RefusesWhatIsNotUtf8) {
  for (const char* document : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xe2\x82", "\"\xf4\x90\x80\x80\""})
    EXPECT_EQ(flaw_of(document), "row 3 is not JSON: it is not UTF-8");
}

TEST(JsonValidator, TellsItsLimits) {
  EXPECT_EQ(flaw_of("[[[[1]]]]", {.max_depth = 4}), "row 3 is not JSON: nested too deeply at byte 4");
  EXPECT_EQ(flaw_of("[[[[1]]]]", {.max_bytes = 8}), "row 3 is larger than 8 bytes");
  EXPECT_EQ(flaw_of(std::string(1'000, '[') + std::string(1'000, ']')), "");
  EXPECT_EQ(flaw_of(std::string(1'000'000, '[')), "row 3 is not JSON: nested too deeply at byte 1024");
}

/// Valid documents with a few changed bytes: the result matches simdjson's DOM parser, except for numbers outside its
/// range.
TEST(JsonValidator, AgreesWithSimdjsonOnChangedDocuments) {
  const std::string seeds[] = {R"({"a":[1,-2.5e10,true,null,{"b":"x\u00e4\n"}],"c":{},"d":[[],[""]]})",
                               R"([ "0123456789abcdef", {"key": "\ud83d\ude00"} , 0 , -0 , 1E-5 ])", R"("text")",
                               "12.5"};
  constexpr std::string_view likely = "{}[]\",:\\u0019eE+-. \ntfn\x01\xc3";
  std::uint64_t state = 7;
  const auto random = [&](std::size_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(state >> 33U) % below;
  };
  simdjson::dom::parser oracle;
  int valid = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text = seeds[random(4)];
    for (std::size_t changes = random(4); changes > 0 && !text.empty(); --changes) {
      const std::size_t at = random(text.size());
      switch (random(3)) {
        case 0: text[at] = likely[random(likely.size())]; break;
        case 1: text.insert(at, 1, likely[random(likely.size())]); break;
        default: text.erase(at, 1 + random(3));
      }
    }
    const simdjson::error_code expected = oracle.parse(simdjson::padded_string{text}).error();
    if (expected == simdjson::NUMBER_ERROR) continue;                              // may be valid but too large
    if (text.find("\\u") != text.npos && expected == simdjson::SUCCESS) continue;  // releases differ about surrogates
    EXPECT_EQ(flaw_of(text).empty(), expected == simdjson::SUCCESS) << text << "\n" << flaw_of(text);
    valid += expected == simdjson::SUCCESS ? 1 : 0;
  }
  EXPECT_GT(valid, 1'000);
}

}  // namespace
}  // namespace json_validator_test
