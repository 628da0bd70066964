// The command's memory, whatever its input.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "shell.hpp"

namespace {

using namespace sluice::test;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool has_sanitizer = true;
#elif defined(__has_feature)
constexpr bool has_sanitizer = __has_feature(address_sanitizer);
#else
constexpr bool has_sanitizer = false;
#endif

/// The command's peak memory with these arguments, in KiB; 0 if it failed.
long peak_kib(const std::string& words) {
  const finished end = shell("SLUICE=" SLUICE_COMMAND "; $SLUICE " + words +
                             " >/dev/null 2>&1 & p=$!; peak=0; while s=$(grep VmHWM /proc/$p/status 2>/dev/null); do "
                             "peak=$s; done; wait $p && echo \"$peak\" | tr -dc 0-9");
  return std::atol(end.out.c_str());
}

TEST(CommandMemory, IsTheSameForAnyNumberOfRows) {
  if (has_sanitizer) GTEST_SKIP() << "brings memory of its own";
  const auto peak = [](const char* rows) {
    return peak_kib(std::string{"--count --sql \"select json_build_object('n', n, 't', md5(n::text)) from "
                                "generate_series(1, "} +
                    rows + ") n\"");
  };
  const long small = peak("20000");
  const long large = peak("600000");
  EXPECT_GT(small, 0);
  EXPECT_LT(large, 8'000);
  EXPECT_NEAR(static_cast<double>(large), static_cast<double>(small), 512);
}

/// A parser would take 14 bytes for each byte of the document.
TEST(CommandMemory, IsNoMoreWithFullValidation) {
  const std::string sql = "--sql \"select ('[' || repeat('[1,\\\"a\\\"],', 6000000) || '1]')::json as data\"";
  const long plain = peak_kib(sql);
  const long checked = peak_kib(sql + " --validate");
  EXPECT_GT(plain, 60'000);
  EXPECT_GT(checked, 0);
  EXPECT_LT(static_cast<double>(checked), 1.2 * static_cast<double>(plain));
}

}  // namespace
