#pragma once
// The tasks that a relation is divided into.
#include <cstdint>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/query.hpp>

#include "api/first_row.hpp"
#include "parallel/merge.hpp"
#include "parallel/relation_parts.hpp"

namespace sluice::detail {

/// Starts the transaction in which `divide` runs its queries and in which the tasks are read.
inline constexpr const char* begin_reading = "begin transaction isolation level repeatable read, read only";

struct division {
  std::vector<split_task> tasks;   // if there is an order: at most one task per connection, each sorted
  std::vector<sort_column> order;  // empty: none
};

/// The relation, with its documents where they are: in its column `data`, or made of its columns.
[[nodiscard]] asio::awaitable<relation> with_its_documents(asking on, relation what);

/// Queries the server for what it needs to know. Together the tasks return each row of the relation exactly once.
/// @param on  must be in the transaction whose snapshot all tasks read
/// @param is_exact  at most one task for each connection
/// @par Errors  throws error: bad_query if the relation cannot be divided this way, with the reason
[[nodiscard]] asio::awaitable<division> divide(asking on, relation what, split_by how, std::uint32_t connections,
                                               bool is_exact = false);

}  // namespace sluice::detail
