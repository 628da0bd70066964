#pragma once
/// @file
/// How long a paged stream may be paused, and what happens after that.

#include <chrono>
#include <cstdint>
#include <string_view>

namespace sluice {

/// Options of `pause`.
struct pause_options {
  enum class then : std::uint8_t {
    resume,  ///< the next page is requested
    cancel,  ///< the stream is ended on the server, and `next` throws `cancelled`
  };
  std::chrono::milliseconds limit{0};  ///< 0: none
  then after_limit{then::resume};
  std::string_view reason{};  ///< shown in `stream_stats::pause_reason`
};

}  // namespace sluice
