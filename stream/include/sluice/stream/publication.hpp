#pragma once
/// @file
/// CREATE PUBLICATION with row filters and column lists, so that the server sends only what a change stream needs.
///
///     sluice::publication_table orders{.name = "app.orders", .columns = {"id", "state"}};
///     orders.where = sluice::field("state") != "draft" && sluice::local(is_wanted);
///     const sluice::publication_plan plan = sluice::publication_sql("search", {orders});
///     co_await db.execute(plan.sql);
///     how.where_of = plan.left;        // of the change stream
///
/// @see PostgreSQL documentation, section "Row Filters"; docs/changes.md

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/export.hpp>
#include <sluice/stream/predicate.hpp>

namespace sluice {

/// A table of a publication, and what is published of it.
struct publication_table {
  std::string name{};                  ///< schema-qualified if need be; as for `from`
  std::optional<predicate> where{};    ///< rows for which this holds; a column is a `field` or a `column`
  std::vector<std::string> columns{};  ///< all if empty
};

struct publication_options {
  /// Publishes only inserts. Otherwise columns in conditions have to be part of the replica identity, and a column list
  /// has to include all of it: if not, the server refuses **every update and delete of the table**, for all clients.
  bool inserts_only{false};
  bool via_partition_root{false};        ///< changes of partitions are published as those of the partitioned table
  std::uint32_t server_version{150000};  ///< 150004 is 15.4; before 15 there are no row filters and no column lists
};

/// Where each part of the conditions is evaluated.
struct SLUICE_API publication_plan {
  std::string sql{};  ///< CREATE PUBLICATION; values are in it, as quoted literals
  /// What stays on the client: for `change_options::where_of`.
  std::map<std::string, predicate, std::less<>> left{};
  std::string explained{};  ///< for people: where each part of a condition is evaluated, and why; never a value
};

/// Renders CREATE PUBLICATION. A publication has no parameters, so values become literals. Sends nothing.
///
/// As much of a condition is pushed as a row filter may contain: columns, constants, and built-in immutable operators
/// and functions. The rest, and what is `local` or `on_client`, stays on the client; a part that is implied by the
/// whole is pushed. The server checks the filter against the types of the columns, and refuses one that is not allowed.
/// @par Errors  throws error: bad_query for a condition of which a part can be evaluated neither in a row filter nor on
///              the client, for names that cannot be quoted, no table, and a column list before 15
[[nodiscard]] SLUICE_API publication_plan publication_sql(std::string_view name,
                                                          const std::vector<publication_table>& tables,
                                                          const publication_options& how = {});

}  // namespace sluice
