// A process that forks while it has connections: they stay the parent's. The child gets an error, and nothing that it
// does reaches the server, not even destroying them.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <optional>

#include "asking.hpp"
#include "cluster.hpp"
#include "shell.hpp"

namespace fork_test {
namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::sql;

/// Whether `what` returns true in a child of this process.
bool holds_in_a_child(const std::function<bool()>& what) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(what() ? 0 : 1);
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool is_refused(const std::function<void()>& use) {
  try {
    use();
  } catch (const sluice::error& e) {
    return e.code() == errc::connection_lost && std::string{e.what()}.find("fork") != std::string::npos;
  }
  return false;
}

TEST(Fork, LeavesAnIdleConnectionToTheParent) {
  std::optional<sluice::client> db{dsn()};
  EXPECT_TRUE(holds_in_a_child([&] {
    const bool refused = is_refused([&] { (void)db->stream(sql("select to_json(1)")).next(); });
    const bool is_closed = db->is_closed();
    db.reset();
    return refused && is_closed;
  }));
  EXPECT_TRUE(holds_in_a_child([&] {
    db.reset();  // no Terminate
    return true;
  }));
  EXPECT_EQ(answer(*db, sql("select to_json(1)")), "1");
}

/// Otherwise the session would stay until the other program ends, too.
TEST(Fork, LeavesNoSocketToAnotherProgram) {
  const auto sockets = [] { return shell("find /proc/$$/fd -lname 'socket:*' | wc -l").out; };
  const std::string before = sockets();
  const sluice::client local{dsn()};
  const sluice::client tcp{cluster_value("SLUICE_TEST_TCP_DSN")};
  EXPECT_EQ(sockets(), before);
}

TEST(Fork, LeavesAStreamToTheParent) {
  sluice::client db{dsn()};
  std::optional<sluice::row_range> rows{db.stream(sql("select to_json(generate_series(1, 200000))").as_document())};
  std::uint64_t count = 0;
  for (const sluice::row row : rows->next()) count += row.text().empty() ? 0U : 1U;
  EXPECT_TRUE(holds_in_a_child([&] {
    const bool refused = is_refused([&] {
      while (rows->next()) {
      }
    });
    rows.reset();
    return refused;
  }));
  EXPECT_TRUE(holds_in_a_child([&] {
    rows.reset();  // no request to cancel
    return true;
  }));
  while (const sluice::chunk chunk = rows->next())
    for (const sluice::row row : chunk) count += row.text().empty() ? 0U : 1U;
  EXPECT_EQ(count, 200'000U);
}

TEST(Fork, LeavesATlsSessionToTheParent) {
  std::optional<sluice::client> db{tcp_dsn() + " user=scram_user password=secret sslmode=require"};
  EXPECT_TRUE(holds_in_a_child([&] {
    db.reset();  // no close_notify
    return true;
  }));
  EXPECT_EQ(answer(*db, sql("select to_json(1)")), "1");
}

}  // namespace
}  // namespace fork_test
