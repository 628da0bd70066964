#pragma once
// Splits the values of --where, --select, --order-by and --split into words, names, values and symbols.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tool {

struct token {
  enum class kind : std::uint8_t { word, name, text, number, symbol, end };
  kind is{kind::end};
  std::string text{};     // unquoted; a symbol as written
  std::size_t offset{0};  // in bytes, of its beginning
};

class lexer {
 public:
  explicit lexer(std::string_view text) : text_{text} { step(); }

  [[nodiscard]] const token& next() const noexcept { return next_; }
  token take();
  // A keyword or an operator's name, case-insensitive.
  [[nodiscard]] bool at_word(std::string_view word) const noexcept;
  [[nodiscard]] bool at_symbol(std::string_view symbol) const noexcept;
  bool take_word(std::string_view word);
  bool take_symbol(std::string_view symbol);

  // Throws usage_error that shows the place.
  [[noreturn]] void fail(std::string_view what) const { fail_at(next_.offset, what); }
  [[noreturn]] void fail_at(std::size_t offset, std::string_view what) const;

 private:
  void step();
  void word();
  void quoted(char quote, token::kind is);
  void number();

  std::string_view text_;
  std::size_t at_{0};
  token next_{};
  bool after_dot_{false};
};

// The keys of a path, `profile.age` or `"a.b".c`: words, or anything in double quotes; after a dot, also numbers.
// Throws usage_error, as all of these do.
std::vector<std::string> parse_path(lexer& in);

}  // namespace sluice::tool
