#pragma once
// Tasks that stream through a pool while its servers come and go: every result is complete, with the right sum, or an
// error.
#include <gtest/gtest.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <sluice/stream/pool.hpp>
#include <string>

#include "cluster.hpp"
#include "shell.hpp"

namespace sluice::test {

/// Runs a command as the user who runs the server.
inline finished as_server(const std::string& command) {
  const std::string user = cluster_value("SLUICE_TEST_SERVER_USER");
  const std::string change =
      ::geteuid() == 0 ? "setpriv --reuid=" + user + " --regid=\"$(id -g " + user + ")\" --clear-groups -- " : "";
  return shell("cd / && " + change + command + " >/dev/null 2>&1");
}

/// Runs pg_ctl on the private server, or on the given data folder.
inline finished pg_ctl(const std::string& what, const std::string& data = cluster_value("SLUICE_TEST_DATA_DIR")) {
  return as_server(cluster_value("SLUICE_TEST_PG_BINDIR") + "/pg_ctl " + what + " -s -D " + data);
}

class checked_streams {
 public:
  /// @param over  set to true to end the tasks
  void start(int tasks, pool& from, const asio::any_io_executor& on, const bool& over) {
    for (; running_ < tasks; ++running_) asio::co_spawn(on, work(from, over), asio::detached);
  }
  /// Waits for this many further complete results.
  asio::awaitable<void> more(std::size_t results) {
    const std::size_t goal = whole_ + results;
    while (whole_ < goal) co_await rest(std::chrono::milliseconds{1});
  }
  asio::awaitable<void> all_have_ended() {
    while (running_ != 0) co_await rest(std::chrono::milliseconds{1});
  }
  void expect_only_lost_servers() const {
    int errors = 0;
    for (const auto& [kind, count] : errors_) {
      EXPECT_TRUE(kind == "connection" || kind.starts_with("57P") || kind.starts_with("08")) << kind << ": " << count;
      errors += count;
    }
    EXPECT_GT(errors, 0) << "no task was hit";
  }

 private:
  static asio::awaitable<void> rest(std::chrono::milliseconds time) {
    asio::steady_timer timer{co_await asio::this_coro::executor, time};
    co_await timer.async_wait(asio::use_awaitable);
  }
  asio::awaitable<void> work(pool& from, const bool& over) {
    while (!over) {
      const auto what = sql("select to_json(n) from generate_series(1, 2000) n").as_document();
      pooled_stream rows = from.stream(what);
      std::string failure;
      try {
        std::int64_t sum = 0;
        for (chunk some = co_await rows.next(); some; some = co_await rows.next())
          for (const row each : some) sum += std::stoll(std::string{each.text()});
        EXPECT_EQ(sum, 2'001'000);
        ++whole_;
      } catch (const error& e) {
        failure = e.kind() == condition::sql ? std::string{e.sqlstate()} : std::string{to_string(e.kind())};
      }
      if (failure.empty()) continue;
      ++errors_[failure];
      co_await rest(std::chrono::milliseconds{5});
    }
    --running_;
  }

  std::size_t whole_{0};
  std::map<std::string, int> errors_;
  int running_{0};
};

}  // namespace sluice::test
