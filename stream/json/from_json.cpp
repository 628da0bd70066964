#include <sluice/stream/from_json.hpp>

#include <algorithm>

namespace sluice {

namespace {

constexpr std::string_view blanks{" \t\r\n"};

std::string_view trimmed(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::string_view type_name(json_value& of) {
  simdjson::ondemand::json_type type{};
  if (of.type().get(type) != simdjson::SUCCESS) return "no JSON";
  switch (type) {
    case simdjson::ondemand::json_type::array: return "an array";
    case simdjson::ondemand::json_type::object: return "an object";
    case simdjson::ondemand::json_type::number: return "another number";
    case simdjson::ondemand::json_type::string: return "a string";
    case simdjson::ondemand::json_type::boolean:
    case simdjson::ondemand::json_type::null: break;  // decided by the first letter alone
    default: return "no JSON";
  }
  const std::string_view word = trimmed(of.raw_json_token());
  return word == "true" || word == "false" ? "a boolean" : word == "null" ? word : "no JSON";
}

[[noreturn]] void refuse(std::uint64_t row, const std::string& what) {
  std::string message = row == 0 ? what : "row " + std::to_string(row) + ", " + what;
  throw error{error_info{
      .code = errc::bad_json, .message = std::move(message), .server = {}, .rows = 0, .connection_usable = true}};
}

}  // namespace

std::string json_place::path() const {
  if (inside_ == nullptr) return "$";
  std::string text = inside_->path();
  if (is_element_) return text + '[' + std::to_string(index_) + ']';
  return text.append(".").append(key_);
}

void json_place::fail(std::string_view expected, std::string_view found) const {
  refuse(row_, path() + ": expected " + std::string{expected} + ", found " + std::string{found});
}

void json_place::fail_too_deep() const {
  refuse(row_, "the document is nested more than " + std::to_string(max_depth) + " levels deep");
}

void json_place::fail(std::string_view expected, json_value& found) const { fail(expected, type_name(found)); }

void json_place::fail(std::string_view expected, json_value& found, simdjson::error_code why) const {
  if (why == simdjson::INCORRECT_TYPE) fail(expected, found);
  simdjson::ondemand::json_type type{};
  const bool is_number = found.type().get(type) == simdjson::SUCCESS && type == simdjson::ondemand::json_type::number;
  fail(expected, is_number ? "one that is malformed or out of range" : "no JSON");
}

void from_json(json_value& from, raw_json& into, const json_place& place) {
  simdjson::ondemand::json_type type{};
  if (from.type().get(type) != simdjson::SUCCESS) place.fail("a value", "no JSON");
  bool good = true;
  if (type == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object object;
    good = from.get_object().get(object) == simdjson::SUCCESS && object.raw_json().get(into.text) == simdjson::SUCCESS;
  } else if (type == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array array;
    good = from.get_array().get(array) == simdjson::SUCCESS && array.raw_json().get(into.text) == simdjson::SUCCESS;
  } else {
    into.text = trimmed(from.raw_json_token());
  }
  if (!good) place.fail("a value", "no JSON");
}

void from_json(json_value& from, uuid& into, const json_place& place) {
  std::string_view text;
  from_json(from, text, place);
  const std::optional<uuid> value = uuid::parse(text);
  if (!value) place.fail("a UUID", "another string");
  into = *value;
}

void from_json(json_value& from, std::chrono::sys_time<std::chrono::microseconds>& into, const json_place& place) {
  std::string_view text;
  from_json(from, text, place);
  const auto moment = parse_moment(text);
  if (!moment) place.fail("a date and time in ISO 8601", "another string");
  into = *moment;
}

bool detail::is_one_scalar(std::string_view document) noexcept {
  document = trimmed(document);
  if (!document.starts_with('"')) return document.find_first_of(" \t\r\n,:[]{}\"") == document.npos;
  std::size_t end = 1;
  while (end < document.size() && document[end] != '"') end += document[end] == '\\' ? 2U : 1U;
  return end + 1 == document.size();
}

}  // namespace sluice
