#pragma once
// From the StartupMessage to ReadyForQuery, on a link that has already been secured if it is to be.

#include <optional>

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include "engine/session.hpp"

namespace sluice::wire {

// A secret is sent in clear text only through TLS, or over a Unix socket to a server that runs as root, as the user of
// this process, or as the user that `requirepeer` names, which has been checked. Throws error: the server's refusal, or
// the reason why its answer was not accepted; connection_lost, deadline_exceeded, cancelled.
/// @param password  if the program has given one; otherwise that of the connection string or the password file
[[nodiscard]] asio::awaitable<void> log_in(session& on, const conninfo& info, const conninfo::host& host,
                                           std::optional<secret> password);

}  // namespace sluice::wire
