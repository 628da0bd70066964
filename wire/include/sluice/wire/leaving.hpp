#pragma once
/// @file
/// The outcome of abandoning a query.

#include <cstdint>

namespace sluice {

/// How a query that was not read to its end was ended.
enum class leaving : std::uint8_t {
  drained,    ///< read to its end without a cancel; the connection is reusable
  cancelled,  ///< cancelled on the server; the connection is proven reusable
  closed,     ///< the connection had to be closed
};

}  // namespace sluice
