// A server that does not stop sending, or sends more at once than a buffer holds, while no query runs: during login, on
// idle connections, to a listener, on the connection of a CancelRequest. This costs at most that one connection; other
// work on the same thread continues.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <sluice/sluice.hpp>
#include <sluice/stream/notifications.hpp>
#include <string>
#include <thread>

#include "script.hpp"
#include "tls_server.hpp"

namespace floods_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::errc;

/// Runs `work` beside a timer on the same thread.
/// @return how often the timer fired meanwhile
int ticks_beside(asio::awaitable<void> work) {
  asio::io_context context{1};
  asio::steady_timer timer{context};
  int ticks = -1;
  const std::function<void(std::error_code)> tick = [&](std::error_code) {
    ++ticks;
    timer.expires_after(1ms);
    timer.async_wait(tick);
  };
  tick({});
  std::exception_ptr failure;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr why) {
    failure = std::move(why);
    context.stop();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return ticks;
}

asio::awaitable<void> wait_for(const std::atomic<bool>& what) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  while (!what) {
    timer.expires_after(1ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> fail_to_connect(std::string dsn, std::optional<sluice::error>& why) {
  sluice::conninfo info = sluice::conninfo::parse(dsn);
  info.connect_timeout = 600ms;
  try {
    const sluice::connection db = co_await sluice::connect(info);
  } catch (const sluice::error& failure) {
    why = failure;
  }
}

void expect_late(const std::string& dsn) {
  std::optional<sluice::error> why;
  EXPECT_GT(ticks_beside(fail_to_connect(dsn, why)), 2);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code(), errc::deadline_exceeded) << why->what();
}

TEST(Flood, InTheLoginEndsAtTheDeadline) {
  const backend notice = backend{}.notice(std::string(1'000, 'x'));
  const backend sasl = backend{}.authentication(10, std::string{"SCRAM-SHA-256\0\0", 15});
  for (const script& server : {script{}.hears().repeats(notice), script{}.hears().says(sasl).repeats(notice),
                               script{}.hears().says(backend{}.authentication_ok()).repeats(notice)}) {
    const listener hostile{{server.play()}, listener::kind::tcp};
    expect_late(hostile.dsn() + " sslmode=disable password=pencil");
  }
}

TEST(Flood, InALoginInTlsEndsAtTheDeadline) {
  const tls_identity identity;
  const listener hostile{{[&](const server_end& client) {
                           (void)client.receive();
                           client.send("S");
                           const tls_end secured{client, identity};
                           while (secured.try_send(backend{}.notice(std::string(8'000, 'x')).bytes)) {
                           }
                         }},
                         listener::kind::tcp};
  expect_late(hostile.dsn() + " sslmode=require");
}

/// A receive buffer so small that one check of an idle connection (32 reads) takes less than the kernel has queued when
/// the flood begins. The result then does not depend on how fast the kernel delivers the rest.
constexpr std::size_t little = 1'024;

/// A pool whose only connection receives messages while it is idle.
struct idle_connection {
  std::atomic<bool> is_idle{false};
  std::atomic<bool> was_told{false};
  sluice::pool_stats seen{};

  /// @param says  sends the messages, and sets `was_told` once it has begun
  template <class Says>
  [[nodiscard]] listener::conversation told(const tls_identity* identity, Says says) {
    return [this, identity, says](const server_end& client) {
      if (identity == nullptr) {
        client.let_in();
        while (!is_idle) std::this_thread::yield();
        says(client, *this);
        client.receive_all();
        return;
      }
      (void)client.receive();
      client.send("S");
      const tls_end secured{client, *identity};
      (void)secured.receive();
      secured.send(backend{}.authentication_ok().backend_key_data(1, "key!").ready_for_query().bytes);
      while (!is_idle) std::this_thread::yield();
      says(secured, *this);
      while (!secured.receive().empty()) {
      }
    };
  }

  asio::awaitable<void> lend_twice(std::string dsn, std::size_t buffer_bytes) {
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    const sluice::pool_options options{.max_size = 1, .acquire_timeout = 20s};
    const sluice::connection_options small{.buffer_bytes = buffer_bytes};
    sluice::pool connections{on, std::string_view{dsn}, options, small};
    {
      const sluice::pooled_connection first = co_await connections.acquire();
    }
    is_idle = true;
    co_await wait_for(was_told);
    asio::steady_timer pause{on, 150ms};  // a pool does not look at what came back less than 100 ms ago
    co_await pause.async_wait(asio::use_awaitable);
    {
      const sluice::pooled_connection second = co_await connections.acquire();
    }
    seen = connections.stats();
  }
};

constexpr auto without_end = [](const auto& client, idle_connection& to) {
  const std::string notice = backend{}.notice(std::string(1'000, 'x')).bytes;
  for (int i = 0; client.try_send(notice); ++i)
    if (i == 400) to.was_told = true;  // more than one check reads
};
constexpr auto at_length = [](const auto& client, idle_connection& to) {
  client.send(backend{}.notice(std::string(100'000, 'x')).bytes);
  to.was_told = true;
};

TEST(Flood, OnAnIdleConnectionCostsThatConnectionOnly) {
  const tls_identity identity;
  for (const tls_identity* as : {static_cast<const tls_identity*>(nullptr), &identity}) {
    idle_connection one;
    const listener server{{one.told(as, without_end), one.told(as, [](const auto&, idle_connection&) {})},
                          listener::kind::tcp};
    const std::string mode = as == nullptr ? " sslmode=disable" : " sslmode=require";
    (void)ticks_beside(one.lend_twice(server.dsn() + mode, little));
    EXPECT_EQ(one.seen.opened, 2U);
    EXPECT_EQ(one.seen.found_dead, 1U);
  }
}

TEST(IdleConnection, OutlivesALongNoticeInASmallBuffer) {
  const tls_identity identity;
  for (const tls_identity* as : {static_cast<const tls_identity*>(nullptr), &identity}) {
    idle_connection one;
    const listener server{{one.told(as, at_length), one.told(as, [](const auto&, idle_connection&) {})},
                          listener::kind::tcp};
    const std::string mode = as == nullptr ? " sslmode=disable" : " sslmode=require";
    (void)ticks_beside(one.lend_twice(server.dsn() + mode, little));
    EXPECT_EQ(one.seen.opened, 1U);
    EXPECT_EQ(one.seen.reused, 1U);
  }
}

backend listening() { return backend{}.command_complete("LISTEN").ready_for_query(); }

asio::awaitable<void> hear_some(std::string dsn, sluice::listen_options options, int count, std::size_t& gaps) {
  sluice::notifications news{dsn, {"c"}, options};
  for (int i = 0; i < count; ++i) {
    const sluice::listen_event event = co_await news.next();
    if (event.is == sluice::listen_event::kind::gap) ++gaps;
  }
}

TEST(Flood, OfNotificationsIsReadAsItIsAskedFor) {
  const backend flood = backend{}.notification("c", std::string(1'000, 'x'));
  const listener server{{script{}.lets_in().hears().says(listening()).repeats(flood).play()}, listener::kind::tcp};
  std::size_t gaps = 0;
  EXPECT_GT(ticks_beside(hear_some(server.dsn() + " sslmode=disable", {}, 20'000, gaps)), 0);
  EXPECT_EQ(gaps, 0U);
}

TEST(Flood, OfNotificationsInsteadOfAnAnswerIsKeptWithinBoundsAndSaid) {
  const backend flood = backend{}.notification("c", std::string(1'000, 'x'));
  const listener server{{script{}.lets_in().hears().says(listening()).hears().repeats(flood).play()},
                        listener::kind::tcp};
  // The query that checks the server is answered only by notifications, of which ten fit.
  sluice::listen_options options{.check_interval = 5ms, .max_pending_bytes = 11'500};
  options.connection.leave_timeout = 200ms;
  std::size_t gaps = 0;
  (void)ticks_beside(hear_some(server.dsn() + " sslmode=disable", options, 11, gaps));
  EXPECT_EQ(gaps, 1U);
}

asio::awaitable<void> leave_a_query(std::string dsn, sluice::leaving& how) {
  const sluice::connection_options in_short{.leave_timeout = 300ms};
  sluice::connection db = co_await sluice::connect(dsn, in_short);
  const sluice::query query = sluice::from("t");
  sluice::row_stream rows = co_await db.stream(query);
  (void)co_await rows.next();
  how = co_await rows.cancel();
}

TEST(Flood, OnTheConnectionOfARequestToCancelEndsAtTheDeadline) {
  const script silent = script{}.lets_in().hears().says(rows(1)).falls_silent();
  const listener server{{silent.play(), script{}.hears().repeats(backend{}.notice()).play()}, listener::kind::tcp};
  sluice::leaving how{};
  EXPECT_GT(ticks_beside(leave_a_query(server.dsn() + " sslmode=disable", how)), 2);
  EXPECT_EQ(how, sluice::leaving::closed);
}

// The types of a result that are not built in are asked about: an answer without end is not kept.
TEST(Flood, OfTypesIsKeptWithinBounds) {
  const std::string name(60'000, 'x');
  const backend described = backend{}.parse_complete().parameter_description({}).row_description({{"v", 20'000}});
  const backend type = backend{}.data_row({"20000", "c", "0", ",", "f", "2", name, "23", std::nullopt, "-1"});
  const script endless =
      script{}.lets_in().hears().says(described).hears().says(backend{}.parse_complete().bind_complete()).repeats(type);
  const listener server{{endless.play()}};
  sluice::client db{server.dsn()};
  try {
    for (const sluice::row each : db.stream(sluice::sql("select v from t"))) (void)each;
    FAIL();
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::protocol_violation) << e.what();
  }
}

TEST(Flood, ColumnsHaveNamesThatAreUtf8) {
  const backend described =
      backend{}.parse_complete().parameter_description({}).row_description({{"\xff", 23}, {"b", 23}});
  const listener server{
      {script{}.lets_in().hears().says(described).hears().says(backend{}.ready_for_query()).falls_silent().play()}};
  sluice::client db{server.dsn()};
  try {
    for (const sluice::row each : db.stream(sluice::sql("select a, b from t"))) (void)each;
    FAIL();
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::protocol_violation) << e.what();
  }
}

}  // namespace
}  // namespace floods_test
