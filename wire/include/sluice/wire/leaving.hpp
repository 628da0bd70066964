#pragma once
/// @file
/// Which way a query was left.

#include <cstdint>

namespace sluice {

/// How a query that was not read to its end came to one.
enum class leaving : std::uint8_t {
  drained,    ///< it was read to its end without being cancelled; the connection is reusable
  cancelled,  ///< cancelled on the server, and the connection is proven reusable
  closed,     ///< the connection had to be closed
};

}  // namespace sluice
