#include "values.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <utility>

#include <sluice/wire/error.hpp>

#include "lexer.hpp"

namespace sluice::tool {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

[[noreturn]] void refuse(std::string_view text, std::string_view expected) {
  throw usage_error{"'" + std::string{text} + "' is not " + std::string{expected}};
}

/// A whole number and one of the units; nothing if it is anything else or does not fit.
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

/// As the library reads it, with keys in double quotes where necessary.
std::string to_text(const std::vector<std::string>& path) {
  constexpr std::string_view plain{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"};
  std::string text;
  for (const std::string& key : path) {
    if (!text.empty()) text += '.';
    const bool is_plain = key.find_first_not_of(plain) == std::string::npos;
    text += key.empty() ? "\"\"" : is_plain ? key : quote_identifier(key);
  }
  return text;
}

}  // namespace

operand read_as(const operand& field, std::string_view word) {
  if (word == "text") return field.as_text();
  if (word == "int") return field.as_numeric();
  if (word == "numeric") return field.as_numeric();
  if (word == "bool") return field.as_bool();
  if (word == "timestamptz") return field.as_timestamptz();
  return field.as_uuid();
}

std::uint32_t parse_number(std::string_view text, std::uint32_t most) {
  const auto number = number_with_unit(text, std::array{unit{"", 1}});
  if (!number || *number == 0 || *number > most) refuse(text, "a number from 1 to " + std::to_string(most));
  return static_cast<std::uint32_t>(*number);
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

namespace {

/// Builds something from a path. The library's objections are shown at the path's place.
template <class Make>
auto made_of_path(lexer& in, const Make& make) {
  const std::size_t offset = in.next().offset;
  try {
    return make(parse_path(in));
  } catch (const error& refused) {
    in.fail_at(offset, refused.what());
  }
}

}  // namespace

std::vector<projection> parse_select(std::string_view text) {
  std::vector<projection> fields;
  lexer in{text};
  do {
    fields.push_back(made_of_path(in, [](std::vector<std::string> path) { return projection{std::move(path)}; }));
  } while (in.take_symbol(","));
  if (in.next().is != token::kind::end) in.fail("expected ',' and another field, or the end");
  return fields;
}

sort_key parse_sort_key(std::string_view text) {
  lexer in{text};
  const operand by = made_of_path(in, [](std::vector<std::string> path) { return field(std::move(path)); });
  std::string type;
  std::string direction;
  std::string nulls;
  const auto take_one_of = [&](std::string& which, std::initializer_list<const char*> words) {
    for (const char* word : words) {
      if (!in.at_word(word)) continue;
      if (!which.empty()) in.fail("given twice");
      which = word;
      in.take();
      return true;
    }
    return false;
  };
  while (in.take_symbol(":")) {
    const bool known = take_one_of(type, {"text", "int", "numeric", "bool", "timestamptz", "uuid"}) ||
                       take_one_of(direction, {"asc", "desc"}) || take_one_of(nulls, {"nullsfirst", "nullslast"});
    if (!known) in.fail("expected text, int, numeric, bool, timestamptz or uuid, asc or desc, nullsfirst or nullslast");
  }
  if (in.next().is != token::kind::end)
    in.fail("expected ':' and how to sort, such as name:desc, or the end: for another key repeat --order-by");
  sort_key key{type.empty() ? by : read_as(by, type)};
  if (direction == "desc") key = std::move(key).descending();
  if (nulls == "nullsfirst") key = std::move(key).nulls_first();
  if (nulls == "nullslast") key = std::move(key).nulls_last();
  return key;
}

split parse_split(std::string_view text) {
  lexer in{text};
  split by;
  if (!in.take_word("ctid")) {
    by.is = in.at_word("key") ? split_by::kind::key : split_by::kind::hash;
    if (!in.take_word("key") && !in.take_word("hash")) in.fail("expected ctid, key:FIELD or hash:FIELD");
    if (!in.take_symbol(":")) in.fail("expected ':' and a field");
    by.path = made_of_path(in, to_text);
  }
  if (in.next().is != token::kind::end) in.fail("expected the end");
  return by;
}

}  // namespace sluice::tool
