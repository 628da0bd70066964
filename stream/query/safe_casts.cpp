#include "query/safe_casts.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "query/predicate_node.hpp"
#include "query/quoting.hpp"

namespace sluice::detail {

namespace {

// Use only explicit character classes: what \d, \s and \w match depends on the collation, and casts accept only ASCII
// digits and spaces.
constexpr std::string_view spaces = R"([ \t\n\v\f\r]*)";

std::string between_spaces(std::string_view expression) {
  return '^' + std::string{spaces} + '(' + std::string{expression} + ')' + std::string{spaces} + '$';
}

std::string matches(const std::string& text, std::string_view expression) {
  return text + infix("~") + quote_literal(expression);
}

std::string guarded(const std::string& text, std::string_view expression, std::string_view type,
                    const std::string& besides = {}) {
  return "(case when " + matches(text, expression) + besides + " then " + text + "::" + std::string{type} + " end)";
}

std::string is_shorter(const std::string& text, std::size_t than) {
  return " and pg_catalog.length(" + text + ')' + infix("<") + std::to_string(than);
}

// From 4713 BC, where the calendar of timestamptz starts, to 294246, where that of sys_time<microseconds> ends.
constexpr std::string_view year =
    "(?!0+-)(?=([0-9]{4,5}|[01][0-9]{5}|2[0-8][0-9]{4}|29[0-3][0-9]{3}|294[01][0-9]{2}|2942[0-3][0-9]|29424[0-6])-)";
constexpr std::string_view year_bc = "(?!0+-)(?=([0-3][0-9]{3}|4[0-6][0-9]{2}|470[0-9]|471[0-3])-)";
constexpr std::string_view basic_year = "(?!0000)(?=[0-9]{8}([^0-9]|$))";

// Endings of leap years. Leap years BC are one more than a multiple of four.
constexpr std::string_view leap = "([0-9]{2,4}(0[48]|[2468][048]|[13579][26])|[0-9]{0,2}([02468][048]|[13579][26])00)";
constexpr std::string_view leap_bc = "([0-9]{2}(0[59]|[2468][159]|[13579][37])|([02468][048]|[13579][26])01)";

/// Dates that exist in the calendar: long months, short months, February, and the 29th in leap years.
/// @param ahead  a lookahead for the valid years
std::string date_of(std::string_view ahead, std::string_view leap_year, const std::string& dash) {
  return std::string{ahead} + "([0-9]{4,6}" + dash + "((0[13578]|1[02])" + dash +
         "(0[1-9]|[12][0-9]|3[01])|(0[469]|11)" + dash + "(0[1-9]|[12][0-9]|30)|02" + dash +
         "(0[1-9]|1[0-9]|2[0-8]))|" + std::string{leap_year} + dash + "02" + dash + "29)";
}

constexpr std::string_view time =
    R"((([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9](\.[0-9]{1,30})?|60(\.0{1,30})?))?|24:00(:00(\.0{1,30})?)?))";
constexpr std::string_view zone = "( ?(Z|z|UTC|GMT|[-+](0[0-9]|1[0-5])([0-5][0-9]|:[0-5][0-9](:[0-5][0-9])?)?))";
constexpr std::string_view basic_time = R"(([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9](\.[0-9]{1,30})?)?)";
constexpr std::string_view basic_zone = "(Z|z|[-+](0[0-9]|1[0-5])([0-5][0-9])?)";

std::string moment() {
  const std::string rest = "([Tt ]" + std::string{time} + std::string{zone} + "?)?";
  return "-?[Ii]nfinity|" + date_of(year, leap, "-") + rest + '|' + date_of(year_bc, leap_bc, "-") + rest + " BC|" +
         date_of(basic_year, leap, "") + "([Tt]" + std::string{basic_time} + std::string{basic_zone} + "?)?";
}

constexpr std::string_view octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

std::string ipv4() { return '(' + std::string{octet} + R"(\.){3})" + std::string{octet}; }

/// Octets may have leading zeros, and there may be fewer than four if a prefix length says which are meant.
std::string ipv4_network() {
  const std::string first = "0*" + std::string{octet};
  const std::string further = R"((\.0*)" + std::string{octet} + ')';
  return first + '(' + further + "{3}(/0*(3[0-2]|[12]?[0-9]))?|" + further + "{2}/0*(3[01]|[12]?[0-9])|" + further +
         "/0*(2[0-3]|1?[0-9])|/0*(1[0-5]|[0-9]))";
}

/// RFC 4291, section 2.2: eight groups, "::" in place of some, the last two optionally as IPv4.
std::string ipv6() {
  const std::string group = "[0-9a-fA-F]{1,4}";
  const std::string tail = '(' + group + ':' + group + '|' + ipv4() + ')';  // of 32 bits
  std::string all = '(' + group + ":){6}" + tail;
  for (int left = 0; left <= 7; ++left) {  // groups before the "::"
    const std::string before = left == 0 ? "" : '(' + group + ":){0," + std::to_string(left - 1) + '}' + group;
    const int room = 7 - left;  // groups that may follow
    all += '|' + before + "::";
    if (room >= 1) {
      std::string after = '(' + group + ":){0," + std::to_string(room - 1) + '}' + group;
      if (room >= 2) after += "|(" + group + ":){0," + std::to_string(room - 2) + '}' + ipv4();
      all += '(' + after + ")?";
    }
  }
  return '(' + all + ')';
}

}  // namespace

std::string numeric_of(const std::string& text) {
  return guarded(text, between_spaces(R"([-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?0*[0-9]{1,4})?)"),
                 "pg_catalog.numeric", is_shorter(text, 6000));
}

std::string boolean_of(const std::string& text) {
  return guarded(text,
                 between_spaces("[Tt]([Rr]([Uu][Ee]?)?)?|[Ff]([Aa]([Ll]([Ss][Ee]?)?)?)?|[Yy]([Ee][Ss]?)?|[Nn][Oo]?|"
                                "[Oo]([Nn]|[Ff][Ff]?)|[01]"),
                 "pg_catalog.bool");
}

std::string timestamptz_of(const std::string& text) {
  static const std::string known = between_spaces(moment());
  static const std::string has_zone = "[Tt ][0-9:.]+ ?(Z|z|UTC|GMT|[-+][0-9:]+)( BC)?" + std::string{spaces} + '$';
  return "(case when " + matches(text, known) + " then case when " + matches(text, has_zone) + " then " + text +
         "::pg_catalog.timestamptz else " + text + "::pg_catalog.timestamp at time zone 'UTC' end end)";
}

std::string uuid_of(const std::string& text) {
  const std::string digits = "([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}";
  return guarded(text, '^' + digits + R"($|^\{)" + digits + R"(\}$)", "pg_catalog.uuid");
}

std::string inet_of(const std::string& text) {
  static const std::string address = "^(" + ipv4_network() + '|' + ipv6() + "(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$";
  return guarded(text, address, "pg_catalog.inet");
}

std::string ltree_of(const std::string& text, const std::string& schema) {
  // A single expression for the labels and their lengths would be too large for the server to compile.
  return guarded(text, R"(^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$)", schema + ".ltree",
                 " and " + text + infix("!~") + "'[^.]{255}[^.]'" + is_shorter(text, 65536));
}

std::string vector_of(const std::string& json, const std::string& cast, std::size_t dimensions) {
  return "(case when pg_catalog.jsonb_typeof(" + json + ')' + infix("=") + "'array' and pg_catalog.jsonb_path_match(" +
         json + ", '$.size() == " + std::to_string(dimensions) +
         R"( && !exists($[*] ? (@.type() != "number" || @ > 3.4e38 || @ < -3.4e38))') then ()" + json +
         ")::pg_catalog.text" + cast + " end)";
}

namespace {

/// What numeric accepts, spelled as JSON: no plus sign, no leading zeros, digits on both sides of the point.
std::string json_number(std::string_view text) {
  constexpr std::string_view digits{"0123456789"};
  std::string number;
  if (text.starts_with('-')) number = '-';
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t whole = std::min(text.find_first_not_of(digits), text.size());
  const std::size_t first = std::min(text.find_first_not_of('0'), whole);
  number += first == whole ? std::string_view{"0"} : text.substr(first, whole - first);
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    const std::size_t end = std::min(text.find_first_not_of(digits, 1), text.size());
    if (end > 1) number += text.substr(0, end);
    text.remove_prefix(end);
  }
  return number.append(text);
}

}  // namespace

std::string as_json(const bind_value& value) {
  if (!value.text()) return "null";
  const std::string& text = *value.text();
  const value_kind kind = kind_of(value);
  if (kind == value_kind::number) return json_number(text);
  if (kind == value_kind::boolean || kind == value_kind::json) return text;
  std::string quoted{'"'};
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      quoted += code.data();
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace sluice::detail
