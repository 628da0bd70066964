// Names, literals and paths end where they should: parsing the quoted text as the server does gives the original.
#include <algorithm>
#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>
#include <string>
#include <vector>

#include "fuzzing.hpp"
#include "query/quoting.hpp"

namespace quoting_fuzz {
namespace {

using namespace sluice;
using sluice::test::require;

/// The text between the quotes, unescaped as SQL does.
std::string unquoted(std::string_view quoted, char quote, bool backslashes) {
  std::string text;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (backslashes && quoted[i] == '\\')
      ++i;
    else if (quoted[i] == quote)
      require(++i < quoted.size() && quoted[i] == quote, "a quote inside is doubled");
    text += quoted[i];
  }
  return text;
}

void check_identifier(std::string_view name) {
  const std::string quoted = quote_identifier(name);
  require(quoted.starts_with('"') && quoted.ends_with('"') && quoted.size() >= 2, "an identifier is in quotes");
  require(unquoted(std::string_view{quoted}.substr(1, quoted.size() - 2), '"', false) == name,
          "an identifier means its name");
  require(detail::renumbered(quoted + " $1", 1, 1) == quoted + " $2", "an identifier ends at its quote");
  require(detail::split_path(quoted + ".b") == std::vector<std::string>{std::string{name}, "b"},
          "a quoted part of a path is one part");
}

void check_literal(std::string_view text) {
  const std::string quoted = detail::quote_literal(text);
  const bool escapes = quoted.starts_with('E');
  const std::string_view inside = std::string_view{quoted}.substr(escapes ? 2 : 1);
  require(quoted.ends_with('\''), "a literal is in quotes");
  require(unquoted(inside.substr(0, inside.size() - 1), '\'', escapes) == text, "a literal means its text");
  require(escapes || text.find('\\') == text.npos, "backslashes do not depend on standard_conforming_strings");
  require(detail::renumbered(quoted + " $1", 1, 1) == quoted + " $2", "a literal ends at its quote");
}

void run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sluice::test::as_text(data, size);
  try {
    detail::check_name(text, "name");
    check_identifier(text);
    check_literal(text);
  } catch (const error& refused) {
    require(refused.code() == errc::bad_query, "a name is refused as a bad query");
  }
  try {
    const std::vector<std::string> parts = detail::split_path(text);
    const std::string sql = detail::text_at("data", parts);
    require(detail::renumbered(sql + " $1", 1, 1) == sql + " $2", "a path ends where it should");
  } catch (const error& refused) {
    require(refused.code() == errc::bad_query, "a path is refused as a bad query");
  }
  try {
    (void)detail::renumbered(text, 7, 3);
  } catch (const error& refused) {
    require(refused.code() == errc::bad_query, "SQL is refused as a bad query");
  }
}

const sluice::test::fuzz_target target{"quoting", run};

}  // namespace
}  // namespace quoting_fuzz
