#include "where.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include <sluice/wire/error.hpp>

#include "lexer.hpp"
#include "rows/number_chars.hpp"
#include "values.hpp"

namespace sluice::tool {

namespace {

/// Operators spelled as a name: what follows them, and what they mean.
struct named_operator {
  enum class takes : std::uint8_t { nothing, a_text, a_query, texts, a_value, values };
  takes what;
  std::function<predicate(const operand&, std::vector<bind_value>)> make;
};

std::string text_of(const std::vector<bind_value>& values, std::size_t i = 0) {
  return values.at(i).text().value_or("");
}

const std::map<std::string, named_operator, std::less<>>& named_operators() {
  using enum named_operator::takes;
  using values_of = std::vector<bind_value>;
  const auto nothing_more = [](predicate (operand::*test)() const) {
    return named_operator{nothing, [test](const operand& of, const values_of&) { return (of.*test)(); }};
  };
  const auto one_text = [](predicate (operand::*test)(std::string) const) {
    return named_operator{a_text, [test](const operand& of, const values_of& v) { return (of.*test)(text_of(v)); }};
  };
  const auto one_view = [](predicate (operand::*test)(std::string_view) const) {
    return named_operator{a_text, [test](const operand& of, const values_of& v) { return (of.*test)(text_of(v)); }};
  };
  const auto some_texts = [](predicate (operand::*test)(const std::vector<std::string>&) const) {
    return named_operator{texts, [test](const operand& of, const values_of& v) {
                            std::vector<std::string> all;
                            for (const bind_value& each : v) all.push_back(each.text().value_or(""));
                            return (of.*test)(all);
                          }};
  };
  const auto full_text = [](predicate (operand::*test)(std::string, std::string) const) {
    return named_operator{a_query, [test](const operand& of, const values_of& v) {
                            return (of.*test)(text_of(v), v.size() > 1 ? text_of(v, 1) : "simple");
                          }};
  };
  static const std::map<std::string, named_operator, std::less<>> known{
      {"like", one_text(&operand::like)},
      {"ilike", one_text(&operand::ilike)},
      {"icontains", one_view(&operand::icontains)},
      {"starts_with", one_view(&operand::starts_with)},
      {"istarts_with", one_view(&operand::istarts_with)},
      {"ends_with", one_view(&operand::ends_with)},
      {"iends_with", one_view(&operand::iends_with)},
      {"matches_regex", one_text(&operand::matches_regex)},
      {"contains_json", one_text(&operand::contains_json)},
      {"contained_in_json", one_text(&operand::contained_in_json)},
      {"has_key", one_text(&operand::has_key)},
      {"has_any_key", some_texts(&operand::has_any_key)},
      {"has_all_keys", some_texts(&operand::has_all_keys)},
      {"exists", nothing_more(&operand::exists)},
      // Works for strings and for arrays: a field may be either.
      {"contains",
       {a_value,
        [](const operand& of, const values_of& v) {
          const predicate element = of.has(v.front());
          return v.front().type() == 0 ? of.contains(text_of(v)) || element : element;
        }}},
      {"has", {a_value, [](const operand& of, const values_of& v) { return of.has(v.front()); }}},
      {"has_any", {values, [](const operand& of, const values_of& v) { return of.has_any(v); }}},
      {"has_all", {values, [](const operand& of, const values_of& v) { return of.has_all(v); }}},
      {"matches", full_text(&operand::matches)},
      {"plain_query", full_text(&operand::plain_query)},
      {"phrase_query", full_text(&operand::phrase_query)},
      {"websearch_query", full_text(&operand::websearch_query)},
      {"in_subnet", one_text(&operand::in_subnet)},
      {"contains_subnet", one_text(&operand::contains_subnet)},
      {"contains_ip", one_text(&operand::contains_subnet)},
      {"overlaps", one_text(&operand::overlaps)},
      {"is_ipv4", nothing_more(&operand::is_ipv4)},
      {"is_ipv6", nothing_more(&operand::is_ipv6)},
      {"is_private", nothing_more(&operand::is_private)},
      {"is_loopback", nothing_more(&operand::is_loopback)},
      {"is_multicast", nothing_more(&operand::is_multicast)},
      {"is_link_local", nothing_more(&operand::is_link_local)},
      {"is_documentation", nothing_more(&operand::is_documentation)},
      {"is_carrier_grade", nothing_more(&operand::is_carrier_grade)},
      {"ancestor_of", one_text(&operand::ancestor_of)},
      {"descendant_of", one_text(&operand::descendant_of)},
      {"matches_lquery", one_text(&operand::matches_lquery)},
      {"matches_ltxtquery", one_text(&operand::matches_ltxtquery)},
      {"matches_any_lquery", some_texts(&operand::matches_any_lquery)},
      {"lca_of", some_texts(&operand::lca_of)},
  };
  return known;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

class where_parser {
 public:
  explicit where_parser(std::string_view text) : in_{text} {}

  predicate run() {
    predicate whole = either();
    if (in_.next().is != token::kind::end) in_.fail("expected 'and', 'or' or the end");
    return whole;
  }

 private:
  static constexpr int deepest = 100;
  static constexpr std::string_view expected_type =
      "expected a type: text, int, numeric, bool, timestamptz, uuid, or one of an extension with its schema";

  predicate either() {
    std::vector<predicate> parts{both()};
    while (in_.take_word("or")) parts.push_back(both());
    return parts.size() == 1 ? parts.front() : any_of(parts);
  }
  predicate both() {
    std::vector<predicate> parts{negated()};
    while (in_.take_word("and")) parts.push_back(negated());
    return parts.size() == 1 ? parts.front() : all_of(parts);
  }
  predicate negated() {
    if (++depth_ > deepest) in_.fail("nested too deeply");
    predicate one = in_.take_word("not") ? !negated() : primary();
    --depth_;
    return one;
  }
  predicate primary() {
    if (!in_.take_symbol("(")) return test();
    predicate inside = either();
    if (!in_.take_symbol(")")) in_.fail("expected ')'");
    return inside;
  }

  predicate test() {
    const operand of = subject();
    const std::size_t offset = in_.next().offset;
    try {
      const bool negative = in_.take_word("not");
      return tested(of, negative);
    } catch (const error& refused) {
      in_.fail_at(offset, refused.what());
    }
  }

  predicate tested(const operand& of, bool negative) {
    if (in_.take_word("in")) {
      std::vector<bind_value> all = values();
      return negative ? of.not_in(std::move(all)) : of.in(std::move(all));
    }
    if (in_.take_word("between")) {
      bind_value least = value();
      if (!in_.take_word("and")) in_.fail("expected 'and' between the two bounds");
      const predicate inside = of.between(std::move(least), value());
      return negative ? !inside : inside;
    }
    if (in_.next().is == token::kind::word) {
      if (!negative && in_.take_word("is")) return is_test(of);
      const auto known = named_operators().find(lower(in_.next().text));
      if (known != named_operators().end()) {
        in_.take();
        const predicate made = known->second.make(of, operands(known->second.what));
        return negative ? !made : made;
      }
    }
    if (negative) in_.fail("expected 'in', 'between' or the name of an operator after 'not'");
    return comparison(of);
  }

  predicate is_test(const operand& of) {
    const bool negative = in_.take_word("not");
    if (in_.take_word("null")) return negative ? of.is_not_null() : of.is_null();
    if (in_.take_word("distinct")) {
      if (!in_.take_word("from")) in_.fail("expected 'from'");
      const predicate distinct = of.is_distinct_from(value());
      return negative ? !distinct : distinct;
    }
    in_.fail("expected 'null' or 'distinct from'");
  }

  predicate comparison(const operand& of) {
    for (const char* equal : {"=", "=="})
      if (in_.take_symbol(equal)) return of == value();
    for (const char* different : {"<>", "!="})
      if (in_.take_symbol(different)) return of != value();
    if (in_.take_symbol("<")) return of < value();
    if (in_.take_symbol("<=")) return of <= value();
    if (in_.take_symbol(">")) return of > value();
    if (in_.take_symbol(">=")) return of >= value();
    if (in_.take_symbol("~")) return of.matches_regex(text());
    if (in_.take_symbol("@>")) return of.contains_json(text());
    if (in_.take_symbol("<@")) return of.contained_in_json(text());
    if (in_.take_symbol("@?")) return of.jsonpath_exists(text());
    if (in_.take_symbol("@@")) return of.jsonpath_matches(text());
    in_.fail("expected an operator, such as =, <, like, in or is null");
  }

  std::vector<bind_value> operands(named_operator::takes what) {
    switch (what) {
      case named_operator::takes::nothing: return {};
      case named_operator::takes::a_text: return {text()};
      case named_operator::takes::a_value: return {value()};
      case named_operator::takes::values: return values();
      case named_operator::takes::a_query:
        if (!in_.at_symbol("(")) return {text()};
        [[fallthrough]];
      case named_operator::takes::texts: break;
    }
    if (!in_.take_symbol("(")) in_.fail("expected '(' and texts");
    std::vector<bind_value> all{text()};
    while (in_.take_symbol(",")) all.emplace_back(text());
    if (what == named_operator::takes::a_query && all.size() > 2) in_.fail("expected a query and a language, no more");
    if (!in_.take_symbol(")")) in_.fail("expected ',' or ')'");
    return all;
  }

  /// A path, optionally with a type; a column; or a measure of either.
  operand subject() {
    operand of = plain_subject();
    if (!in_.take_symbol("::")) return of;
    if (in_.next().is != token::kind::word && in_.next().is != token::kind::name) in_.fail(expected_type);
    const token type = in_.take();
    if (in_.take_symbol(".")) return stated(of, type);
    static constexpr std::array<std::string_view, 6> types{"text", "int", "numeric", "bool", "timestamptz", "uuid"};
    const std::string name = lower(type.text);
    const auto* const known = std::ranges::find(types, std::string_view{name});
    if (known == types.end() || type.is == token::kind::name) in_.fail_at(type.offset, expected_type);
    return read_as(of, *known);
  }

  /// An extension's type, qualified by its schema.
  operand stated(const operand& of, const token& schema) {
    if (in_.next().is != token::kind::word && in_.next().is != token::kind::name)
      in_.fail("expected the name of a type");
    return of.as_type(quote_identifier(schema.text) + '.' + quote_identifier(in_.take().text));
  }

  operand plain_subject() {
    const token first = in_.next();
    std::vector<std::string> path = parse_path(in_);
    const bool is_call = first.is == token::kind::word && path.size() == 1 && in_.at_symbol("(");
    if (is_call) return function(first);
    try {
      return field(std::move(path));
    } catch (const error& refused) {
      in_.fail_at(first.offset, refused.what());
    }
  }

  operand function(const token& name) {
    if (++depth_ > deepest) in_.fail("nested too deeply");
    const operand of = call(name);
    --depth_;
    return of;
  }
  operand call(const token& name) {
    const std::string called = lower(name.text);
    in_.take_symbol("(");
    if (called == "column") {
      const token of = in_.next();
      if (of.is != token::kind::word && of.is != token::kind::name) in_.fail("expected the name of a column");
      in_.take();
      close();
      return column(of.text);
    }
    if (called == "document") {
      close();
      return field({});
    }
    const operand of = subject();
    if (called == "array_length" || called == "depth") {
      close();
      return called == "depth" ? of.depth() : of.array_length();
    }
    if (!in_.take_symbol(",")) in_.fail_at(name.offset, "no such function");
    const std::size_t offset = in_.next().offset;
    const std::string to = text();
    close();
    if (called == "hamming_distance") return of.hamming_distance(to);
    if (called == "jaccard_distance") return of.jaccard_distance(to);
    const std::vector<float> numbers = vector(to, offset);
    if (called == "l2_distance") return of.l2_distance(numbers);
    if (called == "cosine_distance") return of.cosine_distance(numbers);
    if (called == "inner_product") return of.inner_product(numbers);
    if (called == "l1_distance") return of.l1_distance(numbers);
    in_.fail_at(name.offset, "no such function");
  }
  void close() {
    if (!in_.take_symbol(")")) in_.fail("expected ')'");
  }

  std::vector<float> vector(std::string_view written, std::size_t offset) const {
    std::vector<float> numbers;
    bool has_more = written != "[]";
    if (!has_more) return numbers;
    for (char before = '['; has_more; before = ',') {
      if (!written.starts_with(before)) in_.fail_at(offset, "a vector is written '[1, 2.5]'");
      written.remove_prefix(std::min(written.find_first_not_of(' ', 1), written.size()));
      float number{};
      const auto [end, failed] = detail::number_from_chars(written.data(), written.data() + written.size(), number);
      if (failed != std::errc{}) in_.fail_at(offset, "a vector is written '[1, 2.5]'");
      numbers.push_back(number);
      written.remove_prefix(static_cast<std::size_t>(end - written.data()));
      written.remove_prefix(std::min(written.find_first_not_of(' '), written.size()));
      has_more = written != "]";
    }
    return numbers;
  }

  std::string text() {
    if (in_.next().is != token::kind::text) in_.fail("expected a text in single quotes");
    return in_.take().text;
  }

  bind_value value() {
    if (in_.next().is == token::kind::text) return in_.take().text;
    if (in_.next().is == token::kind::number) return number();
    if (in_.take_word("true")) return true;
    if (in_.take_word("false")) return false;
    if (in_.take_word("null")) return nullptr;
    if (in_.take_word("uuid")) return bind_value::uuid(text());
    if (in_.take_word("json")) return bind_value::json(text());
    if (in_.take_word("timestamptz")) return bind_value::timestamptz(text());
    in_.fail("expected a value: a number, a text in single quotes, true, false or null");
  }
  /// A whole number is an int8: an index on a column serves a comparison with it, but not with a numeric.
  bind_value number() {
    std::string written = in_.take().text;
    std::int64_t whole{};
    const char* const all = written.data() + written.size();
    const auto [end, failed] = std::from_chars(written.data(), all, whole);
    if (failed == std::errc{} && end == all && std::to_string(whole) == written) return whole;
    return bind_value::numeric(std::move(written));
  }

  std::vector<bind_value> values() {
    if (!in_.take_symbol("(")) in_.fail("expected '(' and values");
    std::vector<bind_value> all;
    if (in_.take_symbol(")")) return all;
    all.push_back(value());
    while (in_.take_symbol(",")) all.push_back(value());
    if (!in_.take_symbol(")")) in_.fail("expected ',' or ')'");
    return all;
  }

  lexer in_;
  int depth_{0};
};

}  // namespace

predicate parse_where(std::string_view text) { return where_parser{text}.run(); }

}  // namespace sluice::tool
