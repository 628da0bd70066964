#pragma once
/// @file
/// Conditions on rows: C++ expressions that become the WHERE clause, with every value bound as a parameter.
///
///     field("status") == "active" && field("profile.age") >= 18
///     field("tags").has("vip") || column("created_at") > an_hour_ago
///     !field("email").ends_with("@example.com") && local([](const row& each) { return is_wanted(each.text()); })
///
/// A row whose field is missing, null or of another JSON type does not match an operator, and never makes the query
/// fail. Logic is two-valued: `!` of a condition matches exactly the rows that the condition does not match. The SQL of
/// each operator, and the index that serves it: docs/predicates.md.

#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/stream/bind_value.hpp>
#include <sluice/stream/row.hpp>

namespace sluice {

namespace detail {
struct node;
struct subject;
enum class test_kind : std::uint8_t;
}  // namespace detail

/// A condition on rows. A value type; copies share their contents.
/// @par Thread safety  as safe as the callables in it
class SLUICE_API predicate {
 public:
  explicit predicate(std::shared_ptr<const detail::node> made) noexcept : made_{std::move(made)} {}

  /// The same condition, evaluated by the client on arriving rows instead of by the server.
  /// @par Errors  throws error: bad_query when it contains an operator that exists only on the server
  [[nodiscard]] predicate on_client() const;

  [[nodiscard]] const std::shared_ptr<const detail::node>& made() const noexcept { return made_; }

  /// Both conditions hold.
  SLUICE_API friend predicate operator&&(const predicate& a, const predicate& b);
  /// At least one of the conditions holds.
  SLUICE_API friend predicate operator||(const predicate& a, const predicate& b);
  /// The condition does not hold; also matches rows whose field is missing or of another type.
  SLUICE_API friend predicate operator!(const predicate& a);

 private:
  std::shared_ptr<const detail::node> made_;
};

// Conditions may be nested 200 levels deep; a chain of `&&` or of `||` is one level, however long it is. Deeper nesting
// throws error: bad_query when the condition is made, and so does a query with more than 65535 values when it is built.

/// All of the conditions; true for an empty list.
[[nodiscard]] SLUICE_API predicate all_of(const std::vector<predicate>& conditions);
/// At least one of the conditions; false for an empty list.
[[nodiscard]] SLUICE_API predicate any_of(const std::vector<predicate>& conditions);

/// SQL of your own that yields a boolean; `$1`, `$2`, ... in it are `values`. NULL counts as false.
/// @par Errors  throws error: bad_query when it names a parameter that is not given, or has an unterminated quote
[[nodiscard]] SLUICE_API predicate sql_predicate(std::string text, std::vector<bind_value> values = {});

/// A condition that only this program can evaluate; it runs on each arriving row that matches the rest.
/// @param test  an exception from it ends the stream
/// @param name  for `explain`
[[nodiscard]] SLUICE_API predicate local(std::function<bool(const row&)> test, std::string name = "local");

/// The subject of a condition: a field of the document, a column, or a measure of one of them. An operator's meaning
/// follows the C++ type of its value, unless an `as_...` says how to read the field.
class SLUICE_API operand {
 public:
  explicit operand(detail::subject what);

  [[nodiscard]] const detail::subject& what() const noexcept { return *what_; }

  // How to read a field of the document. Values that cannot be read that way do not match; docs/predicates.md has the
  // grammars.
  [[nodiscard]] operand as_text() const;         ///< any value, as its text
  [[nodiscard]] operand as_numeric() const;      ///< a number, or a string that holds one
  [[nodiscard]] operand as_bool() const;         ///< true or false, or what the server reads as such: "yes", "off", 1
  [[nodiscard]] operand as_timestamptz() const;  ///< a string that `parse_moment` reads; without a zone it is UTC
  [[nodiscard]] operand as_uuid() const;

  /// A column of a type that an extension defines, such as `public.citext`, compared by that type's own operators.
  /// Other columns are compared by those of `pg_catalog` (so citext compares as text does). For trees and vectors,
  /// including fields, it says in which schema the extension is installed; the default is `public`.
  /// @param name  schema and type
  /// @par Errors  throws error: bad_query for a name without a schema
  [[nodiscard]] operand as_type(std::string_view name) const;

