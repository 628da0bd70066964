#include "safe_casts.hpp"

#include <array>
#include <cstdio>

#include "predicate_node.hpp"
#include "quoting.hpp"

namespace sluice::detail {

namespace {

std::string guarded(const std::string& text, std::string_view expression, std::string_view type,
                    const std::string& besides = {}) {
  return "(case when " + text + " ~ " + quote_literal(expression) + besides + " then " + text +
         "::" + std::string{type} + " end)";
}

// Days that the calendar has: long months, short months, February, and the 29th in leap years.
constexpr std::string_view date =
    R"((?!0000)(\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))"
    R"(|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29))";
constexpr std::string_view time = R"(([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)";
constexpr std::string_view zone = R"( ?(Z|[-+](0\d|1[0-4])(:?[0-5]\d)?))";

constexpr std::string_view octet = R"((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))";

std::string ipv4() { return '(' + std::string{octet} + R"(\.){3})" + std::string{octet}; }

/// RFC 4291, section 2.2: eight groups, "::" for some of them, the last two perhaps as IPv4.
std::string ipv6() {
  const std::string group = "[0-9a-fA-F]{1,4}";
  const std::string tail = '(' + group + ':' + group + '|' + ipv4() + ')';  // of 32 bits
  std::string all = '(' + group + ":){6}" + tail;
  for (int left = 0; left <= 7; ++left) {  // groups before "::"
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
  return guarded(text, R"(^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?\s*$)", "numeric",
                 " and length(" + text + ") < 1000");
}

std::string boolean_of(const std::string& text) {
  return "(case " + text + " when 'true' then true when 'false' then false end)";
}

std::string timestamptz_of(const std::string& text) {
  const std::string moment = "^" + std::string{date} + "([T ]" + std::string{time} + '(' + std::string{zone} + ")?)?$";
  const std::string has_zone = std::string{R"(:\d\d(\.\d+)?)"} + std::string{zone} + '$';
  return "(case when " + text + " ~ " + quote_literal(moment) + " then case when " + text + " ~ " +
         quote_literal(has_zone) + " then " + text + "::timestamptz else " + text +
         "::timestamp at time zone 'UTC' end end)";
}

std::string uuid_of(const std::string& text) {
  return guarded(text, "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$", "uuid");
}

std::string inet_of(const std::string& text) {
  static const std::string address =
      '^' + ipv4() + R"((/(3[0-2]|[12]?\d))?$|^)" + ipv6() + R"((/(12[0-8]|1[01]\d|[1-9]?\d))?$)";
  return guarded(text, address, "inet");
}

std::string ltree_of(const std::string& text) {
  // One expression for the labels and their lengths would be too large for the server to compile.
  return guarded(text, R"(^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$)", "ltree",
                 " and " + text + " !~ '[^.]{255}[^.]' and length(" + text + ") < 65536");
}

std::string vector_of(const std::string& json, std::size_t dimensions) {
  return "(case when jsonb_typeof(" + json + ") = 'array' and jsonb_path_match(" + json + R"(, '$.size() == )" +
         std::to_string(dimensions) + R"( && !exists($[*] ? (@.type() != "number"))') then ()" + json +
         ")::text::vector end)";
}

std::string as_json(const bind_value& value) {
  if (!value.text()) return "null";
  const std::string& text = *value.text();
  const value_kind kind = kind_of(value);
  if (kind == value_kind::number || kind == value_kind::boolean || kind == value_kind::json) return text;
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
