#include "lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "auth/utf8.hpp"
#include "transport/printable.hpp"

#include "terminal.hpp"
#include "values.hpp"

namespace sluice::tool {

namespace {

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
/// Non-ASCII characters that look like a space, or are invisible.
bool is_wide_space(char32_t code) noexcept {
  return code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200d) || code == 0x202f || code == 0x205f ||
         code == 0x2060 || code == 0x3000 || code == 0xfeff;
}
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool lexer::at_word(std::string_view word) const noexcept {
  return next_.is == token::kind::word &&
         std::ranges::equal(next_.text, word, [](char a, char b) { return lower(a) == b; });
}
bool lexer::at_symbol(std::string_view symbol) const noexcept {
  return next_.is == token::kind::symbol && next_.text == symbol;
}
bool lexer::take_word(std::string_view word) { return at_word(word) && (step(), true); }
bool lexer::take_symbol(std::string_view symbol) { return at_symbol(symbol) && (step(), true); }

token lexer::take() {
  token taken = std::move(next_);
  step();
  return taken;
}

void lexer::fail_at(std::size_t offset, std::string_view what) const {
  std::string line{text_};
  std::ranges::replace_if(line, is_space, ' ');
  throw usage_error{std::string{what} + '\n' + with_caret("  ", line, offset)};
}

void lexer::step() {
  after_dot_ = next_.is == token::kind::symbol && next_.text == ".";
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  next_ = {token::kind::end, {}, at_};
  if (at_ == text_.size()) return;
  const char c = text_[at_];
  if (c == '\'') return quoted('\'', token::kind::text);
  if (c == '"') return quoted('"', token::kind::name);
  if (is_digit(c) || (c == '-' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number();
  if (is_letter(c)) return word();
  static constexpr std::array<std::string_view, 18> symbols{"==", "!=", "<>", "<=", ">=", "<@", "@>", "@?", "@@",
                                                            "::", "=",  "<",  ">",  "~",  "(",  ")",  ",",  ":"};
  next_.is = token::kind::symbol;
  const auto known =
      std::ranges::find_if(symbols, [&](std::string_view one) { return text_.substr(at_).starts_with(one); });
  if (known == symbols.end() && c != '.')
    fail("unexpected character: names with special characters need double quotes");
  next_.text = known == symbols.end() ? "." : *known;
  at_ += next_.text.size();
}

void lexer::word() {
  next_.is = token::kind::word;
  while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) {
    const proto::utf8_character next = proto::first_character(text_.substr(at_));
    if (!next.is_valid) fail_at(at_, "a byte that is not UTF-8");
    if (is_control(next.code) || is_wide_space(next.code))
      fail_at(at_, "a character that cannot be seen: a name with odd characters stands in double quotes");
    next_.text += text_.substr(at_, next.size);
    at_ += next.size;
  }
}

void lexer::quoted(char quote, token::kind is) {
  next_.is = is;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] == quote) {
      ++at_;
      if (at_ == text_.size() || text_[at_] != quote) return;
    }
    next_.text += text_[at_];
  }
  fail(quote == '"' ? "a double quote that is never closed" : "a quote that is never closed");
}

void lexer::number() {
  next_.is = token::kind::number;
  const auto digits = [&] {
    while (at_ < text_.size() && is_digit(text_[at_])) next_.text += text_[at_++];
  };
  const auto is_followed_by_digit = [&](std::size_t at) { return at < text_.size() && is_digit(text_[at]); };
  if (text_[at_] == '-') next_.text += text_[at_++];
  digits();
  if (!after_dot_) {  // in a path, a number after a dot is an array index
    if (at_ < text_.size() && text_[at_] == '.' && is_followed_by_digit(at_ + 1)) {
      next_.text += text_[at_++];
      digits();
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      const std::size_t sign = at_ + 1 < text_.size() && (text_[at_ + 1] == '-' || text_[at_ + 1] == '+') ? 1 : 0;
      if (is_followed_by_digit(at_ + 1 + sign)) {
        next_.text += text_.substr(at_, 1 + sign);
        at_ += 1 + sign;
        digits();
      }
    }
  }
  if (at_ < text_.size() && is_letter(text_[at_])) fail("a number with letters in it");
}

std::vector<std::string> parse_path(lexer& in) {
  using enum token::kind;
  if (in.next().is != word && in.next().is != name) in.fail("expected the name of a field");
  std::vector<std::string> keys{in.take().text};
  while (in.take_symbol(".")) {
    if (in.next().is != word && in.next().is != name && in.next().is != number)
      in.fail("expected a name after the dot");
    keys.push_back(in.take().text);
  }
  return keys;
}

}  // namespace sluice::tool
