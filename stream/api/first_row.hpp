#pragma once
// What we ask the server ourselves, in a coroutine.
#include <asio/awaitable.hpp>

#include <sluice/stream/connection.hpp>

namespace sluice::detail {

/// Whom to ask, and with which limits.
struct asking {
  connection& db;
  query_options limits;
};

/// The first row of a result, as far as `take` wants it.
template <class Take>
asio::awaitable<void> first_row(asking on, query what, Take take) {
  row_stream rows = co_await on.db.stream(what, on.limits);
  for (;;) {
    const chunk batch = co_await rows.next();
    if (!batch) break;
    take(*batch.begin());
  }
}

}  // namespace sluice::detail
