#include "replay_answer.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

namespace sluice::bench {

namespace {

bool is_word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// The names, keywords and numbers of a statement in upper case; everything else, quotes included, separates them.
std::vector<std::string> words_of(std::string_view sql) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : sql) {
    if (is_word_character(c)) {
      if (!inside) words.emplace_back();
      words.back() += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    inside = is_word_character(c);
  }
  return words;
}

template <class Number>
bool take_number(std::string_view& text, Number& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// The shape encoded in a relation's name, such as REPLAY_5000000_120.
row_shape shape_in(const std::vector<std::string>& words, row_shape fallback) {
  constexpr std::string_view prefix{"REPLAY_"};
  for (std::string_view word : words) {
    if (!word.starts_with(prefix)) continue;
    word.remove_prefix(prefix.size());
    row_shape shape;
    if (!take_number(word, shape.rows) || !word.starts_with('_')) continue;
    word.remove_prefix(1);
    if (take_number(word, shape.document_size) && word.empty() && shape.document_size != 1) return shape;
  }
  return fallback;
}

}  // namespace

replay_answer answer_to(std::string_view sql, row_shape fallback) {
  using enum replay_answer::kind;
  const std::vector<std::string> words = words_of(sql);
  if (words.empty()) return {.what = empty};

  const std::string& verb = words.front();
  const row_shape shape = shape_in(words, fallback);
  if (std::ranges::find(words, "CURRENT_SETTING") != words.end()) return {.what = settings};
  if (verb == "SELECT" || verb == "TABLE" || verb == "WITH") return {.what = rows, .shape = shape};
  if (verb == "COPY")
    return {.what = std::find(words.begin(), words.end(), "BINARY") == words.end() ? copy_text : copy_binary,
            .shape = shape};
  if (verb == "DECLARE" && words.size() > 1) return {.what = declare, .shape = shape, .cursor = words[1]};
  if (verb == "FETCH") {
    replay_answer answer{.what = fetch, .cursor = words.back()};
    for (std::string_view word : words)
      if (take_number(word, answer.count)) break;
    return answer;
  }
  if (verb == "BEGIN" || verb == "START") return {.tag = "BEGIN", .transaction_status = 'T'};
  if (verb == "COMMIT" || verb == "END") return {.tag = "COMMIT", .transaction_status = 'I'};
  if (verb == "ROLLBACK" || verb == "ABORT") return {.tag = "ROLLBACK", .transaction_status = 'I'};
  return {.tag = verb};
}

}  // namespace sluice::bench
