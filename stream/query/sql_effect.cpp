#include "query/sql_effect.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "ascii.hpp"
#include "query/sql_parameters.hpp"

namespace sluice::detail {

namespace {

constexpr std::array<std::string_view, 5> readers{"select", "show", "table", "values", "with"};
constexpr std::array<std::string_view, 5> writers{"delete", "insert", "into", "merge", "update"};

/// For each byte: whether it may be part of a word.
constexpr std::array<bool, 256> word_characters = [] {
  std::array<bool, 256> all{};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto c = static_cast<char>(i);
    all.at(i) =
        c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || i >= 0x80;
  }
  return all;
}();

bool is_word_character(char c) noexcept { return word_characters[static_cast<unsigned char>(c)]; }

/// Skips leading comments, spaces and parentheses.
std::string_view first_word(std::string_view sql) noexcept {
  for (;;) {
    sql.remove_prefix(std::min(sql.find_first_not_of(" \t\n\r\f\v("), sql.size()));
    const std::size_t comment = comment_size(sql);
    if (comment == 0) break;
    sql.remove_prefix(std::min(comment, sql.size()));  // an unclosed comment takes everything
  }
  return sql.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(sql, is_word_character) - sql.begin()));
}

bool has_writer(std::string_view sql) noexcept {
  while (!sql.empty()) {
    const auto begin = std::ranges::find_if(sql, is_word_character);
    const auto end = std::find_if_not(begin, sql.end(), is_word_character);
    const std::string_view word{begin, end};
    const bool may_write = word.size() >= 4 && word.size() <= 6;  // most words of a query need no closer look
    if (may_write &&
        std::ranges::any_of(writers, [&](std::string_view writer) { return is_in_any_case(word, writer); }))
      return true;
    sql = {end, sql.end()};
  }
  return false;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) noexcept {
  return std::ranges::any_of(words, [&](std::string_view each) { return is_in_any_case(word, each); });
}

}  // namespace

enclosing how_to_enclose(std::string_view sql) noexcept {
  const std::string_view first = first_word(sql);
  if (is_one_of(first, {"select", "table", "values"})) return enclosing::as_subquery;
  if (is_in_any_case(first, "with")) return has_writer(sql) ? enclosing::none : enclosing::as_subquery;
  return is_one_of(first, {"insert", "update", "delete", "merge"}) ? enclosing::as_cte : enclosing::none;
}

bool can_be_copied(std::string_view sql) noexcept {
  return is_one_of(first_word(sql), {"select", "table", "values", "with", "insert", "update", "delete", "merge"});
}

query::effect effect_of(std::string_view sql) noexcept {
  const std::string_view first = first_word(sql);
  const bool reads =
      std::ranges::any_of(readers, [&](std::string_view reader) { return is_in_any_case(first, reader); });
  return reads && !has_writer(sql) ? query::effect::by_functions : query::effect::any;
}

}  // namespace sluice::detail
