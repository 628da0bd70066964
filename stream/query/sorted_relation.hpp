#pragma once
// Access to a relation's order and documents, for dividing it and merging its parts.
#include <string>
#include <vector>

#include <sluice/stream/query.hpp>

namespace sluice::detail {

class sorted_relation {
 public:
  struct key {
    std::string sql;
    bool descending;
    bool nulls_first;
  };
  [[nodiscard]] static std::vector<key> keys(const relation& of);
  /// The query for `of`, with the keys as additional columns after the document; all in the binary format.
  [[nodiscard]] static query build(const relation& of);
  /// The document of a row, in SQL.
  [[nodiscard]] static std::string document(const relation& of) {
    return of.column_.empty() ? of.object_sql() : of.document_sql();
  }
  /// Whether it is read as columns.
  [[nodiscard]] static bool has_formats(const relation& of) noexcept { return of.choice_ != nullptr; }
  /// Whether nobody has said where its documents are.
  [[nodiscard]] static bool has_default_column(const relation& of) noexcept { return of.is_default_column_; }
};

}  // namespace sluice::detail
