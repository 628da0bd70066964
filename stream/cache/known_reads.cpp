#include "cache/known_reads.hpp"

#include <algorithm>
#include <array>

namespace sluice::detail {

namespace {

/// What may stand before a parenthesis: keywords, types, and functions of pg_catalog that only compute. Sorted.
constexpr std::array<std::string_view, 105> harmless{"abs",
                                                     "all",
                                                     "and",
                                                     "any",
                                                     "array",
                                                     "array_agg",
                                                     "array_length",
                                                     "array_to_json",
                                                     "as",
                                                     "avg",
                                                     "between",
                                                     "bit",
                                                     "bool_and",
                                                     "bool_or",
                                                     "btrim",
                                                     "by",
                                                     "case",
                                                     "cast",
                                                     "ceil",
                                                     "char",
                                                     "coalesce",
                                                     "concat",
                                                     "concat_ws",
                                                     "count",
                                                     "cube",
                                                     "date_part",
                                                     "date_trunc",
                                                     "decimal",
                                                     "dense_rank",
                                                     "distinct",
                                                     "else",
                                                     "except",
                                                     "exists",
                                                     "extract",
                                                     "filter",
                                                     "float",
                                                     "floor",
                                                     "from",
                                                     "generate_series",
                                                     "greatest",
                                                     "having",
                                                     "in",
                                                     "intersect",
                                                     "is",
                                                     "join",
                                                     "json_agg",
                                                     "json_array_length",
                                                     "json_build_array",
                                                     "json_build_object",
                                                     "json_object_agg",
                                                     "jsonb_agg",
                                                     "jsonb_array_elements",
                                                     "jsonb_array_elements_text",
                                                     "jsonb_array_length",
                                                     "jsonb_build_array",
                                                     "jsonb_build_object",
                                                     "jsonb_each",
                                                     "jsonb_each_text",
                                                     "jsonb_object_agg",
                                                     "jsonb_object_keys",
                                                     "jsonb_path_exists",
                                                     "jsonb_path_query",
                                                     "jsonb_strip_nulls",
                                                     "jsonb_typeof",
                                                     "lag",
                                                     "lateral",
                                                     "lead",
                                                     "least",
                                                     "left",
                                                     "length",
                                                     "like",
                                                     "limit",
                                                     "lower",
                                                     "max",
                                                     "min",
                                                     "not",
                                                     "nullif",
                                                     "numeric",
                                                     "offset",
                                                     "on",
                                                     "or",
                                                     "over",
                                                     "rank",
                                                     "replace",
                                                     "right",
                                                     "round",
                                                     "row",
                                                     "row_number",
                                                     "row_to_json",
                                                     "select",
                                                     "some",
                                                     "string_agg",
                                                     "substr",
                                                     "substring",
                                                     "sum",
                                                     "then",
                                                     "to_char",
                                                     "to_json",
                                                     "to_jsonb",
                                                     "trim",
                                                     "union",
                                                     "upper",
                                                     "values",
                                                     "varchar",
                                                     "where"};
static_assert(std::ranges::is_sorted(harmless));

constexpr std::size_t longest_word = 63;

bool is_space(char c) noexcept { return std::string_view{" \t\n\r\f\v"}.find(c) != std::string_view::npos; }
bool is_word_character(char c) noexcept {
  return c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_same(std::string_view word, std::string_view lower) noexcept {
  return std::ranges::equal(word, lower, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

/// @param before  the SQL up to a parenthesis
bool may_precede_parenthesis(std::string_view before) noexcept {
  while (!before.empty() && is_space(before.back())) before.remove_suffix(1);
  if (before.empty()) return true;
  if (before.back() == '"') return false;   // a function whose name is quoted, or a list of columns
  if (before.back() == '\'') return false;  // such a name with its escape character: U&"..." UESCAPE '!'
  std::size_t size = 0;
  while (size < before.size() && is_word_character(before[before.size() - size - 1])) ++size;
  if (size == 0) return true;
  if (size > longest_word) return false;
  const std::string_view word = before.substr(before.size() - size);
  before.remove_suffix(size);
  while (!before.empty() && is_space(before.back())) before.remove_suffix(1);
  if (!before.empty() && before.back() == '.') return false;  // of a schema that may be anybody's
  return std::ranges::any_of(harmless, [&](std::string_view each) { return is_same(word, each); });
}

bool has_word(std::string_view sql, std::string_view lower) noexcept {
  for (std::size_t at = 0; at + lower.size() <= sql.size(); ++at) {
    const bool begins = at == 0 || !is_word_character(sql[at - 1]);
    const std::size_t end = at + lower.size();
    const bool ends = end == sql.size() || !is_word_character(sql[end]);
    if (begins && ends && is_same(sql.substr(at, lower.size()), lower)) return true;
  }
  return false;
}

}  // namespace

bool calls_only_known_functions(std::string_view sql) noexcept {
  if (sql.find("--") != std::string_view::npos || sql.find("/*") != std::string_view::npos) return false;
  if (has_word(sql, "share") || has_word(sql, "show")) return false;  // FOR SHARE locks, SHOW reads the session
  for (std::size_t at = sql.find('('); at != std::string_view::npos; at = sql.find('(', at + 1))
    if (!may_precede_parenthesis(sql.substr(0, at))) return false;
  return true;
}

bool is_known_read(const query& what, bool is_declared) {
  switch (what.effects()) {
    case query::effect::none: return true;
    case query::effect::by_functions: return is_declared || calls_only_known_functions(what.text());
    case query::effect::any: break;
  }
  return false;
}

}  // namespace sluice::detail
