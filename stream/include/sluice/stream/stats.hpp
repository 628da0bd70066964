#pragma once
/// @file
/// What a stream has done so far.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice {

/// Counts and times of one stream, up to the last call of `next`. A row counts when the next read passes it.
struct stream_stats {
  std::uint64_t rows{};
  std::uint64_t bytes{};  ///< of the documents, as sent by the server
  std::uint64_t chunks{};
  std::uint64_t reads{};                    ///< system calls that brought bytes
  std::chrono::microseconds first_row{};    ///< from the query's start to its first chunk; 0: none yet
  std::chrono::microseconds elapsed{};      ///< from the query's start to its end, or to the last call
  std::chrono::microseconds server_wait{};  ///< spent waiting for the server
  std::chrono::microseconds consumer{};     ///< spent outside `next`: the consumer's own time
  std::size_t buffer_peak{};                ///< bytes: the most that the receive buffer ever had
  std::uint64_t pages{};                    ///< read to their end; 0 in plain mode
  std::uint64_t pauses{};
  std::chrono::microseconds paused{};  ///< from `pause` to `resume` or `next`, all together
  std::string pause_reason{};          ///< of the last one, as the caller gave it
};

}  // namespace sluice
