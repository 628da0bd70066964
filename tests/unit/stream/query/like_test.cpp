// LIKE on the client, compared with an exhaustive implementation.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include "query/like.hpp"

namespace like_test {
namespace {

using sluice::detail::is_like;

/// Follows the definition word by word: exponential, but obviously right. ASCII only.
bool is_like_by_definition(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (std::size_t taken = 0; taken <= text.size(); ++taken)
      if (is_like_by_definition(text.substr(taken), pattern.substr(1))) return true;
    return false;
  }
  if (text.empty()) return false;
  if (pattern[0] == '_') return is_like_by_definition(text.substr(1), pattern.substr(1));
  if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
  return text[0] == pattern[0] && is_like_by_definition(text.substr(1), pattern.substr(1));
}

TEST(Like, IsWhatItsDefinitionSays) {
  std::mt19937 random{20240229};  // NOLINT(cert-msc51-cpp): the same texts each time
  const auto some = [&random](std::string_view letters, std::size_t most) {
    std::string text(random() % (most + 1), ' ');
    for (char& each : text) each = letters[random() % letters.size()];
    return text;
  };
  int matches = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string text = some("ab%\\_", 6);
    std::string pattern = some("ab%_\\", 6);
    if (pattern.ends_with('\\')) pattern += 'a';  // a trailing backslash is refused elsewhere
    const bool expected = is_like_by_definition(text, pattern);
    matches += expected ? 1 : 0;
    ASSERT_EQ(is_like(text, pattern, false), expected) << '"' << text << "\" like \"" << pattern << '"';
  }
  EXPECT_GT(matches, 1'000);
}

TEST(Like, CountsCharactersAndNotBytes) {
  EXPECT_TRUE(is_like("\xc3\xa4", "_", false));
  EXPECT_FALSE(is_like("\xc3\xa4", "__", false));
  EXPECT_TRUE(is_like("a\xf0\x9f\x98\x80z", "a_z", false));
  EXPECT_TRUE(is_like("\xe2\x82\xac\xe2\x82\xac", "%\xe2\x82\xac", false));
}

TEST(Like, IgnoresTheCaseOfAsciiOnly) {
  EXPECT_TRUE(is_like("AbC", "aBc", true));
  EXPECT_FALSE(is_like("AbC", "aBc", false));
  EXPECT_FALSE(is_like("\xc3\x84", "\xc3\xa4", true));
  EXPECT_TRUE(is_like("A%", "a\\%", true));
}

TEST(Like, TakesNoLongerForManyWildcards) {
  const std::string text(5'000, 'a');
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a%";
  EXPECT_TRUE(is_like(text, pattern, false));
  EXPECT_FALSE(is_like(text, pattern + 'b', false)) << "trying everything would not come to an end";
}

}  // namespace
}  // namespace like_test
