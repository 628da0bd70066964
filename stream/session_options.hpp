#pragma once
// The caller's options in the wire layer's terms.
#include <algorithm>

#include <sluice/stream/options.hpp>
#include <sluice/wire/connect.hpp>

namespace sluice::detail {

inline wire::session_options session_options_of(const connection_options& options) noexcept {
  return {.limits = {.row = std::min(options.max_row_bytes, proto::limits::max_row)},
          .buffer_bytes = options.buffer_bytes,
          .patience = options.leave_timeout};
}

}  // namespace sluice::detail
