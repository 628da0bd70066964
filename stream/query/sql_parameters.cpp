#include "query/sql_parameters.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <sluice/wire/error.hpp>

#include "ascii.hpp"
#include "query/bad_query.hpp"

namespace sluice::detail {

namespace {

bool is_name_start(char c) noexcept {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_character(char c) noexcept { return is_name_start(c) || is_digit(c) || c == '$'; }
bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\f' || c == '\v'; }
bool is_line_end(char c) noexcept { return c == '\n' || c == '\r'; }

/// Walks over SQL token by token, with the same token boundaries as the server's lexer. Refuses text that the lexers of
/// different releases or settings tokenize differently.
/// @see src/backend/parser/scan.l in the sources of PostgreSQL
class sql_scanner {
 public:
  sql_scanner(std::string_view sql, std::size_t count, backslashes plain,
              const std::function<std::string(std::size_t)>& words)
      : sql_{sql}, count_{count}, plain_{plain}, words_{words} {}

  std::string run() {
    while (at_ < sql_.size()) step();
    return std::move(out_);
  }
  /// The size of the SQL up to its last token but for semicolons.
  std::size_t size_without_end() {
    std::size_t size = 0;
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      const bool is_nothing = c == ';' || is_blank(c) || is_line_end(c) || comment_size(sql_.substr(at_)) != 0;
      step();
      if (!is_nothing) size = at_;
    }
    return size;
  }

 private:
  enum class literal : std::uint8_t { plain, escapes, unicode, bits };

  void step() {
    const char c = sql_[at_];
    if (is_name_start(c)) return word();
    if (is_digit(c)) return number();
    if (c == '\'') return quoted(literal::plain);
    if (c == '"') return quoted_name();
    if (c == '$') return dollar();
    const std::size_t comment = comment_size(sql_.substr(at_));
    if (comment == sql_.npos) refuse("SQL with a comment that is never closed");
    copy_to(at_ + std::max(comment, std::size_t{1}));
  }

  [[nodiscard]] bool starts(std::string_view with) const noexcept { return sql_.substr(at_).starts_with(with); }

  void copy_to(std::size_t end) {
    out_ += sql_.substr(at_, end - at_);
    at_ = end;
  }

  /// A name or a keyword, or the prefix letter of a literal.
  void word() {
    const auto* const end = std::find_if_not(sql_.begin() + at_, sql_.end(), is_name_character);
    const std::string_view word = sql_.substr(at_, static_cast<std::size_t>(end - sql_.begin()) - at_);
    const char letter = word.size() == 1 ? static_cast<char>(word.front() | 0x20) : '\0';
    copy_to(at_ + word.size());
    if (letter == 'u' && starts("&'")) {
      copy_to(at_ + 1);
      quoted(literal::unicode);
    } else if (starts("'")) {
      quoted(letter == 'e' ? literal::escapes : letter == 'b' || letter == 'x' ? literal::bits : literal::plain);
    }
  }

  /// What may directly follow a number depends on the release: before 15, `1e'x'` was the number 1 and an escape
  /// string.
  void number() {
    const auto* const end = std::find_if_not(sql_.begin() + at_, sql_.end(),
                                             [](char c) { return c == '.' || (c != '$' && is_name_character(c)); });
    copy_to(static_cast<std::size_t>(end - sql_.begin()));
    if (starts("$") || starts("'") || starts("&'"))
      refuse("SQL with a number and " + std::string{starts("$") ? "a $" : "a literal"} +
             " that nothing keeps apart: put a blank between them");
  }

  void quoted(literal kind) {
    std::size_t i = at_ + 1;
    std::size_t backslashes_before = 0;
    while (i < sql_.size()) {
      if (sql_[i] == '\\') {
        ++backslashes_before;
        i += kind == literal::escapes ? 2 : 1;
        continue;
      }
      const bool is_escaped_by_setting = backslashes_before % 2 != 0 && kind == literal::plain;
      backslashes_before = 0;
      if (sql_[i++] != '\'') continue;
      if (is_escaped_by_setting && plain_ == backslashes::unknown)
        refuse(
            "SQL with a backslash before a quote, which standard_conforming_strings gives two meanings: write E'...'");
      if (kind != literal::bits && i < sql_.size() && sql_[i] == '\'') {
        ++i;
        continue;
      }
      const std::size_t next = continuation(i);
      if (next == sql_.npos) return copy_to(i);
      i = next;
    }
    refuse("SQL with a quote that is never closed");
  }

  /// A literal continues, as the same kind, if another quote follows after a line break; comments may come between.
  /// @return the position after that quote
  [[nodiscard]] std::size_t continuation(std::size_t i) const noexcept {
    bool is_on_another_line = false;
    while (i < sql_.size()) {
      if (is_line_end(sql_[i]))
        is_on_another_line = true;
      else if (sql_.substr(i).starts_with("--"))
        i += comment_size(sql_.substr(i)) - 1;
      else if (!is_blank(sql_[i]))
        break;
      ++i;
    }
    return is_on_another_line && i < sql_.size() && sql_[i] == '\'' ? i + 1 : sql_.npos;
  }

  void quoted_name() {
    const std::size_t end = sql_.find('"', at_ + 1);
    if (end == sql_.npos) refuse("SQL with a quote that is never closed");
    copy_to(end + 1);  // a doubled quote reopens the name at once
  }

  void dollar() {
    const std::size_t first = at_ + 1;
    const auto past = [&](std::size_t from, bool (*is_of_it)(char) noexcept) {
      while (from < sql_.size() && is_of_it(sql_[from])) ++from;
      return from;
    };
    if (const std::size_t end = past(first, is_digit); end != first) {
      std::size_t number = 0;
      const auto read = std::from_chars(sql_.data() + first, sql_.data() + end, number);
      if (read.ec != std::errc{} || number == 0 || number > count_)
        refuse("SQL with " + std::string{sql_.substr(at_, end - at_)} + ", which has no value");
      out_ += words_(number);
      at_ = end;
      return;
    }
    std::size_t end = first;
    if (end < sql_.size() && is_name_start(sql_[end]))
      end = past(end, [](char c) noexcept { return c != '$' && is_name_character(c); });
    if (end == sql_.size() || sql_[end] != '$') return copy_to(first);
    const std::string_view tag = sql_.substr(at_, end + 1 - at_);
    const std::size_t closing = sql_.find(tag, end + 1);
    if (closing == sql_.npos) refuse("SQL with a dollar quote that is never closed");
    copy_to(closing + tag.size());
  }

  std::string_view sql_;
  std::size_t count_;
  backslashes plain_;
  const std::function<std::string(std::size_t)>& words_;
  std::size_t at_{0};
  std::string out_;
};

}  // namespace

std::size_t comment_size(std::string_view sql) noexcept {
  if (sql.starts_with("--")) return std::min(sql.find_first_of("\r\n"), sql.size());
  if (!sql.starts_with("/*")) return 0;
  std::size_t depth = 1;
  std::size_t at = 2;
  while (depth != 0 && at + 1 < sql.size()) {
    const std::string_view two = sql.substr(at, 2);
    if (two == "/*") ++depth;
    if (two == "*/") --depth;
    at += two == "/*" || two == "*/" ? 2U : 1U;
  }
  return depth == 0 ? at : sql.npos;
}

std::string_view without_end(std::string_view sql) {
  const std::size_t last = sql.find_last_not_of("; \n\r\t\f\v");
  const std::string_view usual = sql.substr(0, last + 1);
  const bool has_more = usual.find(';') != usual.npos && (usual.find("--") != usual.npos || usual.ends_with("*/"));
  if (!has_more) return usual;
  try {
    constexpr std::size_t most = 65'535;
    const std::function<std::string(std::size_t)> none = [](std::size_t /*number*/) { return std::string{}; };
    return usual.substr(0, sql_scanner{usual, most, backslashes::unknown, none}.size_without_end());
  } catch (const error&) {
    return usual;
  }
}

std::string with_parameters(std::string_view sql, std::size_t count, backslashes plain,
                            const std::function<std::string(std::size_t)>& words) {
  if (sql.find('\0') != sql.npos) refuse("a zero byte in SQL");
  return sql_scanner{sql, count, plain, words}.run();
}

}  // namespace sluice::detail
