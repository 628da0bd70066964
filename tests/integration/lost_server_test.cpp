// A server that goes away: while it sends rows, in a crash, between two queries. A result is complete or an error.
#include <gtest/gtest.h>

#include <csignal>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace lost_server_test {
namespace {

using namespace sluice::test;
using sluice::condition;
using sluice::errc;
using sluice::sql;

sluice::query endless() {
  return sql("select json_build_object('n', generate_series(1, 100000000), 'x', repeat('x', 100))").as_document();
}

/// The error of a stream when `strike` hits its backend after some thousand rows.
template <class Strike>
sluice::error struck_in_the_middle(sluice::client& db, const Strike& strike) {
  sluice::row_range rows = db.stream(endless());
  std::uint64_t count = 0;
  bool done = false;
  try {
    while (const sluice::chunk chunk = rows.next()) {
      for (const sluice::row row : chunk) {
        EXPECT_EQ(row.text().substr(0, 7), "{\"n\" : ");
        EXPECT_EQ(row.text().back(), '}');
        ++count;
      }
      if (count > 10'000 && !std::exchange(done, true)) strike();
    }
    ADD_FAILURE() << "a short result looked whole";
  } catch (const sluice::error& e) {
    EXPECT_TRUE(done) << e.what();
    EXPECT_EQ(e.rows(), count);
    return e;
  }
  return {errc{}, ""};
}

/// A backend that is blocked writing to the client terminates without a message.
bool is_termination(const sluice::error& failure) {
  return failure.sqlstate() == "57P01" || failure.code() == errc::connection_lost;
}

void expect_gone(const sluice::error& failure, const sluice::client& db) {
  EXPECT_TRUE(failure.retryable());
  EXPECT_FALSE(failure.connection_usable());
  EXPECT_TRUE(db.is_closed());
}

TEST(LostServer, TerminatedInTheMiddleOfRowsIsNeverAShortResult) {
  sluice::client db{dsn()};
  const sluice::error failure =
      struck_in_the_middle(db, [&] { psql("select pg_terminate_backend(" + std::to_string(db.backend_pid()) + ")"); });
  EXPECT_TRUE(is_termination(failure)) << failure.what();
  expect_gone(failure, db);
}

TEST(LostServer, TerminatedBetweenTwoQueriesStillSaysWhy) {
  for (const std::string& conninfo : {dsn(), tcp_dsn()}) {
    sluice::client db{conninfo};
    EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
    psql("select pg_terminate_backend(" + std::to_string(db.backend_pid()) + ", 10000)");
    std::optional<sluice::error> failure;
    try {
      (void)db.stream(sql("select to_json(1)")).next();
    } catch (const sluice::error& e) {
      failure = e;
    }
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->sqlstate(), "57P01") << failure->what();
    expect_gone(*failure, db);
  }
}

asio::awaitable<void> lose_a_coroutines_server() {
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query query = endless();
  std::optional<sluice::error> failure;
  {
    sluice::row_stream rows = co_await db.stream(query);
    try {
      const sluice::chunk some = co_await rows.next();
      EXPECT_TRUE(some);
      psql("select pg_terminate_backend(" + std::to_string(db.backend_pid()) + ")");
      while (co_await rows.next()) {
      }
    } catch (const sluice::error& e) {
      failure = e;
    }
  }
  EXPECT_TRUE(failure && is_termination(*failure)) << (failure ? failure->what() : "no error");
  EXPECT_TRUE(db.is_closed());
  std::optional<sluice::error> next;
  try {
    (void)co_await db.execute("select 1");
  } catch (const sluice::error& e) {
    next = e;
  }
  EXPECT_TRUE(next && next->code() == errc::bad_state);
}

TEST(LostServer, IsToldToACoroutineToo) { run(lose_a_coroutines_server()); }

// A crashing backend takes all others with it, and the server restarts: this is the last test of the file.
TEST(LostServer, KilledInTheMiddleOfRowsIsAConnectionLost) {
  sluice::client bystander{dsn()};
  sluice::client db{dsn()};
  const sluice::error failure =
      struck_in_the_middle(db, [&] { ASSERT_EQ(::kill(static_cast<pid_t>(db.backend_pid()), SIGKILL), 0); });
  EXPECT_EQ(failure.code(), errc::connection_lost) << failure.what();
  expect_gone(failure, db);

  std::optional<sluice::error> other;
  try {
    (void)bystander.stream(sql("select to_json(pg_sleep(600)::text)").as_document()).next();
  } catch (const sluice::error& e) {
    other = e;
  }
  ASSERT_TRUE(other);
  EXPECT_EQ(other->code(), condition::connection) << other->what();
  expect_gone(*other, bystander);

  // While the server restarts, it says so in a retryable error.
  for (;;) {
    try {
      sluice::client again{dsn()};
      EXPECT_EQ(answer(again, sql("select to_json(1)")), "1");
      break;
    } catch (const sluice::error& e) {
      ASSERT_TRUE(e.retryable() || e.code() == errc::connect_failed) << e.what();
    }
  }
}

}  // namespace
}  // namespace lost_server_test
