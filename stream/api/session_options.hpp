#pragma once
// The caller's options in the wire layer's terms.
#include <algorithm>

#include <sluice/stream/options.hpp>
#include "engine/connect.hpp"

namespace sluice::detail {

inline wire::session_options session_options_of(const connection_options& options) noexcept {
  return {.limits = {.row = std::min(options.max_row_bytes, proto::limits::max_row)},
          .buffer_bytes = options.buffer_bytes,
          .first_buffer_bytes = std::min(options.first_buffer_bytes, options.buffer_bytes),
          .patience = wire::saturated(options.leave_timeout),
          .warn_at = options.warn_at,
          .statements = options.statement_cache,
          .watch = options.watch,
          .trace = options.trace,
          .parent = options.parent};
}

}  // namespace sluice::detail
