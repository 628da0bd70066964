#pragma once
/// @file
/// The format of a value: Bind asks for one per column, RowDescription says it.

#include <cstdint>

namespace sluice::proto {

enum class value_format : std::uint8_t { text = 0, binary = 1 };

}  // namespace sluice::proto
