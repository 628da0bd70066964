#pragma once
// The tasks of a divided relation.
#include <cstdint>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/query.hpp>

namespace sluice::detail {

struct split_task {
  query what;
  std::uint64_t weight;  // pages, or 1
};

/// Asks the server what it needs to know. Together the tasks give each row of the relation once.
/// @param on  in the transaction whose snapshot all tasks read
/// @par Errors  throws error: bad_query for what cannot be divided like this, with the reason
[[nodiscard]] asio::awaitable<std::vector<split_task>> split_tasks(connection& on, relation what, split_by how,
                                                                   std::uint32_t connections);

}  // namespace sluice::detail
