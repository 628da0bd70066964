#pragma once
/// @file
/// Statistics of a stream.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice {

/// Counts and times of one stream, up to the last call of `next`. A row is counted once the next read has passed it.
struct stream_stats {
  std::uint64_t rows{};
  std::uint64_t bytes{};  ///< of the documents, as sent by the server
  std::uint64_t chunks{};
  std::uint64_t reads{};                    ///< system calls that returned bytes
  std::chrono::microseconds first_row{};    ///< from the start of the query to its first chunk; 0: none yet
  std::chrono::microseconds elapsed{};      ///< from the start of the query to its end, or to the last call
  std::chrono::microseconds server_wait{};  ///< spent waiting for the server
  std::chrono::microseconds consumer{};     ///< spent outside `next`: the consumer's own time
  std::size_t buffer_peak{};                ///< largest size of the receive buffer so far, in bytes
  std::uint64_t pages{};                    ///< read to their end; 0 in plain mode
  std::uint64_t pauses{};
  std::chrono::microseconds paused{};  ///< from `pause` to `resume` or `next`, in total
  std::string pause_reason{};          ///< of the last pause, as the caller gave it
};

}  // namespace sluice
