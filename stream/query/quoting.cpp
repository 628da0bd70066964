#include "query/quoting.hpp"

#include <algorithm>
#include <utility>

#include <simdjson.h>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>
#include "query/bad_query.hpp"
#include "query/sql_parameters.hpp"

namespace sluice {

namespace {

/// Appends the text with each quote and each `other` character doubled.
void append_doubled(std::string& to, std::string_view text, char quote, char other) {
  for (;;) {
    const auto next = std::ranges::find_if(text, [=](char c) { return c == quote || c == other; });
    const auto size = static_cast<std::size_t>(next - text.begin());
    to.append(text, 0, size);
    if (size == text.size()) return;
    to.append(2, *next);
    text.remove_prefix(size + 1);
  }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  detail::check_name(name, "name");
  std::string quoted{'"'};
  append_doubled(quoted, name, '"', '"');
  return quoted += '"';
}

namespace detail {

bool is_index(std::string_view part) noexcept {
  return part.size() < 10 && part.find_first_not_of("0123456789") == part.npos;
}

namespace {

/// Whether `#>` would take this key for a number, because it has a sign or leading spaces.
bool looks_like_an_index(std::string_view part) noexcept {
  return !is_index(part) && part.find_first_not_of(" \t\n\v\f\r+-0123456789") == part.npos &&
         part.find_first_of("0123456789") != part.npos;
}

/// A path that contains a number may index array elements, which only `#>` supports.
std::string path_expression(const std::string& documents, std::span<const std::string> path, bool as_text) {
  if (path.empty()) return as_text ? '(' + documents + infix("#>>") + "'{}')" : documents;
  const bool counts = std::any_of(path.begin(), path.end(), is_index);
  const auto key = counts ? std::find_if(path.begin(), path.end(), looks_like_an_index) : path.end();
  if (key != path.end()) {
    const auto place = static_cast<std::size_t>(key - path.begin());
    const bool is_last = place + 1 == path.size();
    const std::string before = path_expression(documents, path.first(place), false);
    const std::string at_key = '(' + before + infix(as_text && is_last ? "->>" : "->") + quote_literal(*key) + ')';
    return is_last ? at_key : path_expression(at_key, path.subspan(place + 1), as_text);
  }
  std::string sql;
  constexpr std::size_t of_an_operator = 40;
  std::size_t room = documents.size() + of_an_operator;
  for (const std::string& part : path) room += part.size() + of_an_operator;
  sql.reserve(room);
  sql.append(1, '(').append(documents);
  if (counts) {
    sql += infix(as_text ? "#>>" : "#>") + "array[";
    for (const std::string& part : path) sql += (&part == path.data() ? "" : ",") + quote_literal(part);
    return sql + "])";
  }
  for (const std::string& part : path) {
    append_infix(sql, as_text && &part == &path.back() ? "->>" : "->");
    append_literal(sql, part);
  }
  return sql += ')';
}

}  // namespace

void check_text(std::string_view text, std::string_view what) {
  if (text.find('\0') != text.npos) refuse("a zero byte in a " + std::string{what});
  if (!simdjson::validate_utf8(text)) refuse("a " + std::string{what} + " that is not UTF-8");
}

void check_name(std::string_view name, std::string_view what) {
  if (name.empty()) refuse("an empty " + std::string{what});
  check_text(name, what);
}

std::vector<std::string> split_path(std::string_view path, std::string_view what) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (;;) {
    std::string part;
    if (at < path.size() && path[at] == '"') {
      for (++at;; ++at) {
        if (at >= path.size()) refuse("the " + std::string{what} + " has a quote that is never closed");
        if (path[at] != '"') {
          part += path[at];
        } else if (at + 1 < path.size() && path[at + 1] == '"') {
          part += path[++at];
        } else {
          break;
        }
      }
      ++at;
      if (at < path.size() && path[at] != '.') refuse("the " + std::string{what} + " has text after a quoted part");
    } else {
      const std::size_t end = std::min(path.find('.', at), path.size());
      part = path.substr(at, end - at);
      at = end;
      if (part.empty()) refuse("an empty part of a " + std::string{what});
    }
    check_text(part, "part of a " + std::string{what});
    parts.push_back(std::move(part));
    if (at >= path.size()) return parts;
    ++at;
  }
}

std::string infix(std::string_view symbol, std::string_view schema) {
  std::string text;
  append_infix(text, symbol, schema);
  return text;
}

void append_infix(std::string& to, std::string_view symbol, std::string_view schema) {
  if (schema == "pg_catalog")
    to.append(" operator(pg_catalog.");
  else
    to.append(" operator(").append(schema).append(1, '.');
  to.append(symbol).append(") ");
}

std::string quote_literal(std::string_view text) {
  std::string quoted;
  append_literal(quoted, text);
  return quoted;
}

void append_literal(std::string& to, std::string_view text) {
  check_text(text, "literal");
  const bool escapes = text.find('\\') != std::string_view::npos;
  to.append(escapes ? "E'" : "'");
  append_doubled(to, text, '\'', '\\');
  to += '\'';
}

std::string json_at(const std::string& documents, std::span<const std::string> path) {
  return path_expression(documents, path, false);
}
std::string text_at(const std::string& documents, std::span<const std::string> path) {
  return path_expression(documents, path, true);
}

std::string renumbered(std::string_view sql, std::size_t before, std::size_t count) {
  return detail::with_parameters(sql, count, detail::backslashes::unknown,
                                 [before](std::size_t number) { return '$' + std::to_string(before + number); });
}

}  // namespace detail

}  // namespace sluice
