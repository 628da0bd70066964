#pragma once
// From the StartupMessage to ReadyForQuery, on a link that is secured already if it is to be.

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/session.hpp>

namespace sluice::wire {

// Throws error: what the server refused, or what was not accepted of it; connection_lost, deadline_exceeded, cancelled.
[[nodiscard]] asio::awaitable<void> log_in(session& on, const conninfo& info, const conninfo::host& host);

}  // namespace sluice::wire
