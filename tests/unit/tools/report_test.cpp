// Progress and statistics of the command.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "report.hpp"

namespace report_test {
namespace {

using namespace sluice::tool;
using namespace std::chrono_literals;

/// What is shown of a run that is updated at these times since its beginning.
std::string shown(progress::style style, const std::vector<std::chrono::milliseconds>& updates, bool ends = true) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const to = ::open_memstream(&text, &size);
  progress::clock::time_point now{};
  {
    progress line{style, to, [&] { return now; }};
    std::uint64_t rows = 0;
    for (const auto each : updates) {
      now = progress::clock::time_point{each};
      line.update(++rows, 0, {});
    }
    if (ends) line.finish(rows, 0, {});
  }
  std::fclose(to);
  const std::unique_ptr<char, decltype(&std::free)> owner{text, &std::free};
  return {text, size};
}

/// The rows that the pieces between line breaks, or carriage returns, tell of.
std::string rows_in(const std::string& text) {
  std::string rows;
  for (std::size_t at = 0; at < text.size(); at = text.find_first_of("\r\n", at) + 1)
    rows += std::to_string(std::atoi(text.c_str() + at)) + text[text.find_first_of("\r\n", at)];
  return rows;
}

TEST(Progress, IsOverwrittenOnATerminal) {
  EXPECT_EQ(rows_in(shown(progress::style::overwritten, {0ms, 100ms, 200ms, 300ms, 450ms})), "1\r3\r5\r5\n");
  EXPECT_EQ(rows_in(shown(progress::style::overwritten, {0ms}, false)), "1\r0\n") << "later messages begin a line";
}

TEST(Progress, IsALineEveryOtherSecondElsewhere) {
  EXPECT_EQ(rows_in(shown(progress::style::lines, {0ms, 1'900ms, 2'000ms, 3'900ms, 4'100ms, 6'000ms, 6'200ms})),
            "3\n5\n7\n7\n");
  EXPECT_EQ(rows_in(shown(progress::style::lines, {0ms, 100ms})), "2\n") << "a short run has its last line";
  EXPECT_EQ(shown(progress::style::lines, {0ms, 100ms}, false), "") << "a run that failed: its message follows";
}

TEST(Progress, IsNothingWhereItIsNotWanted) { EXPECT_EQ(shown(progress::style::none, {0ms, 5'000ms}), ""); }

/// Its keys, in order.
std::vector<std::string> keys_of(const std::string& json) {
  std::vector<std::string> keys;
  for (std::size_t end = json.find("\":"); end != json.npos; end = json.find("\":", end + 1)) {
    const std::size_t begin = json.rfind('"', end - 1) + 1;
    keys.push_back(json.substr(begin, end - begin));
  }
  return keys;
}

TEST(StatsJson, HasTheSameKeysInEveryMode) {
  const session_facts session{
      .connecting = 1us, .mode = sluice::fetch_mode::paged, .tls_version = "TLSv1.3", .server_version = "15"};
  const std::string one = stats_json(sluice::stream_stats{.chunks = 1, .pages = 3}, session);
  const std::string many = stats_json({}, sluice::fetch_mode::plain, {.done = 1, .planned = 2, .connections = 3}, 5us);
  EXPECT_EQ(keys_of(one), keys_of(many));
  EXPECT_EQ(keys_of(one).size(), 17U) << one;
  for (const char* known : {"\"pages\":3,", "\"connections\":1,", "\"done\":null,", "\"planned\":null,",
                            "\"tls\":\"TLSv1.3\"", "\"ttfr_us\":0", "\"connect_us\":1,"})
    EXPECT_NE(one.find(known), one.npos) << known << " in " << one;
  for (const char* known : {"\"pages\":null,", "\"connections\":3,", "\"done\":1,", "\"planned\":2,", "\"tls\":null",
                            "\"server_version\":null", "\"ttfr_us\":null", "\"connect_us\":null,", "\"elapsed_us\":5,"})
    EXPECT_NE(many.find(known), many.npos) << known << " in " << many;
}

}  // namespace
}  // namespace report_test
