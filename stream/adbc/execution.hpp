#pragma once
// Runs statements: their results as streams, or the number of rows that they change.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sluice/arrow/batch.hpp>
#include <sluice/stream/query.hpp>
#include <sluice/wire/result_columns.hpp>

#include "adbc/bound_rows.hpp"
#include "adbc/open_result.hpp"
#include "adbc/session.hpp"
#include "adbc/settings.hpp"

namespace sluice::adbc {

/// The number of affected rows where nobody knows it.
inline constexpr std::int64_t unknown_rows{-1};

/// What is to be run.
struct job {
  std::shared_ptr<session> on;
  std::string sql{};
  settings how{};
  owner by{the_connection};
  std::unique_ptr<bound_rows> bound{};  ///< null: nothing was bound
};

// All of these need a turn on the connection.

/// The columns of a statement, which is not run; none if it returns no rows.
/// @param parameters  of which only the types count
[[nodiscard]] result_columns describe(session& on, query what, const settings& how);
/// The types of parameters that a statement would be run with, as values that are NULL.
[[nodiscard]] std::vector<bind_value> typed_nulls(const input_batch& bound);
[[nodiscard]] arrow_schema schema_of(const result_columns& columns, const settings& how);
/// The types that a statement's parameters have, as their names in SQL.
[[nodiscard]] std::vector<std::string> parameter_types(session& on, const std::string& sql);

/// Runs a statement and hands its rows to a stream. Errors that come before the first row are thrown.
/// @param affected  set for a statement that returns no rows; `unknown_rows` for others
/// @return null: the statement returns no rows, and is over
std::shared_ptr<open_result> run_query(job what, ArrowArrayStream* to, std::int64_t& affected);
/// Runs a statement and drops its rows: once, or for each row that was bound, all or none.
/// @return the number of affected rows
std::int64_t run_command(job what);

}  // namespace sluice::adbc
