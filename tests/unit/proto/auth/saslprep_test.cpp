#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include "auth/saslprep.hpp"

namespace saslprep_test {
namespace {

using sluice::proto::saslprep;

struct vector {
  std::string_view password;
  std::string_view prepared;
};
#include "saslprep_vectors.inc"

std::string utf8(char32_t code) {
  const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  const auto tail = [&](unsigned shift) { return byte(0x80U | ((code >> shift) & 0x3fU)); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0U | (code >> 6U)), tail(0)};
  if (code < 0x10000) return {byte(0xe0U | (code >> 12U)), tail(6), tail(0)};
  return {byte(0xf0U | (code >> 18U)), tail(12), tail(6), tail(0)};
}

TEST(Saslprep, NormalisesAsTheExamplesOfTheRfcDo) {
  constexpr vector examples[] = {
      {"I\xc2\xadX", "IX"},       // soft hyphen mapped to nothing
      {"user", "user"},           // no change
      {"USER", "USER"},           // case is kept
      {"\xc2\xaa", "a"},          // NFKC
      {"\xe2\x85\xa8", "IX"},     // NFKC
      {"a\xc2\xa0x", "a x"},      // no-break space
      {"a\xe2\x80\x8bx", "a x"},  // in two tables of RFC 3454: the space takes precedence
      {"e\xcc\x81", "\xc3\xa9"},  // composed
  };
  for (const vector& example : examples) EXPECT_EQ(saslprep(example.password), example.prepared);
}

TEST(Saslprep, ComposesOnlyWhatUnicodeComposes) {
  for (const std::string_view unchanged : {
           "a\xcc\x85\xcc\x81",         // an overline blocks the following acute accent
           "\xea\xb0\x80\xe1\x87\x83",  // a Hangul syllable and an old trailing consonant
           "\xe1\x84\x93\xe1\x85\xa1",  // an old leading consonant and a vowel
           "\xe1\x84\x80\xe1\x85\xb6",  // a leading consonant and an old vowel
       })
    EXPECT_EQ(saslprep(unchanged), unchanged) << testing::PrintToString(unchanged);
  EXPECT_EQ(saslprep("\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8"), "\xea\xb0\x81") << "three modern ones";
}

TEST(Saslprep, UsesAPasswordAsItIsWhenItCannotBePrepared) {
  for (const std::string_view password : {
           "\xc2\xad",              // nothing remains
           "\x07\xc2\xaa",          // a control character
           "\xc2\xaa\xc2\x85",      // a control character beyond ASCII
           "\xc2\xaa\xee\x80\x80",  // private use
           "\xc2\xaa\xc8\xa1",      // U+0221, not assigned in Unicode 3.2
           "\xc2\xaa\xcd\x80",      // U+0340, which NFKC would replace with an allowed character
           "\xd8\xa7.",             // right-to-left text that ends with a full stop
           "\xd8\xa7x\xd8\xa7",     // right-to-left text with a Latin letter inside
       })
    EXPECT_EQ(saslprep(password), password);
}

TEST(Saslprep, LeavesAsciiAloneWhateverItHolds) {
  for (const std::string_view password : {"", "pencil", "\x01\x7f\t", " a  b "})
    EXPECT_EQ(saslprep(password), password);
}

TEST(Saslprep, UsesAPasswordAsItIsWhenItIsNotUtf8) {
  for (const std::string_view broken : {
           "\x80",              // begins with a continuation byte
           "\xbf",              //
           "\xc3",              // cut
           "\xe2\x85",          //
           "\xf0\x9d\x90",      //
           "\x83\xa9",          //
           "\xf8\x9d\x90\x80",  // not a lead byte
           "\xc3\x28",          // continuation byte missing
           "\xc0\xaa",          // longer than necessary
           "\xe0\x82\xaa",      //
           "\xf0\x80\x82\xaa",  //
           "\xed\xa0\x80",      // a surrogate
           "\xf4\x90\x80\x80",  // beyond Unicode
           "\xf5\x80\x80\x80",  //
           "\xff",              //
       }) {
    // If only the invalid bytes were skipped, the soft hyphen would be removed.
    const std::string password = "\xc2\xad" + std::string{broken};
    EXPECT_EQ(saslprep(password), password) << testing::PrintToString(broken);
  }
}

TEST(Saslprep, AgreesWithPythonOnRandomText) {
  for (const vector& example : random_vectors)
    EXPECT_EQ(saslprep(example.password), example.prepared) << testing::PrintToString(example.password);
}

TEST(Saslprep, AgreesWithPythonOnEveryCodePoint) {
  constexpr char32_t block_size = 0x1000;
  for (std::size_t block = 0; block < std::size(block_sums); ++block) {
    std::uint64_t sum = 0xcbf29ce484222325U;  // FNV-1a
    const auto first = static_cast<char32_t>(block) * block_size;
    for (char32_t code = first; code < first + block_size; ++code) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      for (const char c : saslprep(utf8(code)) + '\n') sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    EXPECT_EQ(sum, block_sums[block]) << "from U+" << std::hex << static_cast<std::uint32_t>(first);
  }
}

TEST(Saslprep, TakesALongRunOfMarks) {
  std::string password = "a";
  for (int i = 0; i < 300; ++i) password += "\xcc\x81\xcc\xa3";
  EXPECT_EQ(saslprep(password).substr(0, 3), "\xe1\xba\xa1") << "the mark below comes first in canonical order";
}

}  // namespace
}  // namespace saslprep_test
