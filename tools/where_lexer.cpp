#include "where_lexer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "values.hpp"

namespace sluice::tool {

namespace {

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool where_lexer::at_word(std::string_view word) const noexcept {
  return next_.is == token::kind::word &&
         std::ranges::equal(next_.text, word, [](char a, char b) { return lower(a) == b; });
}
bool where_lexer::at_symbol(std::string_view symbol) const noexcept {
  return next_.is == token::kind::symbol && next_.text == symbol;
}
bool where_lexer::take_word(std::string_view word) { return at_word(word) && (step(), true); }
bool where_lexer::take_symbol(std::string_view symbol) { return at_symbol(symbol) && (step(), true); }

token where_lexer::take() {
  token taken = std::move(next_);
  step();
  return taken;
}

void where_lexer::fail_at(std::size_t offset, std::string_view what) const {
  std::string line{text_};
  std::ranges::replace_if(line, is_space, ' ');
  const auto characters = std::ranges::count_if(
      line.substr(0, offset), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
  throw usage_error{"--where: " + std::string{what} + "\n  " + line + "\n  " +
                    std::string(static_cast<std::size_t>(characters), ' ') + '^'};
}

void where_lexer::step() {
  after_dot_ = next_.is == token::kind::symbol && next_.text == ".";
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  next_ = {token::kind::end, {}, at_};
  if (at_ == text_.size()) return;
  const char c = text_[at_];
  if (c == '\'') return quoted('\'', token::kind::text);
  if (c == '"') return quoted('"', token::kind::name);
  if (is_digit(c) || (c == '-' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number();
  if (is_letter(c)) {
    next_.is = token::kind::word;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) next_.text += text_[at_++];
    return;
  }
  static constexpr std::array<std::string_view, 17> symbols{"==", "!=", "<>", "<=", ">=", "<@", "@>", "@?", "@@",
                                                            "::", "=",  "<",  ">",  "~",  "(",  ")",  ","};
  next_.is = token::kind::symbol;
  const auto known =
      std::ranges::find_if(symbols, [&](std::string_view one) { return text_.substr(at_).starts_with(one); });
  if (known == symbols.end() && c != '.') fail("no such character here");
  next_.text = known == symbols.end() ? "." : *known;
  at_ += next_.text.size();
}

void where_lexer::quoted(char quote, token::kind is) {
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

void where_lexer::number() {
  next_.is = token::kind::number;
  const auto digits = [&] {
    while (at_ < text_.size() && is_digit(text_[at_])) next_.text += text_[at_++];
  };
  const auto is_followed_by_digit = [&](std::size_t at) { return at < text_.size() && is_digit(text_[at]); };
  if (text_[at_] == '-') next_.text += text_[at_++];
  digits();
  if (!after_dot_) {  // in a path, what follows a dot counts elements
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

}  // namespace sluice::tool
