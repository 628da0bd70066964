#pragma once
// Bound rows into a table, by COPY.
#include <cstdint>
#include <string>

#include "adbc/bound_rows.hpp"
#include "adbc/session.hpp"
#include "adbc/settings.hpp"

namespace sluice::adbc {

/// Where rows go, and what becomes of the table before.
struct ingest_target {
  enum class mode : std::uint8_t {
    create,            ///< it must not exist
    append,            ///< it must exist
    replace,           ///< it is dropped, and created anew
    create_or_append,  ///< it is created unless it exists
  };

  std::string table{};
  std::string schema{};   ///< empty: by the search path
  std::string catalog{};  ///< empty: the one of the connection
  bool is_temporary{false};
  mode how{mode::create};

  [[nodiscard]] bool is_wanted() const noexcept { return !table.empty(); }
  /// @return whether there is such an option
  bool set(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
};

/// All rows, or none. A table that was created stays only if all of them are there.
/// @return how many
/// @par Errors  throws failure: a type that a table cannot have, with the column's name; error: as `copy_into`
[[nodiscard]] std::uint64_t ingest(session& on, const ingest_target& where, bound_rows& from, const settings& how);

}  // namespace sluice::adbc
