#pragma once
// Shapes each row of a result by wrapping SQL around the caller's query.
#include <memory>
#include <string>
#include <string_view>

#include "engine/decider.hpp"
#include "engine/statement.hpp"

namespace sluice::detail {

/// The query with its columns combined into one JSON object. A CTE, not a subquery, so that INSERT ... RETURNING works
/// too.
[[nodiscard]] std::string as_objects(std::string_view query);
/// The same with other column names, quoted and separated by commas; empty: their own names.
[[nodiscard]] std::string as_objects(std::string_view query, std::string_view names);
/// The query without trailing semicolons and white space. The caller must append a newline, which terminates a comment.
[[nodiscard]] std::string_view without_end(std::string_view query);

/// A single column of type json or jsonb is a document as it is; anything else becomes an object.
[[nodiscard]] bool is_document(const proto::row_description& columns);
[[nodiscard]] std::unique_ptr<wire::decider> detect_shape(const wire::statement& of);

}  // namespace sluice::detail
