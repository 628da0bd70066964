#pragma once
// What a predicate is made of: a tree of conditions with tests of operands at its leaves.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/bind_value.hpp>
#include <sluice/stream/row.hpp>

namespace sluice::detail {

/// What a test is about.
struct subject {
  enum class source : std::uint8_t { field, column };
  enum class reading : std::uint8_t { by_value, text, numeric, boolean, timestamptz, uuid };
  enum class measure : std::uint8_t { none, array_length, depth, l2, cosine, inner_product, l1, hamming, jaccard };

  source from{source::field};
  std::vector<std::string> path;  ///< of a field; the name of a column
  reading as{reading::by_value};
  measure measured{measure::none};
  std::string to{};                 ///< of a distance: the other vector
  std::vector<std::string> type{};  ///< schema and name of a type that an extension brought; empty: it is in `public`
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

/// Conditions may be nested this deep, so that nobody who walks the tree runs out of stack. A chain of `&&`, or of
/// `||`, is one level however long it is.
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
  bool on_client{false};    ///< a test that is not to be pushed
  std::uint32_t levels{0};  ///< below it, as they count for `most_levels`
  std::uint32_t height{0};  ///< of the tree below it
};

using node_ptr = std::shared_ptr<const node>;

/// The same condition, with an AND in an AND and an OR in an OR dissolved.
[[nodiscard]] node_ptr flattened(const node_ptr& whole);

/// What a value is when it is compared with a field of a document.
enum class value_kind : std::uint8_t { text, number, boolean, timestamptz, uuid, json, other };
[[nodiscard]] value_kind kind_of(const bind_value& value) noexcept;

/// Its words for `explain`, such as `profile.age >= (number)`; never a value.
[[nodiscard]] std::string describe(const node& what);

/// SQL for a condition, with its values appended to `parameters`.
/// @param documents  the quoted name of the column with the documents
[[nodiscard]] std::string to_sql(const node& what, const std::string& documents, std::vector<bind_value>& parameters);

/// SQL to order by; the cast of a value that it is compared with, and the operator between them.
[[nodiscard]] std::string sortable(const subject& by, const std::string& documents);
[[nodiscard]] std::string sortable_cast(const subject& by, const bind_value& value);
[[nodiscard]] std::string sortable_infix(const subject& by, std::string_view symbol);

/// Whether the client can evaluate the test.
[[nodiscard]] bool runs_on_client(const node& test) noexcept;

/// A condition split in two: a row matches the whole exactly when it matches both parts.
struct plan {
  node_ptr server{};  ///< null: every row
  node_ptr client{};  ///< null: nothing is left
};
[[nodiscard]] plan split(const node_ptr& whole);

}  // namespace sluice::detail
