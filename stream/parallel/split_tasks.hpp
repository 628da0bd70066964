#pragma once
// The tasks of a divided relation.
#include <cstdint>
#include <vector>

#include <asio/awaitable.hpp>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/stream/query.hpp>

#include "api/first_row.hpp"
#include "parallel/merge.hpp"

namespace sluice::detail {

/// The transaction that `divide` asks in, and tasks are read in.
inline constexpr const char* begin_reading = "begin transaction isolation level repeatable read, read only";

struct split_task {
  query what;
  std::uint64_t weight;  // pages, or 1
};

struct division {
  std::vector<split_task> tasks;   // when there is an order, at most as many as connections, and each is sorted
  std::vector<sort_column> order;  // empty: none
};

/// Asks the server what it needs to know. Together the tasks give each row of the relation once.
/// @param on  in the transaction whose snapshot all tasks read
/// @par Errors  throws error: bad_query for what cannot be divided like this, with the reason
[[nodiscard]] asio::awaitable<division> divide(asking on, relation what, split_by how, std::uint32_t connections);

}  // namespace sluice::detail
