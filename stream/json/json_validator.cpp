// Validates in one pass over the bytes in place. A parser would first build a tape and an index: 14 bytes for each byte
// of the document.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <sluice/stream/json.hpp>

#include "ascii.hpp"
#include "json/is_json.hpp"
#include "json/plain_bytes.hpp"

namespace sluice {

using detail::is_digit;
using detail::plain_bytes;

namespace {

/// The place where a document stops being JSON.
struct json_flaw {
  const char* at;
  const char* what;
};

class document_check {
 public:
  document_check(std::string_view text, std::size_t max_depth, std::string& ends) noexcept
      : at_{text.data()}, end_{text.data() + text.size()}, max_depth_{max_depth}, ends_{ends} {}

  /// @par Errors  throws json_flaw
  void run() {
    ends_.clear();
    for (;;) {
      pass_spaces();
      if (opens()) {
        if (!closes()) {
          begin_element();
          continue;
        }
      } else {
        scalar();
      }
      while (!ends_.empty() && closes()) {
      }
      pass_spaces();
      if (ends_.empty()) break;
      if (!take(',')) fail(ends_.back() == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
      begin_element();
    }
    if (at_ != end_) fail("expected the end");
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw json_flaw{at_, what}; }
  bool take(char c) noexcept {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  void pass_spaces() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool opens() {
    if (at_ == end_ || (*at_ != '{' && *at_ != '[')) return false;
    if (ends_.size() + 1 >= max_depth_) fail("nested too deeply");
    ends_.push_back(*at_++ == '{' ? '}' : ']');
    return true;
  }
  bool closes() {
    pass_spaces();
    if (!take(ends_.back())) return false;
    ends_.pop_back();
    return true;
  }
  /// Advances to the element's value.
  void begin_element() {
    if (ends_.back() == ']') return;
    pass_spaces();
    if (at_ == end_ || *at_ != '"') fail("expected a key in double quotes");
    string();
    pass_spaces();
    if (!take(':')) fail("expected ':'");
  }

  void scalar() {
    if (at_ == end_) fail("expected a value");
    switch (*at_) {
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }

  void word(std::string_view expected) {
    if (!std::string_view{at_, end_}.starts_with(expected)) fail("expected a value");
    at_ += expected.size();
  }

  /// RFC 8259, section 6.
  void number() {
    if (*at_ != '-' && !is_digit(*at_)) fail("expected a value");
    (void)take('-');
    if (!take('0')) digits();
    if (take('.')) digits();
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (!take('+')) (void)take('-');
      digits();
    }
  }
  void digits() {
    if (at_ == end_ || !is_digit(*at_)) fail("expected a digit");
    while (at_ != end_ && is_digit(*at_)) ++at_;
  }

  /// Consumes a string, from its opening quote through its closing one.
  void string() {
    ++at_;
    for (;;) {
      if constexpr (std::endian::native == std::endian::little) {
        std::uint64_t eight{};
        while (end_ - at_ >= std::ptrdiff_t{sizeof eight}) {
          std::memcpy(&eight, at_, sizeof eight);
          const std::size_t plain = plain_bytes(eight);
          at_ += plain;
          if (plain != sizeof eight) break;
        }
      }
      while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= ' ') ++at_;
      if (at_ == end_) fail("a string that is never closed");
      if (take('"')) return;
      if (*at_ != '\\') fail("a control character in a string");
      escape();
    }
  }
  void escape() {
    const char* const begin = at_++;
    if (at_ == end_ || std::string_view{"\"\\/bfnrtu"}.find(*at_) == std::string_view::npos) fail("no such escape");
    if (*at_++ != 'u') return;
    const unsigned code = four_hex();
    if (code < 0xd800 || code > 0xdfff) return;
    const bool is_pair = code < 0xdc00 && take('\\') && take('u') && (four_hex() & 0xfc00U) == 0xdc00U;
    if (!is_pair) throw json_flaw{begin, "half of a surrogate pair"};
  }
  unsigned four_hex() {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ == end_ ? '\0' : *at_;
      const char lower = static_cast<char>(c | 0x20);
      if (!is_digit(c) && (lower < 'a' || lower > 'f')) fail("expected four hexadecimal digits");
      code = code << 4U | static_cast<unsigned>(is_digit(c) ? c - '0' : lower - 'a' + 10);
      ++at_;
    }
    return code;
  }

  const char* at_;
  const char* end_;
  std::size_t max_depth_;
  std::string& ends_;
};

}  // namespace

bool detail::is_json(std::string_view text) {
  std::string ends;
  try {
    document_check{text, text.size(), ends}.run();
  } catch (const json_flaw&) {
    return false;
  }
  return simdjson::validate_utf8(text);
}

std::optional<std::string> json_validator::flaw(std::string_view document) {
  if (document.size() > limits_.max_bytes) return "is larger than " + std::to_string(limits_.max_bytes) + " bytes";
  if (!simdjson::validate_utf8(document)) return "is not JSON: it is not UTF-8";
  try {
    document_check{document, limits_.max_depth, ends_}.run();
    return std::nullopt;
  } catch (const json_flaw& found) {
    return "is not JSON: " + std::string{found.what} + " at byte " + std::to_string(found.at - document.data() + 1);
  }
}

void json_validator::check(row document, std::uint64_t number) {
  if (document.is_null()) return;
  const std::optional<std::string> what = flaw(document.text());
  if (!what) return;
  const std::string which = number == 0 ? "the document" : "row " + std::to_string(number);
  throw error{error_info{
      .code = errc::bad_json, .message = which + ' ' + *what, .server = {}, .rows = 0, .connection_usable = true}};
}

}  // namespace sluice
