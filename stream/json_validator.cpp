// Whole documents are checked by simdjson's DOM, which is fast and refuses numbers that fit neither 64 bits nor a
// double. A document that it refuses is walked by On-Demand, which leaves numbers to us.
#include <algorithm>

#include <sluice/stream/json.hpp>

namespace sluice {

namespace {

namespace ondemand = simdjson::ondemand;

/// Takes one or more digits off the front.
bool take_digits(std::string_view& text) noexcept {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits != 0;
}

bool take_one_of(std::string_view& text, std::string_view these) noexcept {
  if (text.empty() || these.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// RFC 8259, section 6.
bool is_number(std::string_view text) noexcept {
  constexpr std::string_view spaces{" \t\n\r"};
  text = text.substr(0, text.find_last_not_of(spaces) + 1);
  text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
  (void)take_one_of(text, "-");
  if (!take_one_of(text, "0") && !take_digits(text)) return false;
  if (take_one_of(text, ".") && !take_digits(text)) return false;
  if (take_one_of(text, "eE")) {
    (void)take_one_of(text, "+-");
    if (!take_digits(text)) return false;
  }
  return text.empty();
}

/// @param depth  arrays and objects that there may still be within each other: On-Demand itself does not count them
/// @par Errors  throws simdjson::simdjson_error
template <class Value>
void walk(Value& value, std::size_t depth) {  // NOLINT(misc-no-recursion): see depth
  const ondemand::json_type type = value.type().value();
  const bool is_nesting = type == ondemand::json_type::array || type == ondemand::json_type::object;
  if (is_nesting && depth-- <= 1) throw simdjson::simdjson_error{simdjson::DEPTH_ERROR};
  switch (type) {
    case ondemand::json_type::array:
      for (auto each : value.get_array()) {
        ondemand::value element = each.value();
        walk(element, depth);
      }
      return;
    case ondemand::json_type::object:
      for (auto each : value.get_object()) {
        (void)each.unescaped_key().value();
        ondemand::value member = each.value().value();
        walk(member, depth);
      }
      return;
    case ondemand::json_type::number:
      if (!is_number(std::string_view{value.raw_json_token()})) throw simdjson::simdjson_error{simdjson::NUMBER_ERROR};
      return;
    case ondemand::json_type::string: (void)value.get_string().value(); return;
    case ondemand::json_type::boolean: (void)value.get_bool().value(); return;
    default: break;
  }
  if (!value.is_null()) throw simdjson::simdjson_error{simdjson::N_ATOM_ERROR};
}

/// What only its numbers can have been refused for.
bool is_json(ondemand::parser& parser, std::string_view text, std::size_t max_depth) {
  try {
    ondemand::document document =
        parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING).value();
    if (document.is_scalar()) return is_number(text);
    walk(document, max_depth);
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;  // nothing follows
  } catch (const simdjson::simdjson_error&) {
    return false;
  }
}

}  // namespace

struct json_validator::parsers {
  simdjson::dom::parser strict;
  ondemand::parser with_large_numbers;
};

json_validator::json_validator(json_limits limits)
    : parsers_{new parsers{simdjson::dom::parser{limits.max_bytes}, ondemand::parser{limits.max_bytes}}} {
  constexpr std::size_t to_begin_with = 4096;
  if (parsers_->strict.allocate(std::min(to_begin_with, limits.max_bytes), limits.max_depth) != simdjson::SUCCESS)
    throw error{errc::out_of_memory, "out of memory"};
}
json_validator::json_validator(json_validator&&) noexcept = default;
json_validator& json_validator::operator=(json_validator&&) noexcept = default;
json_validator::~json_validator() = default;

void json_validator::check(row document, std::uint64_t number) {
  if (document.is_null()) return;
  const std::string_view text = document.text();
  constexpr bool copy_first = false;  // what simdjson reads behind the end is there
  const simdjson::error_code refused = parsers_->strict.parse(text.data(), text.size(), copy_first).error();
  if (refused == simdjson::SUCCESS) return;
  const bool is_limit =
      refused == simdjson::DEPTH_ERROR || refused == simdjson::CAPACITY || refused == simdjson::MEMALLOC;
  if (!is_limit && is_json(parsers_->with_large_numbers, text, parsers_->strict.max_depth())) return;
  const std::string which = number == 0 ? "the document" : "row " + std::to_string(number);
  throw error{error_info{.code = errc::bad_json,
                         .message = which + " is not JSON: " + simdjson::error_message(refused),
                         .server = {},
                         .rows = 0,
                         .connection_usable = true}};
}

}  // namespace sluice
