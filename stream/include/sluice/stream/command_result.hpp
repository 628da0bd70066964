#pragma once
/// @file
/// What a statement that is only run, not read, has done.

#include <cstdint>
#include <string>

namespace sluice {

/// The answer to a statement.
struct command_result {
  std::string tag{};               ///< the server's command tag, such as "INSERT 0 42"; empty for an empty statement
  std::uint64_t affected_rows{0};  ///< inserted, updated, deleted, merged, copied or selected; 0 for other commands
};

}  // namespace sluice
