#pragma once
#include <string>

#include <sluice/stream/binary_field.hpp>

namespace sluice::detail {

/// Values that are no text in the binary format, as the text that psql shows: addresses, bits, and geometry.
/// @return false: it is of another type
/// @par Errors  throws error: bad_column for malformed bytes
[[nodiscard]] bool show(const binary_field& from, std::string& into);

}  // namespace sluice::detail
