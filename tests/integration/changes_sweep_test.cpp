// A recorded change stream of a real server: cut after every byte, in two pieces split at every position, and with each
// byte flipped. The client always ends: with all changes, or with an error behind a prefix of them. And never is a
// change acknowledged that was not handed out.
//
// SLUICE_SWEEP_STEP=n tests every n-th position only (5 by default; ci/sweeps sets 1).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "followed.hpp"
#include "process.hpp"
#include "replayed.hpp"

namespace changes_sweep_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::errc;
using strings = std::vector<std::string>;

const strings five{R"(insert t {"id":1,"v":"a"})", R"(insert t {"id":2,"v":null})", R"(update t {"id":1,"v":"b"})",
                   R"(delete t key {"id":2})", "truncate t"};

std::size_t step() {
  const char* const given = std::getenv("SLUICE_SWEEP_STEP");
  return given == nullptr ? 5 : static_cast<std::size_t>(std::stoi(given));
}

struct seen_changes {
  strings changes;
  std::optional<sluice::error> failure;
};

asio::awaitable<void> follow_at(std::uint16_t port, sluice::change_options how, seen_changes& seen) {
  sluice::conninfo where =
      sluice::conninfo::parse("host=127.0.0.1 dbname=sluice user=sluice sslmode=disable port=" + std::to_string(port));
  where.connect_timeout = 10s;
  try {
    sluice::change_stream changes = co_await sluice::follow(where, how);
    while (seen.changes.size() < five.size()) {
      const sluice::change_chunk some = co_await changes.next();
      if (!some) break;
      for (const sluice::change each : some) seen.changes.push_back(line_of(each));
    }
    co_await changes.close();
  } catch (const sluice::error& e) {
    seen.failure = e;
  }
}

class ChangesSweep : public testing::Test {
 protected:
  ChangesSweep() {
    how.create = sluice::slot_creation::never;
    how.connection = {.max_row_bytes = 1U << 20U, .leave_timeout = 1s};
    how.status_interval = 300ms;
    {
      const sluice::blocking_change_stream changes{dsn(), here.kept()};
    }
    here.run(
        "insert into t values (1, 'a'), (2, null); update t set v = 'b' where id = 1; delete from t where id = 2;"
        "truncate t");
    relay between{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT"))), relay::all, cut::close,
                  20ms};
    seen_changes seen;
    run(follow_at(between.port(), how, seen));
    EXPECT_EQ(seen.changes, five) << (seen.failure ? seen.failure->what() : "");
    whole = between.conversation();
  }

  /// Follows servers that replay these conversations.
  std::vector<seen_changes> follow_all(const std::vector<conversation>& what, const std::vector<delivery>& deliveries) {
    std::vector<seen_changes> seen(what.size());
    replay_all(
        deliveries, [&](std::size_t i) -> const conversation& { return what[i]; },
        [&](std::uint16_t port, std::size_t i) { return follow_at(port, how, seen[i]); });
    return seen;
  }

  static void expect_a_prefix(const seen_changes& seen) {
    ASSERT_LE(seen.changes.size(), five.size());
    EXPECT_TRUE(std::equal(seen.changes.begin(), seen.changes.end(), five.begin()));
    EXPECT_TRUE(seen.failure || seen.changes.size() == five.size()) << "a short stream looked whole";
  }

  const published here{"changes_sweep"};
  sluice::change_options how = here.kept();
  conversation whole;
};

TEST_F(ChangesSweep, CutAfterEveryByte) {
  std::vector<delivery> all;
  for (std::size_t bytes = 0; bytes < size_of(whole); bytes += step()) all.push_back({.bytes = bytes});
  for (const seen_changes& seen : follow_all(std::vector<conversation>(all.size(), whole), all)) {
    expect_a_prefix(seen);
    if (seen.failure) {
      EXPECT_TRUE(seen.failure->kind() == sluice::condition::connection) << seen.failure->what();
    }
  }
}

TEST_F(ChangesSweep, InTwoPiecesAtEveryPlace) {
  std::vector<delivery> all{{.byte_by_byte = true}};
  for (std::size_t bytes = 1; bytes < size_of(whole); bytes += step()) all.push_back({.pause_after = bytes});
  for (const seen_changes& seen : follow_all(std::vector<conversation>(all.size(), whole), all)) {
    EXPECT_FALSE(seen.failure) << seen.failure->what();
    EXPECT_EQ(seen.changes, five);
  }
}

/// A flipped byte inside a value is a value; anything else is refused, or changes nothing that is handed out.
TEST_F(ChangesSweep, WithEachByteFlipped) {
  std::vector<conversation> altered;
  for (std::size_t byte = 0; byte < size_of(whole); byte += step()) {
    conversation& other = altered.emplace_back(whole);
    std::size_t at = byte;
    std::size_t answer = 0;
    while (at >= other[answer].size()) at -= other[answer++].size();
    other[answer][at] = static_cast<char>(other[answer][at] ^ 0x55);
  }
  for (const seen_changes& seen : follow_all(altered, std::vector<delivery>(altered.size()))) {
    EXPECT_LE(seen.changes.size(), five.size());
    EXPECT_TRUE(seen.failure || seen.changes.size() == five.size());
  }
}

}  // namespace
}  // namespace changes_sweep_test
