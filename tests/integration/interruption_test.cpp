// Waits that are ended from outside: by a deadline, by a cancellation signal, from another thread.
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <string>
#include <thread>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace interruption_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::condition;
using sluice::errc;
using sluice::sql;

template <class Face>
class Deadline : public testing::Test {};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(Deadline, faces);

TYPED_TEST(Deadline, EndsAQueryThatGivesNothing) {
  for (const sluice::query& query : {sql("select pg_sleep(600)::text as deadline_test"),
                                     sql("select to_json(pg_sleep(600)::text) as deadline_test").as_document()}) {
    const outcome seen = TypeParam::ask(dsn(), query, {.timeout = 200ms});
    ASSERT_TRUE(seen.failure);
    EXPECT_EQ(seen.failure->code(), condition::timeout);
    EXPECT_TRUE(seen.usable) << "cancelled, and proven clean";
    EXPECT_FALSE(is_running("deadline_test"));
  }
}

TYPED_TEST(Deadline, EndsRowsThatNeverEnd) {
  const outcome seen =
      TypeParam::ask(without_jit(), sql("select to_json(generate_series(1, 2000000000)) as endless_test"),
                     {.timeout = 500ms, .timeout_counts_pauses = true});
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->code(), condition::timeout);
  EXPECT_GT(seen.rows.size(), 0U);
  EXPECT_EQ(seen.failure->rows(), seen.rows.size());
  for (std::size_t i = 0; i < seen.rows.size(); ++i) ASSERT_EQ(seen.rows[i], std::to_string(i + 1));
  EXPECT_TRUE(seen.usable);
  EXPECT_FALSE(is_running("endless_test"));
}

