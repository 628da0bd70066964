#pragma once
// A statement of which only the outcome is wanted.
#include <memory>
#include <optional>

#include <asio/awaitable.hpp>

#include "api/running_query.hpp"

namespace sluice::detail {

// Reads a query that was sent to its end. If this is destroyed or cancelled before that, the query is dropped as a
// stream of it would be.
// Throws error: as `row_stream::next`.
asio::awaitable<void> run_to_end(std::shared_ptr<running_query> query);

// The same; returns the error instead.
asio::awaitable<std::optional<error>> failure_at_end(std::shared_ptr<running_query> query);

}  // namespace sluice::detail
