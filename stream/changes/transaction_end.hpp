#pragma once
#include <sluice/stream/change.hpp>

namespace sluice::detail {

/// The end of a transaction.
struct transaction_end {
  position last{};        ///< of its last change, wanted or not
  lsn end{};              ///< of its commit's record
  bool is_change{false};  ///< to be handed out itself: only that is the end for the consumer
};

}  // namespace sluice::detail
