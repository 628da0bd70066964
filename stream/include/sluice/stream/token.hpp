#pragma once
/// @file
/// How the asynchronous calls take Asio's completion tokens. It only declares: whoever passes a token includes
/// <sluice/stream/async.hpp>.

#include <asio/any_io_executor.hpp>

namespace sluice::detail {

/// @param call  makes the awaitable; called once, at once
template <class Call, class Token>
auto with_token(const asio::any_io_executor& on, const Call& call, Token&& token);

}  // namespace sluice::detail
