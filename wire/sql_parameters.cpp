#include <sluice/wire/sql_parameters.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include <sluice/wire/error.hpp>

namespace sluice::wire {

namespace {

[[noreturn]] void refuse(std::string what) { throw error{errc::bad_query, std::move(what)}; }

bool is_name_character(char c) noexcept {
  return c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Walks over SQL as the server's lexer does, as far as parameters need it.
class sql_scanner {
 public:
  sql_scanner(std::string_view sql, std::size_t count, const std::function<std::string(std::size_t)>& words)
      : sql_{sql}, count_{count}, words_{words} {}

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
      out_ += words_(number);
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
  std::size_t count_;
  const std::function<std::string(std::size_t)>& words_;
  std::size_t at_{0};
  std::string out_;
};

}  // namespace

std::string with_parameters(std::string_view sql, std::size_t count,
                            const std::function<std::string(std::size_t)>& words) {
  if (sql.find('\0') != sql.npos) refuse("a zero byte in SQL");
  return sql_scanner{sql, count, words}.run();
}

}  // namespace sluice::wire
