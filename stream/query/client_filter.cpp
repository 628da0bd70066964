#include "query/client_filter.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

#include <sluice/stream/json_key.hpp>
#include <sluice/wire/error.hpp>

#include "query/like.hpp"
#include "query/quoting.hpp"
#include "rows/decimal.hpp"

namespace sluice::detail {

namespace {

namespace dom = simdjson::ondemand;
using kind = node::kind;
using reading = subject::reading;
using measure = subject::measure;

std::optional<std::size_t> index_of(std::string_view part) noexcept {
  std::size_t index = 0;
  if (!is_index(part) || std::from_chars(part.data(), part.data() + part.size(), index).ec != std::errc{})
    return std::nullopt;
  return index;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// A value as `->>` returns it, and its type.
struct scalar {
  dom::json_type type;
  std::string_view text;  ///< unescaped if it is a string
};

bool holds(test_kind how, std::strong_ordering order) noexcept {
  switch (how) {
    case test_kind::equal: return order == 0;
    case test_kind::different: return order != 0;
    case test_kind::less: return order < 0;
    case test_kind::at_most: return order <= 0;
    case test_kind::greater: return order > 0;
    case test_kind::at_least: return order >= 0;
    default: return false;
  }
}

}  // namespace

/// Evaluates one document at a time.
class row_conditions::evaluation {
 public:
  bool matches(const node& what) {
    switch (what.what) {
      case kind::all: return std::ranges::all_of(what.children, [&](const node_ptr& one) { return matches(*one); });
      case kind::any: return std::ranges::any_of(what.children, [&](const node_ptr& one) { return matches(*one); });
      case kind::negation: return !matches(*what.children.front());
      case kind::local: return what.call(row_);
      case kind::test: return test(what);
      case kind::sql: break;
    }
    return false;
  }

  void begin(const row& each) {
    row_ = each;
    text_ = each.text();
    const simdjson::padded_string_view padded{text_.data(), text_.size(), text_.size() + simdjson::SIMDJSON_PADDING};
    is_there_ = !each.is_null() && parser_.iterate(padded).get(document_) == simdjson::SUCCESS;
  }

 private:
  /// @return nothing if the field is missing
  std::optional<dom::value> find(const std::vector<std::string>& path) {
    if (!is_there_ || !document_.is_alive()) return std::nullopt;  // simdjson gives up on a malformed document for good
    document_.rewind();
    dom::value at;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (i == 0 ? !step(document_, path[i], at) : !step(at, path[i], at)) return std::nullopt;
    }
    return at;
  }

  template <class From>
  bool step(From& from, const std::string& part, dom::value& to) {
    dom::json_type type{};
    if (from.type().get(type) != simdjson::SUCCESS) return false;
    if (type == dom::json_type::array) {
      const std::optional<std::size_t> index = index_of(part);
      dom::array array;
      return index && from.get_array().get(array) == simdjson::SUCCESS && array.at(*index).get(to) == simdjson::SUCCESS;
    }
    dom::object object;
    if (type != dom::json_type::object || from.get_object().get(object) != simdjson::SUCCESS) return false;
    const bool escapes = text_.find('\\') != text_.npos;
    for (auto each : object) {
      dom::field field;
      if (std::move(each).get(field) != simdjson::SUCCESS) return false;
      if (escapes ? is_json_key(field.key().raw(), part) : is_plain_key(field, part)) {
        to = field.value();
        return true;
      }
    }
    return false;
  }

  /// simdjson's own lookup may read past the end of the document if the name is long.
  [[nodiscard]] bool is_plain_key(const dom::field& field, std::string_view name) const {
    const char* const key = field.key().raw();
    const auto room = static_cast<std::size_t>(text_.data() + text_.size() - key);
    return name.size() < room && key[name.size()] == '"' && std::memcmp(key, name.data(), name.size()) == 0 &&
           name.find('"') == name.npos;
  }

  std::optional<scalar> read(dom::value& from) {
    dom::json_type type{};
    if (from.type().get(type) != simdjson::SUCCESS) return std::nullopt;
    scalar got{type, {}};
    bool good = true;
    switch (type) {
      case dom::json_type::string: good = from.get_string().get(got.text) == simdjson::SUCCESS; break;
      case dom::json_type::object: {
        dom::object object;
        good =
            from.get_object().get(object) == simdjson::SUCCESS && object.raw_json().get(got.text) == simdjson::SUCCESS;
        break;
      }
      case dom::json_type::array: {
        dom::array array;
        good = from.get_array().get(array) == simdjson::SUCCESS && array.raw_json().get(got.text) == simdjson::SUCCESS;
        break;
      }
      default: got.text = trimmed(from.raw_json_token()); break;
    }
    return good ? std::optional{got} : std::nullopt;
  }

