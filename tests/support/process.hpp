#pragma once
// Resources of this process, as the kernel counts them.
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sluice::test {

/// Whether memory is measured in vain, because freed memory is kept.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool has_sanitizer = true;
#elif defined(__has_feature)
inline constexpr bool has_sanitizer = __has_feature(address_sanitizer);
#else
inline constexpr bool has_sanitizer = false;
#endif

/// Resident memory, in bytes.
inline long resident_bytes() {
  long all = 0;
  long resident = 0;
  std::ifstream{"/proc/self/statm"} >> all >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

/// The number of open descriptors, including the one that this function uses.
inline std::ptrdiff_t descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, std::filesystem::directory_iterator{});
}

}  // namespace sluice::test