TYPED_TEST(Deadline, IsKeptByTheServerIfAsked) {
  for (const sluice::query& query : {sql("select pg_sleep(600)::text as kept_by_the_server"),
                                     sql("select to_json(pg_sleep(600)::text) as kept_by_the_server").as_document()}) {
    for (const auto mode : {sluice::fetch_mode::plain, sluice::fetch_mode::paged}) {
      const outcome seen = TypeParam::ask(dsn(), query, {.server_timeout = 50ms, .mode = mode});
      ASSERT_TRUE(seen.failure);
      EXPECT_EQ(seen.failure->sqlstate(), "57014");
      EXPECT_NE(std::string{seen.failure->what()}.find("statement timeout"), std::string::npos);
      EXPECT_TRUE(seen.usable);
    }
  }
  const outcome quick =
      TypeParam::ask(dsn(), sql("select to_json(current_setting('statement_timeout'))"), {.server_timeout = 12'345ms});
  EXPECT_EQ(quick.rows, std::vector<std::string>{"\"12345ms\""});
}

TEST(ServerTimeout, IsForOneQueryOnly) {
  sluice::client db{dsn()};
  const auto setting = sql("select to_json(current_setting('statement_timeout'))").as_document();
  const auto under_timeout = [&] {
    std::string text;
    for (const sluice::row row : db.stream(setting, {.server_timeout = 5s})) text = row.text();
    return text;
  };
  EXPECT_EQ(under_timeout(), "\"5s\"");
  EXPECT_EQ(answer(db, setting), "\"0\"");
  db.execute("begin; set local statement_timeout = '7s'");
  EXPECT_EQ(under_timeout(), "\"5s\"");
  EXPECT_EQ(answer(db, setting), "\"7s\"") << "put back within the transaction";
  EXPECT_THROW((void)db.stream(setting, {.server_timeout = 5s, .mode = sluice::fetch_mode::paged}), sluice::error);
  db.execute("rollback");
  EXPECT_EQ(answer(db, setting), "\"0\"");
}

TYPED_TEST(Deadline, IsForTheFirstRowOnly) {
  const sluice::query slow = sql("select to_json(pg_sleep(600)::text) as first_row_test").as_document();
  const outcome seen = TypeParam::ask(dsn(), slow, {.first_row_timeout = 50ms});
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->code(), condition::timeout);
  EXPECT_NE(std::string{seen.failure->what()}.find("no row came in time"), std::string::npos) << seen.failure->what();
  EXPECT_TRUE(seen.usable);
  EXPECT_FALSE(is_running("first_row_test"));

  // The server sends rows of 10,000 bytes as soon as they are computed; only the first one has to arrive in time.
  const sluice::query then =
      sql("select to_json(repeat('x', 10000) || pg_sleep(0.03 * i)) from generate_series(0, 5) i");
  const outcome good = TypeParam::ask(dsn(), sluice::query{then}.as_document(), {.first_row_timeout = 20'000ms});
  EXPECT_FALSE(good.failure) << good.failure->what();
  EXPECT_EQ(good.rows.size(), 6U);
}

TYPED_TEST(Deadline, IsForAServerThatStalls) {
  const sluice::query stalls =
      sql("select to_json(repeat('x', 10000) || case when i = 3 then pg_sleep(600)::text else '' end || 'stall_test') "
          "from generate_series(1, 5) as i");
  const outcome seen = TypeParam::ask(dsn(), sluice::query{stalls}.as_document(), {.stall_timeout = 500ms});
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->code(), condition::timeout);
  EXPECT_NE(std::string{seen.failure->what()}.find("sent nothing"), std::string::npos) << seen.failure->what();
  EXPECT_GE(seen.rows.size(), 1U);  // the server fills 8 KiB before it sends anything
  EXPECT_LT(seen.rows.size(), 3U);
  EXPECT_TRUE(seen.usable);
  EXPECT_FALSE(is_running("stall_test"));
}

TEST(Deadlines, DoNotCountPausesUnlessAsked) {
  sluice::client db{dsn()};
  const sluice::query much = sql("select to_json(generate_series(1, 100000))").as_document();
  for (const bool counts : {false, true}) {
    sluice::row_range rows = db.stream(much, {.timeout = 10'000ms, .timeout_counts_pauses = counts});
    EXPECT_TRUE(rows.next());
    EXPECT_TRUE(rows.next());
  }
  for (const bool counts : {false, true}) {
    sluice::row_range rows = db.stream(much, {.timeout = 1'000ms, .timeout_counts_pauses = counts});
    ASSERT_TRUE(rows.next());
    std::this_thread::sleep_for(1'100ms);  // longer than the deadline
    if (counts) {
      EXPECT_THROW((void)rows.next(), sluice::error);
    } else {
      EXPECT_NO_THROW((void)rows.next());
    }
  }
  EXPECT_TRUE(db.is_idle());
}

TYPED_TEST(Deadline, DoesNotReachIntoTheNextQuery) {
  const auto both = [](auto& db) {
    (void)db.execute("select 1", {.timeout = 1s});
    return db.execute("select pg_sleep(1.1)");
  };
  if constexpr (std::same_as<TypeParam, blocking_face>) {
    sluice::client db{dsn()};
    EXPECT_EQ(both(db).tag, "SELECT 1");
  } else {
    const auto work = []() -> asio::awaitable<sluice::command_result> {
      sluice::connection db = co_await sluice::connect(dsn());
      const sluice::query_options soon{.timeout = 1s};
      (void)co_await db.execute("select 1", soon);
      co_return co_await db.execute("select pg_sleep(1.1)");
    };
    EXPECT_EQ(run(work()).tag, "SELECT 1");
  }
}

TEST(Interrupt, FromAnotherThreadEndsAWaitForRows) {
  sluice::client db{dsn()};
  std::thread other{[&] {
    wait_until_running("interrupt_test");
    db.interrupt();
  }};
  {
    sluice::row_range rows = db.stream(sql("select to_json(pg_sleep(600)::text) as interrupt_test").as_document());
    try {
      (void)rows.next();
      ADD_FAILURE() << "the wait went on";
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), condition::cancelled);
    }
  }
  other.join();
  EXPECT_FALSE(is_running("interrupt_test"));
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

/// Runs `work` with a cancellation slot, and emits the signal when a query that contains `words` is running.
template <class Work>
std::exception_ptr signalled_while(const std::string& words, Work work) {
  asio::io_context context{1};
  asio::cancellation_signal stop;
  std::exception_ptr thrown;
  std::thread other{[&] {
    wait_until_running(words);
    asio::post(context, [&] { stop.emit(asio::cancellation_type::terminal); });
  }};
  asio::co_spawn(context, work(),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) { thrown = std::move(e); }));
  context.run();
  other.join();
  return thrown;
}

asio::awaitable<void> wait_and_go_on() {
  sluice::connection db = co_await sluice::connect(dsn());
  bool cancelled = false;
  {
    const sluice::query slow = sql("select to_json(pg_sleep(600)::text) as signal_test").as_document();
    sluice::row_stream rows = co_await db.stream(slow);
    try {
      (void)co_await rows.next();
    } catch (const sluice::error& e) {
      cancelled = e.code() == condition::cancelled;
    }
  }
  EXPECT_TRUE(cancelled);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  const sluice::query next = sql("select to_json(1)");
  const std::string got = co_await answer(db, next);
  EXPECT_EQ(got, "1");
  EXPECT_FALSE(is_running("signal_test"));
}

TEST(Cancellation, OfACoroutineEndsTheQueryAndKeepsTheConnection) {
  EXPECT_EQ(signalled_while("signal_test", wait_and_go_on), nullptr);
}

asio::awaitable<void> wait_for_execute() {
  sluice::connection db = co_await sluice::connect(dsn());
  (void)co_await db.execute("select pg_sleep(600) as signalled_execute");
}

TEST(Cancellation, OfExecuteIsToldAsOurError) {
  const std::exception_ptr thrown = signalled_while("signalled_execute", wait_for_execute);
  ASSERT_TRUE(thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::cancelled);
  }
  EXPECT_FALSE(is_running("signalled_execute"));
}

}  // namespace
}  // namespace interruption_test
