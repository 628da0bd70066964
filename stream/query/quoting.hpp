#pragma once
// Names, paths and literals as they appear in SQL. Whatever they contain, they end where they should.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::detail {

/// @par Errors  all of these throw error: bad_query for an empty name, a zero byte, an unclosed quote or invalid UTF-8;
///              the message says `what` was wrong
void check_name(std::string_view name, std::string_view what);

/// The same for text that may be empty, such as the key of an object.
void check_text(std::string_view text, std::string_view what);

/// Whether an identifier means the same without quotes, unless it is a keyword.
[[nodiscard]] constexpr bool is_plain_identifier(std::string_view name) noexcept {
  const auto is_letter = [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// `a.b`, `"Odd.Name".b`: splits at dots and removes quotes. Nothing is folded to lower case. `""` is an empty part.
[[nodiscard]] std::vector<std::string> split_path(std::string_view path, std::string_view what = "path");

/// Whether a part of a path may count the elements of an array: nine digits at most.
[[nodiscard]] bool is_index(std::string_view part) noexcept;

/// A string literal that means the same regardless of standard_conforming_strings.
[[nodiscard]] std::string quote_literal(std::string_view text);
void append_literal(std::string& to, std::string_view text);

/// An operator between its operands, looked up in one schema only: ` operator(pg_catalog.=) `. A plain `=` may resolve
/// to an operator that another role has created in a schema of the search_path; it would run that role's function with
/// the reader's privileges. The same holds for functions, types, and the syntax that the grammar turns into operators
/// (LIKE, IN, BETWEEN, IS DISTINCT FROM, NULLIF, and CASE with a value), so all generated SQL names its schemas. All
/// operators written like this have the same precedence, higher than IS, NOT, AND and OR.
/// @param schema  as it appears in SQL
[[nodiscard]] std::string infix(std::string_view symbol, std::string_view schema = "pg_catalog");
void append_infix(std::string& to, std::string_view symbol, std::string_view schema = "pg_catalog");

/// The field as json or jsonb, and as text, written so that an index on the same expression serves it. An empty path is
/// the document itself.
[[nodiscard]] std::string json_at(const std::string& documents, std::span<const std::string> path);
[[nodiscard]] std::string text_at(const std::string& documents, std::span<const std::string> path);

/// The SQL with `$1` as `$(1 + before)` and so on, except inside literals, quoted names and comments.
/// @param count  the number of parameters
[[nodiscard]] std::string renumbered(std::string_view sql, std::size_t before, std::size_t count);

}  // namespace sluice::detail
