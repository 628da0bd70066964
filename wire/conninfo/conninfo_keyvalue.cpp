#include <string>

#include "conninfo/conninfo_settings.hpp"

namespace sluice::wire {

namespace {

/// Scans `text`. Past the end it returns a zero byte, which the text does not contain.
class scanner {
 public:
  explicit scanner(std::string_view text) noexcept : text_{text} {}

  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] bool done() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] std::size_t offset() const noexcept { return at_; }
  char take() noexcept { return text_[at_++]; }
  void skip_spaces() noexcept {
    while (is_space(peek())) ++at_;
  }
  std::string_view name() noexcept {
    const std::size_t start = at_;
    while (!done() && peek() != '=' && !is_space(peek())) ++at_;
    return text_.substr(start, at_ - start);
  }

  std::string plain_value() {
    std::string value = room_for_value(text_.size() - at_);
    while (!done() && !is_space(peek())) take_character(value);
    return value;
  }
  std::string quoted_value() {
    const std::size_t opened = at_;
    std::string value = room_for_value(text_.size() - at_);
    take();
    while (!done() && peek() != '\'') take_character(value);
    if (done()) refuse_at(opened, "the single quote that opens here is never closed");
    take();
    return value;
  }

 private:
  /// A backslash stands for the next character; at the end of the text it stands for nothing.
  void take_character(std::string& value) {
    if (peek() == '\\') take();
    if (!done()) value += take();
  }

  std::string_view text_;
  std::size_t at_{};
};

[[noreturn]] void refuse_missing_equals(std::string_view text, std::size_t offset) {
  if (text.find("://") != text.npos)
    refuse_at(offset, "not key=value pairs, and not a URI either: that starts with postgresql:// or postgres://");
  if (text.find('=') == text.npos)
    refuse_at(offset,
              "neither a URI nor key=value pairs; to name only a database, write dbname=NAME or postgresql:///NAME");
  refuse_at(offset, "a parameter without \"=\"; values with spaces need single quotes");
}

}  // namespace

settings parse_keyvalue(std::string_view text) {
  settings given;
  scanner in{text};
  bool may_quote = true;
  for (in.skip_spaces(); !in.done(); in.skip_spaces()) {
    const std::size_t offset = in.offset();
    const std::string_view name = in.name();
    in.skip_spaces();
    if (in.peek() != '=') refuse_missing_equals(text, offset);
    in.take();
    in.skip_spaces();
    const bool quoted = in.peek() == '\'';
    store(given, name, quoted ? in.quoted_value() : in.plain_value(), offset, may_quote);
    const known_key* const key = find_key(name);
    may_quote = key == nullptr || key->what != known_key::kind::sensitive;
  }
  return given;
}

}  // namespace sluice::wire
