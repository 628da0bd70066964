#pragma once
// The structure of a predicate: a tree of conditions whose leaves test operands.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/bind_value.hpp>
#include <sluice/stream/row.hpp>

namespace sluice::detail {

/// What a test examines.
struct subject {
  enum class source : std::uint8_t { field, column };
  enum class reading : std::uint8_t { by_value, text, numeric, boolean, timestamptz, uuid };
  enum class measure : std::uint8_t { none, array_length, depth, l2, cosine, inner_product, l1, hamming, jaccard };

  source from{source::field};
  std::vector<std::string> path;  ///< of a field; or the name of a column
  reading as{reading::by_value};
  measure measured{measure::none};
  std::string to{};                 ///< of a distance: the other vector
  std::vector<std::string> type{};  ///< schema and name of an extension's type; empty: in `public`
};

enum class test_kind : std::uint8_t {
  equal,
  different,
  less,
  at_most,
  greater,
  at_least,
  in,
  not_in,
  like,
  ilike,
  regex,
  null,
  not_null,
  exists,
  contains_json,
  contained_in_json,
  has_key,
  has_any_key,
  has_all_keys,
  jsonpath_exists,
  jsonpath_matches,
  has,
  has_any,
  has_all,
  full_text,  // values: language, function, query
  subnet_of,  // or equal to any of the values
  supernet_of,
  overlaps,
  family,  // 4 or 6
  ancestor_of,
  descendant_of,
  lquery,
  ltxtquery,
  any_lquery,
  lca_of,
};

/// The maximum nesting depth of conditions, so that walking the tree cannot exhaust the stack. A chain of `&&` or of
/// `||` is one level, however long it is.
inline constexpr std::uint32_t most_levels = 200;

struct node {
  enum class kind : std::uint8_t { all, any, negation, test, sql, local };

  kind what;
  std::vector<std::shared_ptr<const node>> children{};
  std::shared_ptr<const subject> about{};
  test_kind how{};
  std::vector<bind_value> values{};
  std::string text{};  ///< SQL, or the name of a local test
  std::function<bool(const row&)> call{};
  bool on_client{false};    ///< a test that must not be pushed down
  std::uint32_t levels{0};  ///< below it, as they count for `most_levels`
  std::uint32_t height{0};  ///< of the tree below it
};

using node_ptr = std::shared_ptr<const node>;

/// The same condition, with nested ANDs and nested ORs merged into one.
[[nodiscard]] node_ptr flattened(const node_ptr& whole);

/// What a value counts as when compared with a field of a document.
enum class value_kind : std::uint8_t { text, number, boolean, timestamptz, uuid, json, other };
[[nodiscard]] value_kind kind_of(const bind_value& value) noexcept;

/// A description for `explain`, such as `profile.age >= (number)`; it never contains a value.
[[nodiscard]] std::string describe(const node& what);

/// SQL for a condition, with its values appended to `parameters`.
/// @param documents  the quoted name of the column with the documents; empty: each field is a column, or a field of one
///                   that is json
[[nodiscard]] std::string to_sql(const node& what, const std::string& documents, std::vector<bind_value>& parameters);

/// SQL to order by; the cast of a value that it is compared with, and the operator between them.
[[nodiscard]] std::string sortable(const subject& by, const std::string& documents);
[[nodiscard]] std::string sortable_cast(const subject& by, const bind_value& value, const std::string& documents);
[[nodiscard]] std::string sortable_infix(const subject& by, std::string_view symbol);

/// A field as json, or a column as it is; and either as text.
/// @param documents  as for `to_sql`
[[nodiscard]] std::string json_of(const std::string& documents, const std::vector<std::string>& path);
[[nodiscard]] std::string text_of(const std::string& documents, const std::vector<std::string>& path);

/// Whether the client can evaluate the test.
[[nodiscard]] bool runs_on_client(const node& test) noexcept;

/// A condition split in two: a row matches the whole if and only if it matches both parts.
struct plan {
  node_ptr server{};  ///< null: every row
  node_ptr client{};  ///< null: nothing remains
};
[[nodiscard]] plan split(const node_ptr& whole);

}  // namespace sluice::detail
