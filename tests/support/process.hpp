#pragma once
// What this process holds, as the kernel counts it.
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::test {

/// Bytes of its memory that are resident now.
inline long resident_bytes() {
  long all = 0;
  long resident = 0;
  std::ifstream{"/proc/self/statm"} >> all >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

/// Descriptors that are open, one for the look included.
inline std::ptrdiff_t descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, std::filesystem::directory_iterator{});
}

}  // namespace sluice::test
