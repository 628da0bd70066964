#pragma once
// Programs of others that read what we write.
#include <cstdlib>
#include <filesystem>
#include <string>

namespace sluice::test {

/// Where ci/readers has installed them; empty: nowhere.
inline std::string readers() {
  const char* const named = std::getenv("SLUICE_TEST_READERS");
  const std::string folder = named == nullptr ? std::string{SLUICE_SOURCE} + "/build/readers" : named;
  return std::filesystem::exists(folder + "/node_modules") ? folder : std::string{};
}

}  // namespace sluice::test
