// The command's memory, whatever its input.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "process.hpp"
#include "shell.hpp"

namespace command_memory_test {
namespace {

using namespace sluice::test;

/// The highest value of a field of /proc/PID/status while the command runs with these arguments, in KiB; 0 if it
/// failed.
long peak_kib(const std::string& field, const std::string& words) {
  const finished end =
      shell("SLUICE=" SLUICE_COMMAND "; $SLUICE " + words + " >/dev/null 2>&1 & p=$!; peak=0; while s=$(grep " + field +
            ": /proc/$p/status 2>/dev/null); do set -- $s; "
            "if [ $2 -gt $peak ]; then peak=$2; fi; done; wait $p && echo $peak");
  return std::atol(end.out.c_str());
}

TEST(CommandMemory, IsTheSameForAnyNumberOfRows) {
  if (has_sanitizer) GTEST_SKIP() << "brings memory of its own";
  // Its own memory: how much of the libraries' files is mapped is the system's affair.
  const auto peak = [](const char* rows) {
    return peak_kib("RssAnon", std::string{"--count --sql \"select json_build_object('n', n, 't', md5(n::text)) from "
                                           "generate_series(1, "} +
                                   rows + ") n\"");
  };
  const long small = peak("20000");
  const long large = peak("600000");
  EXPECT_GT(small, 0);
  EXPECT_LT(large, 2'000);
  EXPECT_NEAR(static_cast<double>(large), static_cast<double>(small), 256);
}

/// A parser would take 14 bytes for each byte of the document.
TEST(CommandMemory, IsNoMoreWithFullValidation) {
  const std::string sql = "--sql \"select ('[' || repeat('[1,\\\"a\\\"],', 6000000) || '1]')::json as data\"";
  const long plain = peak_kib("VmHWM", sql);
  const long checked = peak_kib("VmHWM", sql + " --validate");
  EXPECT_GT(plain, 60'000);
  EXPECT_GT(checked, 0);
  EXPECT_LT(static_cast<double>(checked), 1.2 * static_cast<double>(plain));
}

}  // namespace
}  // namespace command_memory_test
