#pragma once
// Queries as conversations for the drivers, and the coroutines that run them.
#include <cstdint>
#include <limits>
#include <string_view>

#include <asio/awaitable.hpp>

#include "engine/query_reader.hpp"

namespace sluice::wire {

/// Waits until the columns of the last query are known, as a conversation for the drivers. While it waits, that query
/// may end, or be destroyed.
class deciding {
 public:
  explicit deciding(const session& on) noexcept : on_{on} {}
  [[nodiscard]] bool advance() {
    last_ = on_.is_broken() ? nullptr : query_reader::undecided(on_);
    return last_ == nullptr;
  }
  [[nodiscard]] bool move() { return last_->move(); }

 private:
  const session& on_;
  query_reader* last_{};
};

/// Reads until `query` is over, or has brought bytes that many times, in a coroutine. Its rows must be skipped.
/// @par Errors  throws error: as `advance`, connection_lost, deadline_exceeded, cancelled
[[nodiscard]] asio::awaitable<void> read_to_end(query_reader& query,
                                                std::uint64_t most_reads = std::numeric_limits<std::uint64_t>::max());
/// Reads until a query can be started alongside the paged ones, until something is being left, or until `latest`.
/// @par Errors  as above
[[nodiscard]] asio::awaitable<void> until_decided(session& on, clock::time_point latest = clock::time_point::max());
/// Runs the driver's own statements to their end, within the session's patience.
/// @par Errors  as above, and the server's
[[nodiscard]] asio::awaitable<void> run_statements(session& on, std::string_view statements);

}  // namespace sluice::wire
