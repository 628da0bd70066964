#include "values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace sluice::tool {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

[[noreturn]] void refuse(std::string_view text, std::string_view expected) {
  throw usage_error{"'" + std::string{text} + "' is not " + std::string{expected}};
}

/// A whole number and one of the units; nothing when it is anything else, or does not fit.
template <std::size_t Count>
std::optional<std::uint64_t> number_with_unit(std::string_view text, const std::array<unit, Count>& units) {
  std::uint64_t number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const unit& known : units)
    if (suffix == known.name && number <= std::numeric_limits<std::int64_t>::max() / known.factor)
      return number * known.factor;
  return std::nullopt;
}

}  // namespace

operand read_as(const operand& field, std::string_view word) {
  if (word == "text") return field.as_text();
  if (word == "int") return field.as_int();
  if (word == "numeric") return field.as_numeric();
  if (word == "bool") return field.as_bool();
  if (word == "timestamptz") return field.as_timestamptz();
  return field.as_uuid();
}

std::uint64_t parse_count(std::string_view text) {
  const auto rows = number_with_unit(text, std::array{unit{"", 1}});
  if (!rows) refuse(text, "a number of rows");
  return *rows;
}

std::size_t parse_size(std::string_view text) {
  static constexpr std::array<unit, 7> units{{{"", 1},
                                              {"k", 1U << 10U},
                                              {"K", 1U << 10U},
                                              {"m", 1U << 20U},
                                              {"M", 1U << 20U},
                                              {"g", 1U << 30U},
                                              {"G", 1U << 30U}}};
  const auto bytes = number_with_unit(text, units);
  if (!bytes) refuse(text, "a size such as 4096, 64k, 16M or 1G");
  return *bytes;
}

std::chrono::milliseconds parse_duration(std::string_view text) {
  static constexpr std::array<unit, 4> units{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
  const auto milliseconds = number_with_unit(text, units);
  if (!milliseconds) refuse(text, "a duration such as 500ms, 30s or 5m");
  return std::chrono::milliseconds{static_cast<std::int64_t>(*milliseconds)};
}

std::vector<std::string> parse_path(std::string_view text, std::string_view& rest) {
  std::vector<std::string> path;
  std::size_t at = 0;
  for (;;) {
    std::string key;
    const bool quoted = at < text.size() && text[at] == '"';
    if (quoted) {
      for (++at;; ++at) {
        if (at >= text.size()) refuse(text, "a path: a double quote is never closed");
        if (text[at] == '"' && (at + 1 >= text.size() || text[at + 1] != '"')) break;
        if (text[at] == '"') ++at;
        key += text[at];
      }
      ++at;
    } else {
      while (at < text.size() && text[at] != '.' && text[at] != ':') key += text[at++];
    }
    if (key.empty()) refuse(text, "a path: a key is empty");
    path.push_back(std::move(key));
    if (at >= text.size() || text[at] == ':') break;
    if (text[at] != '.') refuse(text, "a path: a dot is expected after a quoted key");
    ++at;
  }
  rest = text.substr(at);
  return path;
}

sort_key parse_sort_key(std::string_view text) {
  static constexpr std::array<std::string_view, 6> types{"text", "int", "numeric", "bool", "timestamptz", "uuid"};
  std::string_view rest;
  operand by = field(parse_path(text, rest));
  bool descending = false;
  std::string_view nulls;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the colon
    const std::string_view word = rest.substr(0, rest.find(':'));
    rest.remove_prefix(word.size());
    if (std::ranges::find(types, word) != types.end())
      by = read_as(by, word);
    else if (word == "asc" || word == "desc")
      descending = word == "desc";
    else if (word == "nullsfirst" || word == "nullslast")
      nulls = word;
    else
      refuse(text,
             "a sort key: after the field come text, int, numeric, bool, timestamptz or uuid, asc or desc, nullsfirst "
             "or nullslast");
  }
  sort_key key{std::move(by)};
  if (descending) key = std::move(key).descending();
  if (nulls == "nullsfirst") key = std::move(key).nulls_first();
  if (nulls == "nullslast") key = std::move(key).nulls_last();
  return key;
}

}  // namespace sluice::tool
