#pragma once
// What a connection tells of itself, and of the catalog of its database.
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sluice/arrow/batch.hpp>

#include "adbc/abi.hpp"
#include "adbc/column_tree.hpp"
#include "adbc/session.hpp"
#include "adbc/settings.hpp"

namespace sluice::adbc {

// All of these need a turn on the connection.

/// @param codes  what is wanted; nothing: all. Unknown codes are left out
[[nodiscard]] std::unique_ptr<column_tree> information(session& on,
                                                       const std::optional<std::set<std::uint32_t>>& codes);
[[nodiscard]] std::unique_ptr<column_tree> table_types();
/// @param schema  empty: by the search path
[[nodiscard]] arrow_schema table_schema(session& on, const char* catalog, const char* schema, const std::string& table,
                                        const settings& how);

/// Which objects are wanted: names as patterns of LIKE without escapes; nothing for all.
struct object_filter {
  adbc::depth depth{adbc::depth::all};
  std::optional<std::string> catalog{};
  std::optional<std::string> schema{};
  std::optional<std::string> table{};
  std::optional<std::vector<std::string>> types{};
  std::optional<std::string> column{};
};
/// Catalogs, with their schemas, with their tables, with their columns and constraints.
[[nodiscard]] std::unique_ptr<column_tree> objects(session& on, const object_filter& wanted);

/// A kind of relation as the catalog and as ADBC name it.
struct relation_kind {
  char in_catalog;
  std::string_view name;
};
[[nodiscard]] std::vector<relation_kind> relation_kinds();

}  // namespace sluice::adbc
