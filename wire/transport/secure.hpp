#pragma once
// From a connected socket to TLS on it.

#include <memory>

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include "transport/link.hpp"

#include "transport/tls.hpp"

namespace sluice::wire {

// Starts TLS the way that `with` was asked to: directly, or after asking for it with an SSLRequest.
// Returns false when the server has none and none is required; then nothing else was said on `io`.
// Throws error: tls_unavailable, tls_failed, connection_lost, deadline_exceeded, cancelled.
[[nodiscard]] asio::awaitable<bool> start_tls(link& io, std::shared_ptr<const tls_context> with,
                                              const conninfo::host& host);

}  // namespace sluice::wire
