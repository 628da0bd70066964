#pragma once
// What is left of a query when the server has done its part.

#include <cstdint>
#include <optional>

#include "query/predicate_node.hpp"

namespace sluice::detail {

struct client_part {
  node_ptr filter;
  std::uint64_t offset{0};               ///< rows that match and are passed over
  std::optional<std::uint64_t> limit{};  ///< rows to deliver after those; then the server is stopped
};

}  // namespace sluice::detail
