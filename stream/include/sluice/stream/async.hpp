#pragma once
/// @file
/// `row_stream::next` for any Asio completion token: callbacks, futures, deferred operations.

#include <utility>

#include <asio/co_spawn.hpp>

#include <sluice/stream/row_stream.hpp>

namespace sluice {

template <class Token>
auto row_stream::next(Token&& token) {
  return asio::co_spawn(get_executor(), next(), std::forward<Token>(token));
}

}  // namespace sluice
