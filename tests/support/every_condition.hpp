#pragma once
// One condition for each operator, reading, measure and kind of value, of fields and of columns. Add new ones here.
#include <chrono>
#include <string>
#include <vector>

#include <sluice/stream/predicate.hpp>

namespace sluice::test {

/// Conditions on a field "v" and on the columns of `every_column`.
inline std::vector<predicate> every_condition() {
  using std::chrono::sys_days;
  using std::chrono::year;
  const operand v = field("v");
  const bind_value moment = sys_days{year{2024} / 2 / 29};
  const bind_value key = bind_value::uuid("123e4567-e89b-12d3-a456-426614174000");
  std::vector<predicate> all;
  const auto add = [&](predicate one) { all.push_back(std::move(one)); };
  const auto compare = [&](const operand& of, const bind_value& value) {
    add(of == value);
    add(of != value);
    add(of < value);
    add(of <= value);
    add(of > value);
    add(of >= value);
    add(of.is_distinct_from(value));
    add(of.in({value, value}));
    add(of.not_in({value, value}));
    add(of.between(value, value));
  };
  compare(v, "a");
  compare(v, 5);
  compare(v, 5.5);
  compare(v, bind_value::numeric("5.5"));
  compare(v, true);
  compare(v, moment);
  compare(v, key);
  compare(v.as_text(), "a");
  compare(v.as_numeric(), 5);
  compare(v.as_numeric(), 5.5);
  compare(v.as_bool(), true);
  compare(v.as_timestamptz(), "2024-02-29 00:00+00");
  compare(v.as_uuid(), "123e4567-e89b-12d3-a456-426614174000");
  compare(v.array_length(), 2);
  compare(v.depth(), 2);
  compare(column("n"), 7);
  compare(column("f"), 1.5);
  compare(column("name"), "Ada");
  compare(column("at"), moment);
  compare(column("key"), key);
  compare(column("tags").array_length(), 2);
  compare(column("path").depth(), 2);
  compare(column("path").as_type("public.ltree"), "top.art");
  for (const bind_value& value : {bind_value::json("[1]")}) {
    add(v == value);
    add(v != value);
    add(column("j") == value);
    add(column("b") != value);
  }
  for (const operand& of : {v, v.as_text(), column("name")}) {
    add(of.like("a%"));
    add(of.ilike("a%"));
    add(of.contains("a"));
    add(of.icontains("a"));
    add(of.starts_with("a"));
    add(of.istarts_with("a"));
    add(of.ends_with("a"));
    add(of.iends_with("a"));
    add(of.matches_regex("a"));
    add(of.matches("a", "english"));
    add(of.plain_query("a"));
    add(of.phrase_query("a"));
    add(of.websearch_query("a"));
    add(of.is_null());
    add(of.is_not_null());
    add(of.exists());
    add(!of.is_null());
  }
  for (const operand& of : {v, field("a.b"), field("v.0"), field({}), column("j"), column("b")}) {
    add(of.contains_json("{}"));
    add(of.contained_in_json("{}"));
    add(of.has_key("a"));
    add(of.has_any_key({"a", "b"}));
    add(of.has_all_keys({"a", "b"}));
    add(of.jsonpath_exists("$.a"));
    add(of.jsonpath_matches("$.a > 1"));
    add(of.jsonpath_exists("$.a ? (@ > $x)", R"({"x": 1})"));
    add(of.jsonpath_matches("$.a > $x", R"({"x": 1})"));
  }
  for (const operand& of : {v, column("tags")}) {
    add(of.has("a"));
    add(of.has_any({"a", "b"}));
    add(of.has_all({"a", "b"}));
  }
  for (const operand& of : {v, column("host")}) {
    add(of.in_subnet("10.0.0.0/8"));
    add(of.contains_subnet("10.0.0.0/8"));
    add(of.overlaps("10.0.0.0/8"));
    add(of.is_ipv4());
    add(of.is_ipv6());
    add(of.is_private());
    add(of.is_loopback());
    add(of.is_multicast());
    add(of.is_link_local());
    add(of.is_documentation());
    add(of.is_carrier_grade());
  }
  for (const operand& of : {v, column("path"), column("path").as_type("public.ltree")}) {
    add(of.ancestor_of("top"));
    add(of.descendant_of("top"));
    add(of.matches_lquery("top.*"));
    add(of.matches_ltxtquery("top"));
    add(of.matches_any_lquery({"top.*"}));
    add(of.lca_of({"top.a", "top.b"}));
  }
  return all;
}

/// Conditions on vectors, which need an extension that is not installed everywhere.
inline std::vector<predicate> every_distance() {
  std::vector<predicate> all;
  for (const operand& of : {field("v"), column("e"), column("e").as_type("ext.halfvec")}) {
    all.push_back(of.l2_distance({1, 2}) < 1);
    all.push_back(of.cosine_distance({1, 2}) < 1);
    all.push_back(of.inner_product({1, 2}) < 1);
    all.push_back(of.l1_distance({1, 2}) < 1);
  }
  all.push_back(column("e").hamming_distance("101") < 1);
  all.push_back(column("e").jaccard_distance("101") < 1);
  return all;
}

/// One sort key of every kind.
inline std::vector<operand> every_key() {
  const operand v = field("v");
  return {v,
          v.as_text(),
          v.as_numeric(),
          v.as_bool(),
          v.as_timestamptz(),
          v.as_uuid(),
          v.array_length(),
          v.depth(),
          field("v.0"),
          column("n"),
          column("name"),
          column("at"),
          column("path").as_type("public.ltree")};
}

}  // namespace sluice::test
