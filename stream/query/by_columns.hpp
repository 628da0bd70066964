#pragma once
// A relation without a column of documents.
#include <memory>
#include <optional>

#include <sluice/stream/query.hpp>

namespace sluice::detail {

/// The query that reads the columns of a relation instead of its documents; nothing when it needs a document.
/// @param like  what the query was to return
[[nodiscard]] std::optional<query> by_columns(const relation& of, query::shape like,
                                              const std::shared_ptr<const format_choice>& choice);
[[nodiscard]] inline std::optional<query> by_columns(const relation& of, const query& like) {
  return by_columns(of, like.rows(), like.choice());
}

}  // namespace sluice::detail