  bool test(const node& what) {
    const subject& of = *what.about;
    std::optional<dom::value> found = find(of.path);
    if (what.how == test_kind::null || what.how == test_kind::not_null) {
      dom::json_type type{};
      const bool null = !found || found->type().get(type) != simdjson::SUCCESS || type == dom::json_type::null;
      return null == (what.how == test_kind::null);
    }
    if (!found) return false;
    switch (what.how) {
      case test_kind::exists: return true;
      case test_kind::has_key:
      case test_kind::has_any_key:
      case test_kind::has_all_keys: return has_keys(*found, what);
      case test_kind::has_any:
      case test_kind::has_all: return has_elements(*found, what);
      default: break;
    }
    if (of.measured == measure::array_length) {
      dom::array array;
      std::size_t count = 0;
      if (found->get_array().get(array) != simdjson::SUCCESS || array.count_elements().get(count) != simdjson::SUCCESS)
        return false;
      return compares(what, std::to_string(count), value_kind::number);
    }
    const std::optional<scalar> got = read(*found);
    if (!got || got->type == dom::json_type::null) return false;
    if (what.how == test_kind::like || what.how == test_kind::ilike) {
      const bool text = got->type == dom::json_type::string || of.as == reading::text;
      return text && is_like(got->text, *what.values.front().text(), what.how == test_kind::ilike);
    }
    if (of.as == reading::text) return compares(what, got->text, value_kind::text);
    const value_kind wanted = kind_of(what.values.front());
    const bool fits = (wanted == value_kind::text && got->type == dom::json_type::string) ||
                      (wanted == value_kind::number && got->type == dom::json_type::number) ||
                      (wanted == value_kind::boolean && got->type == dom::json_type::boolean);
    return fits && compares(what, got->text, wanted);
  }

  static std::strong_ordering compare(std::string_view a, std::string_view b, value_kind as) noexcept {
    return as == value_kind::number ? compare_decimal(a, b) : a <=> b;  // "false" < "true"
  }

  static bool compares(const node& what, std::string_view text, value_kind as) {
    if (what.how != test_kind::in && what.how != test_kind::not_in)
      return holds(what.how, compare(text, *what.values.front().text(), as));
    const bool among =
        std::ranges::any_of(what.values, [&](const bind_value& each) { return compare(text, *each.text(), as) == 0; });
    return among == (what.how == test_kind::in);
  }

  bool has_keys(dom::value& from, const node& what) {
    dom::object object;
    if (from.get_object().get(object) != simdjson::SUCCESS) return false;
    std::vector<bool> seen(what.values.size());
    for (auto each : object) {
      dom::field field;
      if (std::move(each).get(field) != simdjson::SUCCESS) return false;
      for (std::size_t i = 0; i < seen.size(); ++i)
        if (is_json_key(field.key().raw(), *what.values[i].text())) seen[i] = true;
    }
    const auto count = static_cast<std::size_t>(std::ranges::count(seen, true));
    return what.how == test_kind::has_any_key ? count != 0 : count == seen.size();
  }

  bool has_elements(dom::value& from, const node& what) {
    dom::array array;
    if (from.get_array().get(array) != simdjson::SUCCESS) return false;
    std::vector<bool> seen(what.values.size());
    for (auto each : array) {
      dom::value element;
      if (std::move(each).get(element) != simdjson::SUCCESS) return false;
      const std::optional<scalar> got = read(element);
      if (!got) return false;
      for (std::size_t i = 0; i < seen.size(); ++i)
        if (is_element(*got, what.values[i])) seen[i] = true;
    }
    const auto count = static_cast<std::size_t>(std::ranges::count(seen, true));
    return what.how == test_kind::has_any ? count != 0 : count == seen.size();
  }

  static bool is_element(const scalar& got, const bind_value& wanted) {
    if (!wanted.text()) return got.type == dom::json_type::null;
    switch (kind_of(wanted)) {
      case value_kind::number:
        return got.type == dom::json_type::number && compare_decimal(got.text, *wanted.text()) == 0;
      case value_kind::boolean: return got.type == dom::json_type::boolean && got.text == *wanted.text();
      default: return got.type == dom::json_type::string && got.text == *wanted.text();
    }
  }

  dom::parser parser_;
  dom::document document_;
  row row_;
  std::string_view text_;
  bool is_there_{false};
};

row_conditions::row_conditions() : work_{std::make_unique<evaluation>()} {}
row_conditions::~row_conditions() = default;
row_conditions::row_conditions(row_conditions&&) noexcept = default;
row_conditions& row_conditions::operator=(row_conditions&&) noexcept = default;

void row_conditions::begin(const row& each) { work_->begin(each); }
bool row_conditions::hold(const node& what) { return work_->matches(what); }

bool runs_on_client(const node& test) noexcept {
  const subject& of = *test.about;
  if (of.from == subject::source::column || of.path.empty()) return false;
  if (of.measured != measure::none && of.measured != measure::array_length) return false;
  if (of.as != reading::by_value && of.as != reading::text) return false;
  if (test.how <= test_kind::not_in) {
    if (of.as == reading::text) return true;
    const value_kind kind = kind_of(test.values.front());
    return kind == value_kind::text || kind == value_kind::number || kind == value_kind::boolean;
  }
  switch (test.how) {
    case test_kind::like:
    case test_kind::ilike:
    case test_kind::null:
    case test_kind::not_null:
    case test_kind::exists:
    case test_kind::has_key:
    case test_kind::has_any_key:
    case test_kind::has_all_keys: return true;
    case test_kind::has_any:
    case test_kind::has_all:
      return std::ranges::all_of(test.values, [](const bind_value& each) { return kind_of(each) != value_kind::json; });
    default: return false;
  }
}

}  // namespace sluice::detail