  /// Comparison. With `nullptr` or `nullopt`, `==` is `is_null` and `!=` is `is_not_null`.
  template <std::convertible_to<bind_value> Value>
  friend predicate operator==(const operand& a, const Value& value) {
    return a.equals(bind_value(value));
  }
  template <std::convertible_to<bind_value> Value>
  friend predicate operator!=(const operand& a, const Value& value) {
    return a.differs(bind_value(value));
  }
  template <std::convertible_to<bind_value> Value>
  friend predicate operator<(const operand& a, const Value& value) {
    return a.less(bind_value(value));
  }
  template <std::convertible_to<bind_value> Value>
  friend predicate operator<=(const operand& a, const Value& value) {
    return a.at_most(bind_value(value));
  }
  template <std::convertible_to<bind_value> Value>
  friend predicate operator>(const operand& a, const Value& value) {
    return a.greater(bind_value(value));
  }
  template <std::convertible_to<bind_value> Value>
  friend predicate operator>=(const operand& a, const Value& value) {
    return a.at_least(bind_value(value));
  }
  /// Not equal; also matches where there is nothing to compare.
  [[nodiscard]] predicate is_distinct_from(bind_value value) const;

  // Sets. All values must be of one kind.
  [[nodiscard]] predicate in(std::vector<bind_value> values) const;  ///< matches nothing when empty
  /// Matches everything when empty, even rows without the field.
  [[nodiscard]] predicate not_in(std::vector<bind_value> values) const;
  template <std::ranges::input_range Range>
    requires std::convertible_to<std::ranges::range_value_t<Range>, bind_value>
  [[nodiscard]] predicate in(const Range& values) const {
    return in(std::vector<bind_value>(std::ranges::begin(values), std::ranges::end(values)));
  }
  template <std::ranges::input_range Range>
    requires std::convertible_to<std::ranges::range_value_t<Range>, bind_value>
  [[nodiscard]] predicate not_in(const Range& values) const {
    return not_in(std::vector<bind_value>(std::ranges::begin(values), std::ranges::end(values)));
  }
  [[nodiscard]] predicate between(bind_value least, bind_value most) const;  ///< both bounds included

  // Text. Except in `like` and `ilike`, the given text stands for itself: `%` and `_` are not wildcards. The `i`
  // variants ignore case: on the server according to its locale, on the client for ASCII only.
  [[nodiscard]] predicate like(std::string pattern) const;
  [[nodiscard]] predicate ilike(std::string pattern) const;
  [[nodiscard]] predicate contains(std::string_view text) const;
  [[nodiscard]] predicate icontains(std::string_view text) const;
  [[nodiscard]] predicate starts_with(std::string_view text) const;
  [[nodiscard]] predicate istarts_with(std::string_view text) const;
  [[nodiscard]] predicate ends_with(std::string_view text) const;
  [[nodiscard]] predicate iends_with(std::string_view text) const;
  /// A POSIX regular expression, evaluated by the server; matches anywhere in the text.
  [[nodiscard]] predicate matches_regex(std::string pattern) const;

  // Null. Only `exists` distinguishes a missing field from one that is JSON null.
  [[nodiscard]] predicate is_null() const;
  [[nodiscard]] predicate is_not_null() const;
  [[nodiscard]] predicate exists() const;

  // Documents; `json` is JSON text. An empty path is the whole document.
  [[nodiscard]] predicate contains_json(std::string json) const;
  [[nodiscard]] predicate contained_in_json(std::string json) const;
  [[nodiscard]] predicate has_key(std::string key) const;
  [[nodiscard]] predicate has_any_key(const std::vector<std::string>& keys) const;
  [[nodiscard]] predicate has_all_keys(const std::vector<std::string>& keys) const;
  /// The path selects something (`@?`).
  /// @param variables  a JSON object for `$name` in the path; empty for none
  [[nodiscard]] predicate jsonpath_exists(std::string path, std::string variables = {}) const;
  /// The path's predicate is true (`@@`).
  [[nodiscard]] predicate jsonpath_matches(std::string path, std::string variables = {}) const;

  // Arrays: JSON arrays in the document, SQL arrays in columns.
  [[nodiscard]] predicate has(bind_value element) const;
  [[nodiscard]] predicate has_any(std::vector<bind_value> elements) const;  ///< matches nothing for an empty list
  [[nodiscard]] predicate has_all(std::vector<bind_value> elements) const;  ///< matches every array for an empty list
  /// For comparisons: `field("tags").array_length() > 2`.
  [[nodiscard]] operand array_length() const;

