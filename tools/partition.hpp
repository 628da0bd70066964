#pragma once
// Partitions for other processes: prints their descriptors, and holds their snapshot.
#include <cstdint>
#include <functional>
#include <string>

#include <sluice/stream/partitions.hpp>

namespace sluice::tool {

// Prints a descriptor a line, closes standard output, and holds the snapshot until standard input ends. Throws error:
// connection_lost when it is lost before.
void hold_partitions(const blocking_partitions& parts, const std::function<bool()>& is_interrupted);

// A descriptor as it is given: `-` stands for a line of standard input. Throws usage_error.
[[nodiscard]] std::string given_descriptor(const std::string& text);

}  // namespace sluice::tool
