#include <sluice/stream/query.hpp>

#include <array>
#include <charconv>
#include <utility>

#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

namespace {

[[noreturn]] void refuse(std::string what) { throw error{errc::bad_query, std::move(what)}; }

void check_name(std::string_view name, std::string_view what) {
  if (name.empty()) refuse("an empty " + std::string{what});
  if (name.find('\0') != std::string_view::npos) refuse("a zero byte in a " + std::string{what});
}

/// `schema.table`, `"Odd.Name".table`: parts at dots, quotes taken off. Names are not folded to lower case.
std::vector<std::string> split_name(std::string_view name) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (;;) {
    std::string part;
    if (at < name.size() && name[at] == '"') {
      for (++at;; ++at) {
        if (at >= name.size()) refuse("the relation name has a quote that is never closed: " + std::string{name});
        if (name[at] != '"') {
          part += name[at];
        } else if (at + 1 < name.size() && name[at + 1] == '"') {
          part += name[++at];
        } else {
          break;
        }
      }
      ++at;
      if (at < name.size() && name[at] != '.') refuse("text after a quoted name: " + std::string{name});
    } else {
      const std::size_t end = std::min(name.find('.', at), name.size());
      part = name.substr(at, end - at);
      at = end;
    }
    check_name(part, "part of a relation name");
    parts.push_back(std::move(part));
    if (at >= name.size()) return parts;
    ++at;
  }
}

/// A string literal that means the same whatever standard_conforming_strings says.
std::string quote_literal(std::string_view text) {
  check_name(text, "key of a path");
  const bool escapes = text.find('\\') != std::string_view::npos;
  std::string quoted = escapes ? "E'" : "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted += '\'';
}

/// The field as text, written so that an index on the same expression serves it.
std::string field_text(const std::string& column, const std::vector<std::string>& path) {
  if (path.empty()) refuse("an ORDER BY key without a path");
  std::string sql = quote_identifier(column);
  for (std::size_t i = 0; i < path.size(); ++i) sql += (i + 1 == path.size() ? "->>" : "->") + quote_literal(path[i]);
  return '(' + sql + ')';
}

/// A row whose field is of another type sorts as NULL; it never makes the query fail.
std::string typed(const std::string& field, sort_key::as type) {
  static constexpr std::string_view number = R"('^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*$')";
  switch (type) {
    case sort_key::as::integer:
    case sort_key::as::numeric:
      return "(case when " + field + " ~ " + std::string{number} + " then " + field + "::numeric end)";
    case sort_key::as::boolean: return "(case " + field + " when 'true' then true when 'false' then false end)";
    case sort_key::as::text: break;
  }
  return field;
}

}  // namespace

bind_value::bind_value(bool value) : text_{value ? "true" : "false"}, type_{proto::oid::boolean} {}

bind_value::bind_value(double value) : type_{proto::oid::float8} {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text_.emplace(digits.data(), end.ptr);  // the shortest text that reads back as the same number; also inf and nan
}

std::string quote_identifier(std::string_view name) {
  check_name(name, "name");
  std::string quoted{'"'};
  for (const char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted += '"';
}

relation::relation(std::string_view name) : name_{split_name(name)} {}

relation& relation::column(std::string name) & {
  column_ = std::move(name);
  return *this;
}
relation& relation::order_by(sort_key key) & {
  order_.push_back(std::move(key));
  return *this;
}
relation& relation::limit(std::uint64_t rows) & {
  limit_ = rows;
  return *this;
}
relation& relation::offset(std::uint64_t rows) & {
  offset_ = rows;
  return *this;
}

query relation::build() const {
  std::string text = "select " + quote_identifier(column_) + " from ";
  for (std::size_t i = 0; i < name_.size(); ++i) text += (i == 0 ? "" : ".") + quote_identifier(name_[i]);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const sort_key& key = order_[i];
    text += (i == 0 ? " order by " : ", ") + typed(field_text(column_, key.path), key.type);
    if (key.descending) text += " desc";
    if (key.order == sort_key::nulls::first) text += " nulls first";
    if (key.order == sort_key::nulls::last) text += " nulls last";
  }
  std::vector<bind_value> parameters;
  const auto bound = [&](std::string_view clause, const std::optional<std::uint64_t>& rows) {
    if (!rows) return;
    if (*rows > static_cast<std::uint64_t>(INT64_MAX)) refuse("LIMIT and OFFSET are at most 2^63-1");
    parameters.emplace_back(static_cast<std::int64_t>(*rows));
    text += std::string{clause} + '$' + std::to_string(parameters.size());
  };
  bound(" limit ", limit_);
  bound(" offset ", offset_);
  return {std::move(text), std::move(parameters), query::shape::document};
}

}  // namespace sluice
