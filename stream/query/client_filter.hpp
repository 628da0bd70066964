#pragma once
// Evaluates conditions on received rows in place.

#include <memory>
#include <vector>

#include "query/predicate_node.hpp"

namespace sluice::detail {

/// A condition prepared for many rows. It gives the same answers as the server would.
/// @par Thread safety  none: it parses into memory of its own
class client_filter {
 public:
  explicit client_filter(node_ptr what);
  ~client_filter();
  client_filter(const client_filter&) = delete;
  client_filter& operator=(const client_filter&) = delete;

  /// @par Errors  what a local condition throws
  [[nodiscard]] bool matches(const row& each);

 private:
  class evaluation;

  node_ptr what_;
  std::unique_ptr<evaluation> work_;
};

}  // namespace sluice::detail
