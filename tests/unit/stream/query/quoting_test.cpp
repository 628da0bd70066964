// Names, paths and literals in SQL end where they should. tests/fuzz/quoting_fuzz.cpp checks the same of any text.
#include <gtest/gtest.h>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <string_view>
#include <vector>
#include "query/quoting.hpp"

namespace quoting_test {
namespace {

using namespace std::string_view_literals;
using namespace sluice::detail;
using sluice::errc;
using sluice::quote_identifier;
using strings = std::vector<std::string>;

template <class Call>
std::error_code failure_of(const Call& call) {
  try {
    call();
  } catch (const sluice::error& e) {
    return e.code();
  }
  return {};
}

TEST(Identifier, IsQuotedWithItsQuotesDoubled) {
  EXPECT_EQ(quote_identifier("plain"), "\"plain\"");
  EXPECT_EQ(quote_identifier("Odd\" or 1=1 --"), "\"Odd\"\" or 1=1 --\"");
  EXPECT_EQ(failure_of([] { (void)quote_identifier(""); }), errc::bad_query);
  EXPECT_EQ(failure_of([] { (void)quote_identifier("a\0b"sv); }), errc::bad_query);
  EXPECT_EQ(failure_of([] { (void)quote_identifier("\xff"); }), errc::bad_query);
}

TEST(Literal, MeansTheSameWhateverTheSettingForBackslashes) {
  EXPECT_EQ(quote_literal(""), "''");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\b'c"), "E'a\\\\b''c'");
  EXPECT_EQ(failure_of([] { (void)quote_literal("a\0b"sv); }), errc::bad_query);
}

TEST(Path, IsSplitAtDotsOutsideQuotes) {
  EXPECT_EQ(split_path("a.b"), (strings{"a", "b"}));
  EXPECT_EQ(split_path("\"a.b\".C"), (strings{"a.b", "C"}));
  EXPECT_EQ(split_path("\"say \"\"hi\"\"\""), (strings{"say \"hi\""}));
  EXPECT_EQ(split_path("a.\"\""), (strings{"a", ""}));
  for (const std::string_view bad : {"", ".", "a.", ".a", "a..b", "\"a", "\"a\"b", "a.\"b"})
    EXPECT_EQ(failure_of([&] { (void)split_path(bad); }), errc::bad_query) << bad;
}

TEST(PathExpression, IndexesArraysOnlyWithNumbers) {
  const auto json = [](const strings& path) { return json_at("data", path); };
  const auto text = [](const strings& path) { return text_at("data", path); };
  EXPECT_EQ(json({}), "data");
  EXPECT_EQ(text({}), "(data operator(pg_catalog.#>>) '{}')");
  EXPECT_EQ(json({"a", "b"}), "(data operator(pg_catalog.->) 'a' operator(pg_catalog.->) 'b')");
  EXPECT_EQ(text({"a", "b"}), "(data operator(pg_catalog.->) 'a' operator(pg_catalog.->>) 'b')");
  EXPECT_EQ(text({"a", "0"}), "(data operator(pg_catalog.#>>) array['a','0'])");
  EXPECT_EQ(text({"1234567890"}), "(data operator(pg_catalog.->>) '1234567890')") << "ten digits are a key";
  EXPECT_EQ(text({"0", "-1"}), "((data operator(pg_catalog.#>) array['0']) operator(pg_catalog.->>) '-1')")
      << "#>> would count from the array's end";
}

TEST(Renumbered, ChangesParametersButNotWhatLooksLikeThem) {
  EXPECT_EQ(renumbered("a = $1 and b = $2", 3, 2), "a = $4 and b = $5");
  EXPECT_EQ(renumbered("'$1' \"$1\" /* $1 */ $$ $1 $$ $1 -- $1", 1, 1), "'$1' \"$1\" /* $1 */ $$ $1 $$ $2 -- $1");
  EXPECT_EQ(failure_of([] { (void)renumbered("$2", 0, 1); }), errc::bad_query);
  EXPECT_EQ(failure_of([] { (void)renumbered("'open", 0, 0); }), errc::bad_query);
}

TEST(PlainIdentifier, NeedsNoQuotes) {
  for (const std::string_view name : {"a", "_", "a1", "snake_case"}) EXPECT_TRUE(is_plain_identifier(name)) << name;
  for (const std::string_view name : {"", "A", "1a", "a-b", "a b", "\xc3\xa4"})
    EXPECT_FALSE(is_plain_identifier(name)) << name;
}

}  // namespace
}  // namespace quoting_test
