#pragma once
// A relation's order, for whoever merges parts of it.
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
  /// What `of` stands for, with the keys as further columns behind the document; all in the binary format.
  [[nodiscard]] static query build(const relation& of);
};

}  // namespace sluice::detail
