// Arrays and composites in text, as the server's array_out and record_out write them.
#include <algorithm>
#include <string_view>

#include "ascii.hpp"
#include "json/is_json.hpp"
#include "json/nested_json.hpp"
#include "json/value_writers.hpp"

namespace sluice::detail {

namespace {

/// The text of a value that is made of parts, from its begin to its end.
class text_reader {
 public:
  explicit text_reader(std::span<const std::byte> value) noexcept
      : rest_{reinterpret_cast<const char*>(value.data()), value.size()} {}

  [[nodiscard]] bool is_at(char c) const noexcept { return rest_.starts_with(c); }
  [[nodiscard]] bool is_at_end() const noexcept { return rest_.empty(); }
  bool skip(char c) noexcept {
    if (!is_at(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// What comes before the first of these characters, or all that is left.
  std::string_view until(std::string_view ends) noexcept {
    const std::string_view found = rest_.substr(0, rest_.find_first_of(ends));
    rest_.remove_prefix(found.size());
    return found;
  }
  /// What stands in quotes. In it, a character after a backslash stands for itself, and two quotes for one.
  /// @return false when the last quote is missing
  bool quoted(text_buffer& into) {
    into.clear();
    rest_.remove_prefix(1);
    for (;;) {
      into.add(until("\"\\"));
      if (rest_.size() >= 2 && (is_at('\\') || rest_[1] == '"')) {
        into.add(rest_[1]);
        rest_.remove_prefix(2);
      } else {
        return skip('"');
      }
    }
  }

 private:
  std::string_view rest_;
};

std::span<const std::byte> as_value(std::string_view text) noexcept { return std::as_bytes(std::span{text}); }

/// A number as the server writes it.
bool is_number(std::string_view text) noexcept {
  const auto skip_digits = [&text] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count != 0;
  };
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.size() > 1 && text[0] == '0' && is_digit(text[1])) return false;
  if (!skip_digits()) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!skip_digits()) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!skip_digits()) return false;
  }
  return text.empty();
}

/// The parts have the types that the catalog named when it was asked. Should they have others now, a text must not pass
/// for JSON.
bool write_part(text_buffer& to, value_plan& part, std::string_view text) {
  if (part.leaf == write_as_it_is && !is_json(text)) return false;
  if (part.leaf == write_number_text && !is_number(text)) return false;
  return part.write(to, as_value(text));
}

class text_array {
 public:
  text_array(text_buffer& to, std::span<const std::byte> value, value_plan& plan) noexcept
      : to_{to}, in_{value}, plan_{plan}, ends_{plan.delimiter, '}'} {}

  bool write() {
    if (in_.is_at('[')) {  // the bounds of its dimensions, where they do not begin with 1: "[0:1]={a,b}"
      (void)in_.until("=");
      (void)in_.skip('=');
    }
    return write_dimension(1) && in_.is_at_end();
  }

 private:
  bool write_dimension(std::size_t level) {
    if (level > most_dimensions || !in_.skip('{')) return false;
    to_.add('[');
    if (!in_.is_at('}')) {
      do {
        if (!(in_.is_at('{') ? write_dimension(level + 1) : write_element())) return false;
      } while (in_.skip(plan_.delimiter) && (to_.add(','), true));
    }
    to_.add(']');
    return in_.skip('}');
  }
  bool write_element() {
    value_plan& element = plan_.parts.front();
    if (in_.is_at('"')) return in_.quoted(plan_.unescaped) && write_part(to_, element, plan_.unescaped.text());
    const std::string_view text = in_.until({ends_, 2});
    if (text == "NULL") return to_.add("null"), true;
    return !text.empty() && write_part(to_, element, text);
  }

  text_buffer& to_;
  text_reader in_;
  value_plan& plan_;
  char ends_[2];  // of an element
};

}  // namespace

bool write_text_array(text_buffer& to, std::span<const std::byte> value, value_plan& plan) {
  return text_array{to, value, plan}.write();
}

bool write_text_vector(text_buffer& to, std::span<const std::byte> value, value_plan& plan) {
  text_reader in{value};
  to.add('[');
  if (!in.is_at_end()) {
    do {
      if (!write_part(to, plan.parts.front(), in.until(" "))) return false;
    } while (in.skip(' ') && (to.add(','), true));
  }
  to.add(']');
  return true;
}

bool write_text_composite(text_buffer& to, std::span<const std::byte> value, value_plan& plan) {
  text_reader in{value};
  if (!in.skip('(')) return false;
  if (plan.parts.empty()) to.add('{');
  for (value_plan& each : plan.parts) {
    if (&each != &plan.parts.front() && !in.skip(',')) return false;
    each.key.write(to);
    if (in.is_at('"')) {
      if (!in.quoted(plan.unescaped) || !write_part(to, each, plan.unescaped.text())) return false;
    } else if (const std::string_view text = in.until(",)"); text.empty()) {
      to.add("null");
    } else if (!write_part(to, each, text)) {
      return false;
    }
  }
  to.add('}');
  return in.skip(')') && in.is_at_end();
}

}  // namespace sluice::detail