  // Full text, with the name of a text search configuration such as "english".
  [[nodiscard]] predicate matches(std::string query, std::string language = "simple") const;  ///< `to_tsquery`
  [[nodiscard]] predicate plain_query(std::string words, std::string language = "simple") const;
  [[nodiscard]] predicate phrase_query(std::string words, std::string language = "simple") const;
  [[nodiscard]] predicate websearch_query(std::string query, std::string language = "simple") const;

  [[deprecated("use as_numeric()")]] [[nodiscard]] operand as_int() const { return as_numeric(); }
  [[deprecated("use contains_subnet()")]] [[nodiscard]] predicate contains_ip(std::string address) const {
    return contains_subnet(std::move(address));
  }

  // Network addresses: strings in the document, columns of type inet or cidr.
  [[nodiscard]] predicate in_subnet(std::string subnet) const;        ///< or equal to it
  [[nodiscard]] predicate contains_subnet(std::string subnet) const;  ///< or an address; or equal to it
  [[nodiscard]] predicate overlaps(std::string subnet) const;
  [[nodiscard]] predicate is_ipv4() const;
  [[nodiscard]] predicate is_ipv6() const;
  [[nodiscard]] predicate is_private() const;        ///< RFC 1918, RFC 4193
  [[nodiscard]] predicate is_loopback() const;       ///< RFC 1122, RFC 4291
  [[nodiscard]] predicate is_multicast() const;      ///< RFC 5771, RFC 4291
  [[nodiscard]] predicate is_link_local() const;     ///< RFC 3927, RFC 4291
  [[nodiscard]] predicate is_documentation() const;  ///< RFC 5737, RFC 3849, RFC 9637
  [[nodiscard]] predicate is_carrier_grade() const;  ///< RFC 6598

  // Trees: labels separated by dots; extension ltree.
  [[nodiscard]] predicate ancestor_of(std::string path) const;    ///< or equal to it
  [[nodiscard]] predicate descendant_of(std::string path) const;  ///< or equal to it
  [[nodiscard]] predicate matches_lquery(std::string query) const;
  [[nodiscard]] predicate matches_ltxtquery(std::string query) const;
  [[nodiscard]] predicate matches_any_lquery(const std::vector<std::string>& queries) const;
  /// Equals the longest common ancestor of the paths.
  [[nodiscard]] predicate lca_of(const std::vector<std::string>& paths) const;
  /// The number of labels, for comparisons.
  [[nodiscard]] operand depth() const;

  // Vector distances, for comparison with a threshold; extension vector. Hamming and Jaccard distances are of bit
  // strings.
  [[nodiscard]] operand l2_distance(const std::vector<float>& to) const;
  [[nodiscard]] operand cosine_distance(const std::vector<float>& to) const;
  [[nodiscard]] operand inner_product(const std::vector<float>& to) const;  ///< negated, as the extension defines it
  [[nodiscard]] operand l1_distance(const std::vector<float>& to) const;
  [[nodiscard]] operand hamming_distance(std::string bits) const;
  [[nodiscard]] operand jaccard_distance(std::string bits) const;

 private:
  [[nodiscard]] predicate equals(bind_value value) const;
  [[nodiscard]] predicate differs(bind_value value) const;
  [[nodiscard]] predicate less(bind_value value) const;
  [[nodiscard]] predicate at_most(bind_value value) const;
  [[nodiscard]] predicate greater(bind_value value) const;
  [[nodiscard]] predicate at_least(bind_value value) const;
  [[nodiscard]] predicate test(detail::test_kind how, std::vector<bind_value> values = {}) const;

  std::shared_ptr<const detail::subject> what_;
};

/// A field of the document by its path: `a.b.c`. Write a part with unusual characters in double quotes (`"a.b".c`),
/// with quotes inside it doubled; the empty key is `""`. A part that is a number also indexes an array, from 0.
/// @par Errors  throws error: bad_query for an empty part without quotes, a zero byte, an unterminated quote, or text
///              that is not UTF-8
[[nodiscard]] SLUICE_API operand field(std::string_view path);
/// The same by its parts, which may be any text; with no parts, the whole document.
[[nodiscard]] SLUICE_API operand field(std::initializer_list<std::string_view> parts);
[[nodiscard]] SLUICE_API operand field(std::vector<std::string> parts);
/// A column of the relation. Values are compared in the column's own type.
[[nodiscard]] SLUICE_API operand column(std::string_view name);

}  // namespace sluice
