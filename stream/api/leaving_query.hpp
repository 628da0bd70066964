#pragma once
// What remains to be done for a query that nobody wants any more.
#include <memory>

#include <asio/awaitable.hpp>

#include <sluice/wire/leaving.hpp>

#include "api/running_query.hpp"

namespace sluice::detail {

/// Brings a query to its end and reports that.
/// @param from  made by `running_query::depart`
[[nodiscard]] asio::awaitable<leaving> leave(std::shared_ptr<running_query> query, wire::departure from);

/// Stops it, whatever it does on the server.
[[nodiscard]] asio::awaitable<leaving> stop(std::shared_ptr<running_query> query);

/// The same for a query that was dropped, in a coroutine of its own.
void leave_in_background(std::shared_ptr<running_query> query) noexcept;

}  // namespace sluice::detail
