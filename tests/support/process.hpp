#pragma once
// Resources of this process, as the kernel counts them.
#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

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

/// The peak of resident memory since `begin_peak_of_memory`, in bytes.
inline long peak_resident_bytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;)
    if (long kibibytes = 0; word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  throw std::runtime_error{"/proc/self/status has no VmHWM"};
}

/// Makes the resident memory of now the peak, after memory that was freed is given back.
/// @return it, in bytes
inline long begin_peak_of_memory() {
  ::malloc_trim(0);
  std::ofstream clear{"/proc/self/clear_refs"};
  if (!(clear << "5" << std::flush)) throw std::runtime_error{"the peak of memory cannot be reset"};
  return peak_resident_bytes();
}

/// The number of open descriptors, including the one that this function uses.
inline std::ptrdiff_t descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, std::filesystem::directory_iterator{});
}

}  // namespace sluice::test
