#include "quoting.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <simdjson.h>

#include <sluice/stream/query.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

std::string quote_identifier(std::string_view name) {
  detail::check_name(name, "name");
  std::string quoted{'"'};
  for (const char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted += '"';
}

namespace detail {

namespace {

[[noreturn]] void refuse(std::string what) { throw error{errc::bad_query, std::move(what)}; }

bool is_index(std::string_view part) noexcept {
  return part.size() < 10 && part.find_first_not_of("0123456789") == part.npos;
}

/// A path with a number in it may count array elements, which only `#>` does.
std::string path_expression(const std::string& documents, std::span<const std::string> path, bool as_text) {
  if (path.empty()) return as_text ? '(' + documents + " #>> '{}')" : documents;
  std::string sql = '(' + documents;
  if (std::any_of(path.begin(), path.end(), is_index)) {
    sql += as_text ? " #>> array[" : " #> array[";
    for (const std::string& part : path) sql += (&part == path.data() ? "" : ",") + quote_literal(part);
    return sql + "])";
  }
  for (const std::string& part : path) sql += (as_text && &part == &path.back() ? "->>" : "->") + quote_literal(part);
  return sql + ')';
}

bool is_name_character(char c) noexcept {
  return c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Walks over SQL as the server's lexer does, as far as parameters need it.
class sql_scanner {
 public:
  sql_scanner(std::string_view sql, std::size_t before, std::size_t count)
      : sql_{sql}, before_{before}, count_{count} {}

  std::string run() {
    while (at_ < sql_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    const char c = sql_[at_];
    if (c == '\'') return quoted('\'', is_escape_string());
    if (c == '"') return quoted('"', false);
    if (sql_.substr(at_, 2) == "--") return copy_to(std::min(sql_.find('\n', at_), sql_.size()));
    if (sql_.substr(at_, 2) == "/*") return comment();
    if (c == '$' && (at_ == 0 || !is_name_character(sql_[at_ - 1]))) return dollar();
    copy_to(at_ + 1);
  }

  void copy_to(std::size_t end) {
    out_ += sql_.substr(at_, end - at_);
    at_ = end;
  }

  [[nodiscard]] bool is_escape_string() const noexcept {
    return at_ > 0 && (sql_[at_ - 1] == 'e' || sql_[at_ - 1] == 'E') && (at_ == 1 || !is_name_character(sql_[at_ - 2]));
  }

  void quoted(char quote, bool escapes) {
    for (std::size_t i = at_ + 1; i < sql_.size(); ++i) {
      if (escapes && sql_[i] == '\\')
        ++i;
      else if (sql_[i] == quote)
        return copy_to(i + 1);  // a doubled quote opens again at once
    }
    refuse("SQL with a quote that is never closed");
  }

  void comment() {
    int depth = 0;
    for (std::size_t i = at_; i + 1 < sql_.size(); ++i) {
      if (sql_.substr(i, 2) == "/*") {
        ++depth;
        ++i;
      } else if (sql_.substr(i, 2) == "*/") {
        ++i;
        if (--depth == 0) return copy_to(i + 1);
      }
    }
    refuse("SQL with a comment that is never closed");
  }

  void dollar() {
    std::size_t number = 0;
    const char* const first = sql_.data() + at_ + 1;
    const auto [end, failed] = std::from_chars(first, sql_.data() + sql_.size(), number);
    if (failed == std::errc{}) {
      if (number == 0 || number > count_) refuse("SQL with $" + std::to_string(number) + ", which has no value");
      out_ += '$' + std::to_string(before_ + number);
      at_ = static_cast<std::size_t>(end - sql_.data());
      return;
    }
    const std::size_t close = sql_.find('$', at_ + 1);
    const std::string_view tag = close == sql_.npos ? std::string_view{} : sql_.substr(at_, close + 1 - at_);
    const bool is_tag = close != sql_.npos && std::all_of(tag.begin() + 1, tag.end() - 1, is_name_character);
    if (!is_tag) return copy_to(at_ + 1);
    const std::size_t closing = sql_.find(tag, close + 1);
    if (closing == sql_.npos) refuse("SQL with a dollar quote that is never closed");
    copy_to(closing + tag.size());
  }

  std::string_view sql_;
  std::size_t before_;
  std::size_t count_;
  std::size_t at_{0};
  std::string out_;
};

}  // namespace

void check_name(std::string_view name, std::string_view what) {
  if (name.empty()) refuse("an empty " + std::string{what});
  if (name.find('\0') != name.npos) refuse("a zero byte in a " + std::string{what});
  if (!simdjson::validate_utf8(name)) refuse("a " + std::string{what} + " that is not UTF-8");
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
    }
    check_name(part, "part of a " + std::string{what});
    parts.push_back(std::move(part));
    if (at >= path.size()) return parts;
    ++at;
  }
}

std::string quote_literal(std::string_view text) {
  check_name(text, "literal");
  const bool escapes = text.find('\\') != std::string_view::npos;
  std::string quoted = escapes ? "E'" : "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted += '\'';
}

std::string json_at(const std::string& documents, std::span<const std::string> path) {
  return path_expression(documents, path, false);
}
std::string text_at(const std::string& documents, std::span<const std::string> path) {
  return path_expression(documents, path, true);
}

std::string renumbered(std::string_view sql, std::size_t before, std::size_t count) {
  if (sql.find('\0') != sql.npos) refuse("a zero byte in SQL");
  return sql_scanner{sql, before, count}.run();
}

}  // namespace detail

}  // namespace sluice
