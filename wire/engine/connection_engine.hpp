#pragma once
// What the queries of one connection share, without its socket: whose turn it is, the transaction block, the prepared
// statements, and the cancel requests that may still arrive.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <sluice/proto/limits.hpp>

#include "engine/cancel_requests.hpp"
#include "engine/known_results.hpp"
#include "engine/open_blocks.hpp"
#include "engine/statement_cache.hpp"
#include "engine/transaction_scope.hpp"
#include "engine/turns.hpp"
#include "messages/frontend.hpp"

namespace sluice::wire {

class connection_engine {
 public:
  /// @param to_server  where messages are written; outlives this
  explicit connection_engine(proto::output& to_server, const proto::limits& bounds = {}) noexcept
      : out{to_server}, largest_row_{bounds.row} {}

  proto::output& out;
  turns queue{};
  transaction_scope scope{};
  open_blocks blocks{};
  statement_cache statements{};
  known_results results{};
  cancel_requests cancels{};

  /// Whether a statement sent now runs in a block of the caller's: then an error ends more than the statement.
  [[nodiscard]] bool is_in_callers_block() const noexcept {
    return scope.in_callers_block() || !blocks.unsent().empty();
  }

  /// Whether no block is open on the server, although one was begun here: BEGIN failed, or a statement has ended it.
  [[nodiscard]] bool has_lost_its_block() const noexcept {
    return blocks.unsent().empty() && scope.is_idle() && queue.empty();
  }

  /// A point to which everything can be taken back that is encoded later, as long as none of it was sent.
  struct mark {
    std::size_t bytes;
    std::size_t turns;
  };
  [[nodiscard]] mark here() const noexcept { return {.bytes = out.size(), .turns = queue.all().size()}; }
  void take_back_to(const mark& before) noexcept {
    out.resize(before.bytes);
    queue.take_back_to(before.turns);
  }

  /// The largest body of a row that a walk may take.
  [[nodiscard]] std::uint32_t largest_row() const noexcept {
    return static_cast<std::uint32_t>(std::min(largest_row_, warns_from_));
  }
  /// Until `warned_of_row`, a larger row ends the walk, so that the other rows need no check.
  void warn_of_rows_from(std::size_t bytes) noexcept { warns_from_ = bytes; }
  [[nodiscard]] bool is_to_warn_of_row(std::size_t bytes) const noexcept { return bytes > warns_from_; }
  void warned_of_row() noexcept { warns_from_ = std::numeric_limits<std::size_t>::max(); }

 private:
  std::size_t largest_row_;
  std::size_t warns_from_{std::numeric_limits<std::size_t>::max()};
};

}  // namespace sluice::wire
