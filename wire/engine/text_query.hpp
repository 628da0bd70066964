#pragma once
// A statement by the simple protocol, which is all that replication connections speak.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <asio/awaitable.hpp>

#include "engine/session.hpp"

namespace sluice::wire {

/// A row's values as text; nothing for NULL.
using text_row = std::vector<std::optional<std::string>>;

/// Runs one statement, or one command of the replication protocol.
/// @return its rows, which have to be few: all of them are kept
/// @par Errors  throws error: the server's, after which the session is usable; connection_lost, deadline_exceeded,
///              cancelled, protocol_violation, stream_too_large
[[nodiscard]] asio::awaitable<std::vector<text_row>> run_text_query(session& on, std::string_view statement,
                                                                    clock::time_point latest);

}  // namespace sluice::wire
