#pragma once
// SQL from a file.
#include <string>

namespace sluice::tool {

// The whole file, without a byte order mark; `-` is standard input. Throws usage_error, with the reason.
std::string read_sql(const std::string& file);

}  // namespace sluice::tool
