// The scanner finds the same parameters as the server: generated SQL gives the same result with its parameters
// renumbered.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>
#include "query/sql_parameters.hpp"

#include "asking.hpp"
#include "cluster.hpp"

namespace sql_scanner_test {
namespace {

using namespace sluice::test;

class generator {
 public:
  explicit generator(unsigned seed) : random_{seed} {}

  /// An array of expressions, with whitespace and comments between the tokens.
  std::string statement() {
    std::string text = "select to_json(array[$1::text";
    for (std::size_t left = below(4) + 1; left != 0; --left)
      text += between() + ',' + between() + expression() + between();
    return text + "])";
  }

 private:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>{0, limit - 1}(random_); }
  template <std::size_t Size>
  std::string one_of(const std::array<const char*, Size>& texts) {
    return texts[below(Size)];
  }
  std::string several(auto make, std::size_t most) {
    std::string text;
    for (std::size_t left = below(most + 1); left != 0; --left) text += make();
    return text;
  }

  std::string piece() {
    static constexpr std::array pieces{"$1", "$2", "''", "\\", "\\\\", "\\'", "'", "--", "/*", "*/",       "$$", "$a$",
                                       "$",  "\n", "\r", " ",  "\"",   "e",   "E", "a",  "1",  "\xc3\xa9", "U&", "; "};
    return one_of(pieces);
  }
  std::string body() {
    return several([this] { return piece(); }, 6);
  }
  std::string comment() {
    static constexpr std::array ends{"\n", "\r", "\r\n"};
    if (below(2) == 0) return "--" + body() + one_of(ends);
    return "/*" + body() + (below(3) == 0 ? "/*" + body() + "*/" : "") + "*/";
  }
  std::string between() {
    static constexpr std::array blanks{" ", "\t", "\n", "\r", "\f", ""};
    return several([this] { return below(3) == 0 ? comment() : one_of(blanks); }, 3);
  }
  std::string literal() {
    static constexpr std::array prefixes{"", "", "e", "E", "n", "N", "U&", "u&"};
    std::string text = one_of(prefixes) + '\'' + body() + '\'';
    while (below(3) == 0) text += between() + '\'' + body() + '\'';
    return text;
  }
  std::string expression() {
    static constexpr std::array numbers{"1", "1.5", "1e1", ".5", "1."};
    switch (below(9)) {
      case 0: return "$1";
      case 1: return "$2";
      case 2: return "$a$" + body() + "$a$";
      case 3: return "$$" + body() + "$$";
      case 4: return '(' + one_of(numbers) + between() + "+$1::numeric)::text";
      case 5: return "(select max(" + name() + ") from (select $2 as " + name_ + between() + ") q)";
      case 6: return "($1" + between() + "||" + between() + literal() + ')';
      case 7: return "(b'1'" + between() + "::text||$1)";
      default: return literal();
    }
  }
  std::string name() {
    static constexpr std::array names{"a$1", "\"$1\"", "\"a\"\"$2\"", "\xc3\xa9$1", "u&\"$2\"", "e", "_$2"};
    return name_ = one_of(names);
  }

  std::mt19937 random_;
  std::string name_;
};

/// Runs both forms of each statement.
/// @return how many statements the server accepted
int compare(const std::string& options, unsigned seed, int statements) {
  sluice::client db{dsn() + " options='" + options + "'"};
  generator next{seed};
  int taken = 0;
  for (int i = 0; i < statements; ++i) {
    const std::string text = next.statement();
    const auto ask = [&](const std::string& what, std::vector<sluice::bind_value> values) {
      return answer(db, {what, std::move(values), sluice::query::shape::document});
    };
    const std::string direct = ask("select q.* from (" + text + "\n) q where $2::text is not null", {"3", "4"});
    if (!direct.starts_with('[')) continue;
    std::string shifted;
    try {
      shifted = sluice::detail::with_parameters(text, 2, sluice::detail::backslashes::unknown,
                                                [](std::size_t number) { return '$' + std::to_string(number + 3); });
    } catch (const sluice::error& e) {
      EXPECT_TRUE(std::string_view{e.what()}.find("two meanings") != std::string_view::npos)
          << e.what() << ": " << text;
      continue;
    }
    ++taken;
    EXPECT_EQ(
        ask("select q.* from (" + shifted + "\n) q where $1::text || $2::text || $3::text || $5::text is not null",
            {"w", "x", "y", "3", "4"}),
        direct)
        << text;
  }
  return taken;
}

TEST(SqlScanner, FindsTheParametersThatTheServerFinds) {
  EXPECT_GT(compare("-c standard_conforming_strings=on", 1, 3'000), 600);
}

TEST(SqlScanner, RefusesWhatStandardConformingStringsWouldChange) {
  EXPECT_GT(compare("-c standard_conforming_strings=off -c escape_string_warning=off -c backslash_quote=on", 2, 3'000),
            450);
}

}  // namespace
}  // namespace sql_scanner_test
