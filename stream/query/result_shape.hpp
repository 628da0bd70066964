#pragma once
// What a row is made into, by SQL around the caller's query.
#include <memory>
#include <string>
#include <string_view>

#include "engine/decider.hpp"
#include "engine/statement.hpp"

namespace sluice::detail {

/// The query with its columns made into one JSON object. A CTE, not a subquery, so that INSERT ... RETURNING works too.
[[nodiscard]] std::string as_objects(std::string_view query);
/// The same with other names for the columns, in quotes and separated by commas; empty: their own.
[[nodiscard]] std::string as_objects(std::string_view query, std::string_view names);
/// The query without what may stand behind it. A newline has to follow, which ends a comment.
[[nodiscard]] std::string_view without_end(std::string_view query);

/// One column of type json or jsonb is a document as it is; anything else becomes an object.
[[nodiscard]] bool is_document(const proto::row_description& columns);
[[nodiscard]] std::unique_ptr<wire::decider> detect_shape(const wire::statement& of);

}  // namespace sluice::detail
