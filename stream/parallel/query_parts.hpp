#pragma once
// A query that is divided by one of its columns.
#include <cstdint>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/stream/parallel.hpp>
#include <sluice/stream/query.hpp>

#include "api/first_row.hpp"

namespace sluice::detail {

/// At most `count` queries, which together give each row of `what` once.
/// @par Errors  throws error: bad_query if it cannot be divided this way, with the reason
[[nodiscard]] asio::awaitable<std::vector<query>> divide(asking on, query what, split_by how, std::uint32_t count);

}  // namespace sluice::detail
