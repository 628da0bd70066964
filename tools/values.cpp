#include "values.hpp"

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

void apply(std::string_view word, sort_key& key, std::string_view whole) {
  using as = sort_key::as;
  static constexpr std::array<std::pair<std::string_view, as>, 4> types{
      {{"text", as::text}, {"int", as::integer}, {"numeric", as::numeric}, {"bool", as::boolean}}};
  for (const auto& [name, type] : types)
    if (word == name) {
      key.type = type;
      return;
    }
  if (word == "asc" || word == "desc")
    key.descending = word == "desc";
  else if (word == "nullsfirst")
    key.order = sort_key::nulls::first;
  else if (word == "nullslast")
    key.order = sort_key::nulls::last;
  else
    refuse(whole, "a sort key: after the field come text, int, numeric or bool, asc or desc, nullsfirst or nullslast");
}

}  // namespace

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
  sort_key key;
  std::string_view rest;
  key.path = parse_path(text, rest);
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the colon
    const std::size_t end = std::min(rest.find(':'), rest.size());
    apply(rest.substr(0, end), key, text);
    rest.remove_prefix(end);
  }
  return key;
}

}  // namespace sluice::tool
