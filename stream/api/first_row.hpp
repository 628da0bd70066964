#pragma once
// The driver's own queries, run in a coroutine.
#include <asio/awaitable.hpp>

#include <sluice/stream/connection.hpp>

namespace sluice::detail {

/// The connection to query, and the limits that apply.
struct asking {
  connection& db;
  query_options limits;
};

/// Passes the first row of a result, if there is one, to `take`.
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
