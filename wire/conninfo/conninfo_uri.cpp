#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "conninfo/conninfo_settings.hpp"

namespace sluice::wire {

namespace {

constexpr std::array<std::string_view, 2> schemes{"postgresql://", "postgres://"};
constexpr std::string_view stray_at{
    "a stray '@'; in a user name, password, host or database name '@' is written %40, and '/' in a password %2F"};

std::size_t scheme_size(std::string_view text) noexcept {
  for (const std::string_view scheme : schemes)
    if (text.starts_with(scheme)) return scheme.size();
  return 0;
}

std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// A piece of the URI and its position.
struct piece {
  std::string_view text;
  std::size_t offset;
};

/// Percent-decoded. Surrounding spaces are ignored; others must be encoded, as libpq requires since version 18.
std::string decode(piece from) {
  std::size_t begin = 0;
  std::size_t end = from.text.size();
  while (begin < end && from.text[begin] == ' ') ++begin;
  while (end > begin && from.text[end - 1] == ' ') --end;
  std::string decoded = room_for_value(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    const char c = from.text[i];
    if (is_space(c)) refuse_at(from.offset + i, "a space inside of a URI; write it as %20");
    if (c != '%') {
      decoded += c;
      continue;
    }
    const auto high = i + 2 < end ? hex_digit(from.text[i + 1]) : std::nullopt;
    const auto low = i + 2 < end ? hex_digit(from.text[i + 2]) : std::nullopt;
    if (!high || !low)
      refuse_at(from.offset + i, "'%' without two hexadecimal digits after it; '%' itself is written %25");
    if (*high == 0 && *low == 0) refuse_at(from.offset + i, "%00, a zero byte, is not allowed");
    decoded += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return decoded;
}

class uri_parser {
 public:
  explicit uri_parser(std::string_view text) noexcept : text_{text}, at_{scheme_size(text)} {}

  settings parse() {
    user_and_password();
    hosts_and_ports();
    if (peek() == '/') {
      ++at_;
      const piece database = until("?");
      if (const std::size_t stray = database.text.find('@'); stray != database.text.npos)
        refuse_at(database.offset + stray, stray_at);
      keep("dbname", database);
    }
    if (peek() == '?') {
      ++at_;
      while (at_ < text_.size()) query_parameter();
    }
    return std::move(given_);
  }

 private:
  [[nodiscard]] char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  piece until(std::string_view stops) noexcept {
    const std::size_t start = at_;
    at_ = std::min(text_.find_first_of(stops, start), text_.size());
    return {text_.substr(start, at_ - start), start};
  }
  void keep(std::string_view name, piece value) {
    if (!value.text.empty()) store(given_, name, decode(value), value.offset, true);
  }

  void user_and_password() {
    const std::size_t stop = text_.find_first_of("@/", at_);
    if (stop == text_.npos || text_[stop] != '@') return;
    keep("user", until(":@"));
    if (peek() == ':') {
      ++at_;
      keep("password", until("@"));
    }
    ++at_;
  }

  void hosts_and_ports() {
    const std::size_t start = at_;
    std::string hosts;
    std::string ports;
    for (;;) {
      const piece host = peek() == '[' ? bracketed() : until(":/?,");
      if (const std::size_t stray = host.text.find('@'); stray != host.text.npos)
        refuse_at(host.offset + stray, stray_at);
      hosts += decode(host);
      if (peek() == ':') {
        ++at_;
        ports += decode(until("/?,"));
      }
      if (peek() != ',') break;
      ++at_;
      hosts += ',';
      ports += ',';
    }
    if (!hosts.empty()) store(given_, "host", std::move(hosts), start, true);
    if (!ports.empty()) store(given_, "port", std::move(ports), start, true);
  }

  piece bracketed() {
    const std::size_t opened = at_++;
    const piece address = until("]");
    if (at_ == text_.size()) refuse_at(opened, "'[' without \"]\" after it");
    if (address.text.empty()) refuse_at(opened, "an IPv6 address may not be empty");
    ++at_;
    if (peek() != '\0' && std::string_view{":/?,"}.find(peek()) == std::string_view::npos)
      refuse_at(at_, "after an IPv6 address in brackets comes ':', '/', '?', ',' or the end");
    return address;
  }

  void query_parameter() {
    const piece all = until("&");
    if (peek() == '&') ++at_;
    const std::size_t equals = all.text.find('=');
    if (equals == all.text.npos) refuse_at(all.offset, "a query parameter without '='");
    if (const std::size_t second = all.text.find('=', equals + 1); second != all.text.npos)
      refuse_at(all.offset + second, "a second '=' in a query parameter; in values '=' is written %3D");
    std::string name = decode({all.text.substr(0, equals), all.offset});
    std::string value = decode({all.text.substr(equals + 1), all.offset + equals + 1});
    if (name == "ssl" && value == "true") {
      name = "sslmode";
      value = "require";
    }
    // If an '@' follows, this may not be a query at all but a password that contains a '?'.
    store(given_, name, std::move(value), all.offset, text_.find('@', all.offset) == text_.npos);
  }

  std::string_view text_;
  std::size_t at_;
  settings given_;
};

}  // namespace

bool is_uri(std::string_view text) noexcept { return scheme_size(text) != 0; }
settings parse_uri(std::string_view text) { return uri_parser{text}.parse(); }

}  // namespace sluice::wire
