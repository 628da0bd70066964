#pragma once
// Establishes TLS on a connected socket.

#include <memory>

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include "transport/link.hpp"

#include "transport/tls.hpp"

namespace sluice::wire {

// Starts TLS as configured in `with`: directly, or after requesting it with an SSLRequest. Returns false if the server
// does not support TLS and it is not required; then nothing else was sent on `io`.
// Throws error: tls_unavailable, tls_failed, connection_lost, deadline_exceeded, cancelled.
[[nodiscard]] asio::awaitable<bool> start_tls(link& io, std::shared_ptr<const tls_context> with,
                                              const conninfo::host& host);

}  // namespace sluice::wire
