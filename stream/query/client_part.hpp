#pragma once
// What remains of a query for the client after the server has done its part.

#include <cstdint>
#include <optional>

#include "query/predicate_node.hpp"

namespace sluice::detail {

struct client_part {
  node_ptr filter;
  std::uint64_t offset{0};               ///< matching rows to skip
  std::optional<std::uint64_t> limit{};  ///< rows to deliver after those; then the server is stopped
};

}  // namespace sluice::detail
