#pragma once
// The password that the program gives when it is asked for one.

#include <asio/awaitable.hpp>

#include <sluice/wire/conninfo.hpp>
#include <sluice/wire/secret.hpp>

#include "transport/deadline.hpp"
#include "transport/link.hpp"

namespace sluice::wire {

/// Asks `info.ask_password`.
/// @par Errors  throws error: deadline_exceeded, cancelled, bad_state when nobody answers; what the program throws or
///              fails with
[[nodiscard]] asio::awaitable<secret> ask_for_password(const conninfo& info, const conninfo::host& host,
                                                       clock::time_point latest, const link::context& where);

}  // namespace sluice::wire
