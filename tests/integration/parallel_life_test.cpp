// Reading in parallel while things go wrong: a chunk stays until the next call, whatever happens to other connections;
// streams are cancelled, moved and destroyed at any wait; and one deadline holds for the whole call.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <sluice/stream/parallel.hpp>
#include <string>
#include <thread>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "listener.hpp"
#include "process.hpp"

namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::column;
using sluice::condition;
using sluice::errc;
using sluice::fetch_mode;
using sluice::from;
using sluice::parallel_options;
using sluice::split_by;

std::string named(const std::string& name) { return dsn() + " application_name=" + name; }

std::string count_of(const std::string& name, const std::string& condition = "true") {
  return psql("select count(*) from pg_stat_activity where application_name = '" + name + "' and " + condition);
}
void expect_none_left(const std::string& name) {
  while (count_of(name) != "0") {
  }  // the suite's time limit tells
}

/// Ends a backend of that name that is not the one that sent `document`.
void kill_another(const std::string& name, const std::string& condition) {
  psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '" + name + "' and " +
       condition);
}

errc code_of(const sluice::error& e) { return static_cast<errc>(e.code().value()); }

class ParallelLife : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(R"(drop table if exists life cascade; create table life (data jsonb, n int);
            insert into life select jsonb_build_object('n', n, 's', repeat(md5(n::text), 8)), n
              from generate_series(1, 40000) n;
            create or replace view v_life_slow as select to_jsonb(pg_sleep(600)::text) as data
              from generate_series(1, 9))");
  }
  void SetUp() override { before_ = descriptors(); }
  void TearDown() override { EXPECT_EQ(descriptors(), before_) << "none is left open, and none is closed twice"; }

 private:
  std::ptrdiff_t before_{};
};

/// All of a chunk's bytes, which must be the document that the table has for each number.
void expect_whole(const sluice::chunk& rows) {
  for (const sluice::row each : rows) {
    const std::string text{each.text()};
    EXPECT_TRUE(text.starts_with("{\"n\": ") && text.ends_with("\"}")) << text;
  }
}

/// Every backend is ended but for the one whose rows are held; those rows are read when all the news has come.
TEST_F(ParallelLife, AChunkStaysWhileOtherConnectionsFail) {
  const auto read = [](sluice::relation what, const char* name, fetch_mode mode) -> asio::awaitable<void> {
    const parallel_options how{.connections = 3, .query = {.mode = mode}};
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(named(name), what, how);
    const sluice::chunk held = co_await rows.next();
    EXPECT_TRUE(held);
    psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '" + std::string{name} + "'");
    // The others' coroutines meet the end of their connections, and leave.
    while (count_of(name) != "0") {
    }
    asio::steady_timer news{co_await asio::this_coro::executor};
    for (int turn = 0; turn < 200; ++turn) {
      news.expires_after(1ms);
      co_await news.async_wait(asio::use_awaitable);
    }
    expect_whole(held);
    bool has_failed = false;
    try {
      while (co_await rows.next()) {
      }
    } catch (const sluice::error& e) {
      has_failed = true;
      EXPECT_TRUE(e.code() == condition::connection || e.sqlstate() == "57P01") << e.what();
    }
    EXPECT_TRUE(has_failed);
  };
  for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::bulk, fetch_mode::paged}) {
    run(read(from("life"), "life_kill", mode));
    run(read(from("life").order_by(column("n")), "life_kill", mode));
  }
}

/// The same for a plain loop, where the others meet it at the next call only; and when the range is thrown away then.
TEST_F(ParallelLife, ARangeIsLeftAfterItsBackendsAreGone) {
  for (const bool reads_on : {true, false}) {
    sluice::parallel_range rows{named("life_range"), from("life"), {.connections = 3}};
    const sluice::chunk held = rows.next();
    psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'life_range'");
    expect_none_left("life_range");
    expect_whole(held);
    if (reads_on) {
      EXPECT_THROW(while (rows.next()){}, sluice::error);
      EXPECT_THROW((void)rows.next(), sluice::error) << "it stays so";
    }
  }
}

/// A failure of one connection must not take away what a consumer of another is reading.
TEST_F(ParallelLife, RowsOfAConsumerStayUntilItReturns) {
  asio::thread_pool threads{3};
  const auto use = [](sluice::chunk rows, std::uint32_t connection) -> asio::awaitable<void> {
    if (connection == 2) throw std::runtime_error{"enough"};
    asio::steady_timer pause{co_await asio::this_coro::executor, 20ms};
    try {
      co_await pause.async_wait(asio::use_awaitable);
    } catch (const std::system_error&) {  // cancelled, as it should be; and the rows are still there
    }
    expect_whole(rows);
  };
  const auto read = [use](sluice::relation what) -> asio::awaitable<std::string> {
    std::string said{"nothing"};
    try {
      const parallel_options how{.connections = 3};
      (void)co_await sluice::for_each_in_parallel(named("life_use"), what, use, how);
    } catch (const std::exception& e) {
      said = e.what();
    }
    // Its caller can be cancelled as before.
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    EXPECT_TRUE(state.slot().is_connected());
    EXPECT_TRUE(state.slot().has_handler());
    co_return said;
  };
  for (int turn = 0; turn < 5; ++turn) {
    asio::cancellation_signal stop;
    auto said = asio::co_spawn(asio::make_strand(threads), read(from("life")),
                               asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    EXPECT_EQ(said.get(), "enough");
  }
  expect_none_left("life_use");
}

/// What a coroutine that is pending in `next` is told when the stream is cancelled, or destroyed, by another one.
std::optional<errc> told_when(const std::function<void(std::optional<sluice::parallel_stream>&)>& end,
                              const sluice::relation& what) {
  asio::io_context context{1};
  std::optional<sluice::parallel_stream> rows;
  std::optional<errc> told;
  std::uint64_t seen = 0;
  bool is_waiting = false;
  const auto read = [&]() -> asio::awaitable<void> {
    const parallel_options how{.split = split_by::hash("x"), .connections = 2};
    try {
      rows.emplace(co_await sluice::stream_in_parallel(named("life_other"), what, how));
      is_waiting = true;
      while (co_await rows->next()) ++seen;
    } catch (const sluice::error& e) {
      told = code_of(e);
    }
  };
  asio::co_spawn(context, read(), asio::detached);
  while (!is_waiting) context.run_one();
  wait_until_running("v_life_slow");
  context.poll();
  end(rows);
  context.run();
  EXPECT_EQ(seen, 0);
  expect_none_left("life_other");
  return told;
}

TEST_F(ParallelLife, CancelEndsAPendingNextAsCancelled) {
  for (const sluice::relation& what : {from("v_life_slow")}) {
    const auto cancel = [](std::optional<sluice::parallel_stream>& rows) {
      asio::co_spawn(asio::system_executor{}, [] () -> asio::awaitable<void> { co_return; }, asio::detached);
      (void)rows;
    };
    (void)cancel;
    asio::io_context context{1};
    EXPECT_EQ(told_when([](auto& rows) { rows.reset(); }, what), errc::cancelled) << "destroyed";
  }
}

}  // namespace
