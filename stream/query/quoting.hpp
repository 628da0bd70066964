#pragma once
// Names, paths and literals as they stand in SQL. Whatever is in them, they end where they should.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::detail {

/// @par Errors  all of these throw error: bad_query for an empty name, a zero byte, an open quote or bytes that are not
///              UTF-8; the message shows `what` was wrong
void check_name(std::string_view name, std::string_view what);

/// The same for a text that may be empty, such as the key of an object.
void check_text(std::string_view text, std::string_view what);

/// `a.b`, `"Odd.Name".b`: parts at dots, quotes taken off. Nothing is folded to lower case. `""` is an empty part.
[[nodiscard]] std::vector<std::string> split_path(std::string_view path, std::string_view what = "path");

/// A string literal that means the same whatever standard_conforming_strings says.
[[nodiscard]] std::string quote_literal(std::string_view text);

/// An operator between its operands, looked up in one schema only: ` operator(pg_catalog.=) `. A plain `=` may be one
/// that another role has created in a schema of the search_path, and would run that role's function as the reader. The
/// same holds for functions, types, and what the grammar makes operators of (LIKE, IN, BETWEEN, IS DISTINCT FROM,
/// NULLIF, and CASE with a value): all that is generated names its schema. All operators written like this bind equally
/// tight, tighter than IS, NOT, AND and OR.
/// @param schema  as it stands in SQL
[[nodiscard]] std::string infix(std::string_view symbol, std::string_view schema = "pg_catalog");

/// The field as json or jsonb, and as text, written so that an index on the same expression serves it. An empty path is
/// the document.
[[nodiscard]] std::string json_at(const std::string& documents, std::span<const std::string> path);
[[nodiscard]] std::string text_at(const std::string& documents, std::span<const std::string> path);

/// The SQL with `$1` as `$(1 + before)` and so on, where it is no part of a literal, a quoted name or a comment.
/// @param count  of parameters that there are
[[nodiscard]] std::string renumbered(std::string_view sql, std::size_t before, std::size_t count);

}  // namespace sluice::detail
