#include <sluice/stream/predicate.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include <sluice/proto/oid.hpp>
#include <sluice/wire/error.hpp>

#include "query/bad_query.hpp"
#include "query/predicate_node.hpp"
#include "query/quoting.hpp"

namespace sluice {

using detail::node;
using detail::refuse;
using detail::subject;
using detail::test_kind;

namespace {

predicate made(node&& what) { return predicate{std::make_shared<const node>(std::move(what))}; }

/// Adds a child and updates the levels and the height.
void add(node& to, const detail::node_ptr& child) {
  const bool is_chain = child->what == to.what && to.what != node::kind::negation;
  to.levels = std::max(to.levels, child->levels + (is_chain ? 0U : 1U));
  to.height = std::max(to.height, child->height + 1);
  to.children.push_back(child);
}

void add_dissolved(node& to, const detail::node_ptr& part) {
  if (part->what != to.what) return add(to, detail::flattened(part));
  for (const detail::node_ptr& child : part->children) add_dissolved(to, child);
}

/// Chains that grow one condition at a time start out as trees whose height is their length. Flattening at each step
/// would take quadratic time; never flattening would take unbounded stack.
predicate joined(node::kind how, const std::vector<predicate>& conditions) {
  node whole{.what = how};
  for (const predicate& each : conditions) add(whole, each.made());
  if (whole.levels > detail::most_levels)
    refuse("conditions nested in more than " + std::to_string(detail::most_levels) + " levels");
  const auto joint = std::make_shared<const node>(std::move(whole));
  const bool is_high = joint->height > 2 * detail::most_levels;
  return predicate{is_high ? detail::flattened(joint) : joint};
}

/// The text as a LIKE pattern that matches it literally.
std::string escaped(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

detail::node_ptr moved_to_client(const detail::node_ptr& from) {
  node copy = *from;
  switch (copy.what) {
    case node::kind::sql: refuse("a predicate in SQL can only run on the server");
    case node::kind::local: return from;
    case node::kind::test:
      if (!detail::runs_on_client(copy)) refuse("only the server can evaluate: " + detail::describe(copy));
      copy.on_client = true;
      break;
    case node::kind::all:
    case node::kind::any:
    case node::kind::negation:
      for (detail::node_ptr& child : copy.children) child = moved_to_client(child);
      break;
  }
  return std::make_shared<const node>(std::move(copy));
}

std::string vector_text(const std::vector<float>& numbers) {
  std::string text{"["};
  for (const float each : numbers) {
    if (!std::isfinite(each)) refuse("a vector with an element that is not finite");
    if (text.size() > 1) text += ',';
    text += *bind_value(static_cast<double>(each)).text();
  }
  return text + ']';
}

/// Rejected here because the server would fail the query at the first row whose text reaches the end of such a pattern.
void check_pattern(std::string_view pattern) {
  std::size_t backslashes = 0;
  while (backslashes < pattern.size() && pattern[pattern.size() - 1 - backslashes] == '\\') ++backslashes;
  if (backslashes % 2 != 0) refuse("a pattern of LIKE that ends with an escape character: write \\\\ for a backslash");
}

/// Dates in documents are read as timestamps, so the date must be in the range of a timestamp.
void check_moment(const bind_value& date) {
  const std::string& text = *date.text();
  constexpr int last_year = 294'276;
  if (date.type() == proto::oid::date && text.front() != '-' && !text.ends_with("BC") &&
      std::atoi(text.c_str()) > last_year)
    refuse("the date " + text + " is beyond what a timestamp can be: the last year is 294276");
}

std::vector<bind_value> values_of(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

}  // namespace

detail::node_ptr detail::flattened(const node_ptr& whole) {
  if (whole->children.empty()) return whole;
  node flat{.what = whole->what};
  for (const node_ptr& child : whole->children) {
    if (whole->what == node::kind::negation)
      add(flat, flattened(child));
    else
      add_dissolved(flat, child);
  }
  return std::make_shared<const node>(std::move(flat));
}

predicate predicate::on_client() const { return predicate{moved_to_client(made_)}; }

predicate operator&&(const predicate& a, const predicate& b) { return joined(node::kind::all, {a, b}); }
predicate operator||(const predicate& a, const predicate& b) { return joined(node::kind::any, {a, b}); }
predicate operator!(const predicate& a) {
  if (a.made()->what == node::kind::negation) return predicate{a.made()->children.front()};
  return joined(node::kind::negation, {a});
}
predicate all_of(const std::vector<predicate>& conditions) { return joined(node::kind::all, conditions); }
predicate any_of(const std::vector<predicate>& conditions) { return joined(node::kind::any, conditions); }

predicate sql_predicate(std::string text, std::vector<bind_value> values) {
  (void)detail::renumbered(text, 0, values.size());  // only validates the text
  return made({.what = node::kind::sql, .values = std::move(values), .text = std::move(text)});
}

predicate local(std::function<bool(const row&)> test, std::string name) {
  if (!test) refuse("a local condition without a function");
  return made({.what = node::kind::local, .text = std::move(name), .call = std::move(test)});
}

operand::operand(subject what) : what_{std::make_shared<const subject>(std::move(what))} {}

namespace {
subject read_as(subject what, subject::reading as) {
  if (what.measured != subject::measure::none) refuse("what is measured is a number already");
  what.as = as;
  return what;
}
subject measured(subject what, subject::measure by, std::string to = {}) {
  if (what.measured != subject::measure::none) refuse("what is measured cannot be measured again");
  what.measured = by;
  what.to = std::move(to);
  return what;
}
subject bits(const subject& what, subject::measure by, std::string to) {
  if (to.empty() || to.find_first_not_of("01") != to.npos) refuse("a bit string holds 0 and 1");
  if (what.from != subject::source::column) refuse("distances of bit strings are for columns");
  return measured(what, by, std::move(to));
}
}  // namespace

operand operand::as_text() const { return operand{read_as(*what_, subject::reading::text)}; }
operand operand::as_numeric() const { return operand{read_as(*what_, subject::reading::numeric)}; }
operand operand::as_bool() const { return operand{read_as(*what_, subject::reading::boolean)}; }
operand operand::as_timestamptz() const { return operand{read_as(*what_, subject::reading::timestamptz)}; }
operand operand::as_uuid() const { return operand{read_as(*what_, subject::reading::uuid)}; }
operand operand::as_type(std::string_view name) const {
  subject of = read_as(*what_, subject::reading::by_value);
  of.type = detail::split_path(name, "type name");
  if (of.type.size() != 2) refuse("a type is named with its schema, such as public.citext");
  for (const std::string& part : of.type) detail::check_name(part, "part of a type name");
  return operand{std::move(of)};
}
operand operand::array_length() const { return operand{measured(*what_, subject::measure::array_length)}; }
operand operand::depth() const { return operand{measured(*what_, subject::measure::depth)}; }
operand operand::l2_distance(const std::vector<float>& to) const {
  return operand{measured(*what_, subject::measure::l2, vector_text(to))};
}
operand operand::cosine_distance(const std::vector<float>& to) const {
  return operand{measured(*what_, subject::measure::cosine, vector_text(to))};
}
operand operand::inner_product(const std::vector<float>& to) const {
  return operand{measured(*what_, subject::measure::inner_product, vector_text(to))};
}
operand operand::l1_distance(const std::vector<float>& to) const {
  return operand{measured(*what_, subject::measure::l1, vector_text(to))};
}
operand operand::hamming_distance(std::string to) const {
  return operand{bits(*what_, subject::measure::hamming, std::move(to))};
}
operand operand::jaccard_distance(std::string to) const {
  return operand{bits(*what_, subject::measure::jaccard, std::move(to))};
}

predicate operand::test(test_kind how, std::vector<bind_value> values) const {
  const bool compares = how <= test_kind::not_in;
  if (what_->measured != subject::measure::none && !compares) refuse("what is measured can only be compared");
  const bool in_document = what_->from == subject::source::field;
  const bool is_cast = !what_->type.empty() && what_->measured == subject::measure::none;
  const bool is_of_a_tree = how >= test_kind::ancestor_of;
  if (is_cast && in_document && !is_of_a_tree) refuse("a field cannot be cast to a type that is not known here");
  const bool has = how == test_kind::has || how == test_kind::has_any || how == test_kind::has_all;
  for (const bind_value& each : values) {
    if (!in_document || !each.text() || !(compares || has)) continue;
    if (detail::kind_of(each) == detail::value_kind::number && each.text()->find_first_of("an") != each.text()->npos)
      refuse("infinity and NaN are no numbers of a document");
    check_moment(each);
  }
  if (!values.empty() && compares) {
    const detail::value_kind kind = detail::kind_of(values.front());
    for (const bind_value& each : values) {
      if (!each.text()) refuse("NULL cannot be compared with: use is_null or is_not_null");
      if (detail::kind_of(each) != kind) refuse("values of different kinds in one comparison");
    }
    if (in_document && kind == detail::value_kind::other) refuse("a value that no document holds: bytes or an array");
    if (in_document && kind == detail::value_kind::json && how != test_kind::equal && how != test_kind::different)
      refuse("JSON is compared by == and != only; see also contains_json");
  }
  return made({.what = node::kind::test, .about = what_, .how = how, .values = std::move(values)});
}

predicate operand::equals(bind_value value) const {
  return value.text() ? test(test_kind::equal, {std::move(value)}) : is_null();
}
predicate operand::differs(bind_value value) const {
  return value.text() ? test(test_kind::different, {std::move(value)}) : is_not_null();
}
predicate operand::less(bind_value value) const { return test(test_kind::less, {std::move(value)}); }
predicate operand::at_most(bind_value value) const { return test(test_kind::at_most, {std::move(value)}); }
predicate operand::greater(bind_value value) const { return test(test_kind::greater, {std::move(value)}); }
predicate operand::at_least(bind_value value) const { return test(test_kind::at_least, {std::move(value)}); }
predicate operand::is_distinct_from(bind_value value) const { return !equals(std::move(value)); }
predicate operand::in(std::vector<bind_value> values) const {
  return values.empty() ? any_of({}) : test(test_kind::in, std::move(values));
}
predicate operand::not_in(std::vector<bind_value> values) const {
  return values.empty() ? all_of({}) : test(test_kind::not_in, std::move(values));
}
predicate operand::between(bind_value least, bind_value most) const {
  return at_least(std::move(least)) && at_most(std::move(most));
}

predicate operand::like(std::string pattern) const {
  check_pattern(pattern);
  return test(test_kind::like, {std::move(pattern)});
}
predicate operand::ilike(std::string pattern) const {
  check_pattern(pattern);
  return test(test_kind::ilike, {std::move(pattern)});
}
predicate operand::contains(std::string_view text) const { return like('%' + escaped(text) + '%'); }
predicate operand::icontains(std::string_view text) const { return ilike('%' + escaped(text) + '%'); }
predicate operand::starts_with(std::string_view text) const { return like(escaped(text) + '%'); }
predicate operand::istarts_with(std::string_view text) const { return ilike(escaped(text) + '%'); }
predicate operand::ends_with(std::string_view text) const { return like('%' + escaped(text)); }
predicate operand::iends_with(std::string_view text) const { return ilike('%' + escaped(text)); }
predicate operand::matches_regex(std::string pattern) const { return test(test_kind::regex, {std::move(pattern)}); }

predicate operand::is_null() const { return test(test_kind::null); }
predicate operand::is_not_null() const { return test(test_kind::not_null); }
predicate operand::exists() const { return test(test_kind::exists); }

predicate operand::contains_json(std::string json) const { return test(test_kind::contains_json, {std::move(json)}); }
predicate operand::contained_in_json(std::string json) const {
  return test(test_kind::contained_in_json, {std::move(json)});
}
predicate operand::has_key(std::string key) const { return test(test_kind::has_key, {std::move(key)}); }
predicate operand::has_any_key(const std::vector<std::string>& keys) const {
  return test(test_kind::has_any_key, values_of(keys));
}
predicate operand::has_all_keys(const std::vector<std::string>& keys) const {
  return test(test_kind::has_all_keys, values_of(keys));
}
predicate operand::jsonpath_exists(std::string path, std::string variables) const {
  return test(test_kind::jsonpath_exists, {std::move(path), std::move(variables)});
}
predicate operand::jsonpath_matches(std::string path, std::string variables) const {
  return test(test_kind::jsonpath_matches, {std::move(path), std::move(variables)});
}

predicate operand::has(bind_value element) const { return has_all({std::move(element)}); }
predicate operand::has_any(std::vector<bind_value> elements) const {
  return elements.empty() ? any_of({}) : test(test_kind::has_any, std::move(elements));
}
predicate operand::has_all(std::vector<bind_value> elements) const {
  return test(test_kind::has_all, std::move(elements));
}

predicate operand::matches(std::string query, std::string language) const {
  return test(test_kind::full_text, {std::move(language), "to_tsquery", std::move(query)});
}
predicate operand::plain_query(std::string words, std::string language) const {
  return test(test_kind::full_text, {std::move(language), "plainto_tsquery", std::move(words)});
}
predicate operand::phrase_query(std::string words, std::string language) const {
  return test(test_kind::full_text, {std::move(language), "phraseto_tsquery", std::move(words)});
}
predicate operand::websearch_query(std::string query, std::string language) const {
  return test(test_kind::full_text, {std::move(language), "websearch_to_tsquery", std::move(query)});
}

predicate operand::in_subnet(std::string subnet) const { return test(test_kind::subnet_of, {std::move(subnet)}); }
predicate operand::contains_subnet(std::string subnet) const {
  return test(test_kind::supernet_of, {std::move(subnet)});
}
predicate operand::overlaps(std::string subnet) const { return test(test_kind::overlaps, {std::move(subnet)}); }
predicate operand::is_ipv4() const { return test(test_kind::family, {4}); }
predicate operand::is_ipv6() const { return test(test_kind::family, {6}); }
predicate operand::is_private() const {
  return test(test_kind::subnet_of, {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"});
}
predicate operand::is_loopback() const { return test(test_kind::subnet_of, {"127.0.0.0/8", "::1/128"}); }
predicate operand::is_multicast() const { return test(test_kind::subnet_of, {"224.0.0.0/4", "ff00::/8"}); }
predicate operand::is_link_local() const { return test(test_kind::subnet_of, {"169.254.0.0/16", "fe80::/10"}); }
predicate operand::is_documentation() const {
  return test(test_kind::subnet_of,
              {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"});
}
predicate operand::is_carrier_grade() const { return test(test_kind::subnet_of, {"100.64.0.0/10"}); }

predicate operand::ancestor_of(std::string path) const { return test(test_kind::ancestor_of, {std::move(path)}); }
predicate operand::descendant_of(std::string path) const { return test(test_kind::descendant_of, {std::move(path)}); }
predicate operand::matches_lquery(std::string query) const { return test(test_kind::lquery, {std::move(query)}); }
predicate operand::matches_ltxtquery(std::string query) const { return test(test_kind::ltxtquery, {std::move(query)}); }
predicate operand::matches_any_lquery(const std::vector<std::string>& queries) const {
  return test(test_kind::any_lquery, values_of(queries));
}
predicate operand::lca_of(const std::vector<std::string>& paths) const {
  return test(test_kind::lca_of, values_of(paths));
}

operand field(std::string_view path) { return field(detail::split_path(path)); }
operand field(std::initializer_list<std::string_view> parts) {
  return field(std::vector<std::string>(parts.begin(), parts.end()));
}
operand field(std::vector<std::string> parts) {
  for (const std::string& part : parts) detail::check_text(part, "part of a path");
  return operand{subject{.from = subject::source::field, .path = std::move(parts)}};
}
operand column(std::string_view name) {
  detail::check_name(name, "name of a column");
  return operand{subject{.from = subject::source::column, .path = {std::string{name}}}};
}

}  // namespace sluice
