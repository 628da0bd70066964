#pragma once
// Access to a relation's order, for merging parts of it.
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
};

}  // namespace sluice::detail
