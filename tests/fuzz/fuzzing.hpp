#pragma once
// Helpers shared by the fuzz targets.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace sluice::test {

/// What is done with an input. Each file defines one; it is a program of its own where inputs are searched for, and all
/// are one program where the corpus is run.
struct fuzz_target {
  using function = void (*)(const std::uint8_t* data, std::size_t size);

  fuzz_target(std::string_view called, function does) : name{called}, run{does} { all().push_back(this); }

  /// Those of the program.
  static std::vector<const fuzz_target*>& all() {
    static std::vector<const fuzz_target*> targets;
    return targets;
  }

  std::string_view name;
  function run;
};

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Aborts if a promise is broken, so that the fuzzer keeps the input.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

}  // namespace sluice::test
