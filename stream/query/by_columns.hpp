#pragma once
// A relation without a column of documents.
#include <optional>

#include <sluice/stream/query.hpp>

namespace sluice::detail {

/// The query that reads the columns of a relation instead of its documents; nothing when it needs a document.
/// @param rows  what the query was to return
[[nodiscard]] std::optional<query> by_columns(const relation& of, query::shape rows);

}  // namespace sluice::detail
