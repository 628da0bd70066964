// Streams against a scripted server: what they send and when, how they end, and the state in which they leave the
// connection.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_future.hpp>
#include <functional>
#include <future>
#include <sluice/sluice.hpp>
#include <sluice/stream/async.hpp>
#include <sluice/stream/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "bytes.hpp"
#include "faces.hpp"
#include "listener.hpp"

namespace row_stream_test {
namespace {

using namespace std::chrono_literals;
using sluice::condition;
using sluice::test::backend;
using sluice::test::listener;
using sluice::test::run;
using sluice::test::server_end;

std::string rows_answer(int rows) {
  backend answer;
  answer.parse_complete().bind_complete().row_description();
  for (int i = 0; i < rows; ++i) answer.data_row("{\"i\":" + std::to_string(i) + "}");
  return answer.command_complete("SELECT " + std::to_string(rows)).ready_for_query().bytes;
}
std::string endless_rows_begin() {
  return backend{}.parse_complete().bind_complete().row_description().data_row("{}").bytes;
}

asio::awaitable<int> count_rows(std::string dsn) {
  sluice::connection conn = co_await sluice::connect(dsn);
  const sluice::query query = sluice::from("t");
  sluice::row_stream stream = co_await conn.stream(query);
  int count = 0;
  while (const sluice::chunk chunk = co_await stream.next())
    for (const sluice::row row : chunk) count += row.text().empty() ? 0 : 1;
  co_return count;
}

TEST(RowStream, AsksInOneWriteAndReadsItsFirstRowInOneRoundTrip) {
  std::string asked;
  const listener server{{[&](server_end client) {
    client.let_in();
    asked = client.receive();  // one segment, because the client sends it in one write
    client.send(rows_answer(3));
    client.receive_all();
  }}};
  EXPECT_EQ(run(count_rows(server.dsn())), 3);
  std::string types;
  for (std::size_t at = 0; at + 5 <= asked.size();) {
    types += asked[at];
    std::uint32_t length = 0;
    for (std::size_t i = 1; i < 5; ++i) length = length << 8U | static_cast<unsigned char>(asked[at + i]);
    at += 1 + length;
  }
  EXPECT_EQ(types, "PBDES");
}

TEST(Client, GivesTheSameInAPlainLoop) {
  const listener server{{[](server_end client) {
    client.let_in();
    (void)client.receive();
    client.send(rows_answer(1000));
    (void)client.receive();
    client.send(rows_answer(2));
    client.receive_all();
  }}};
  sluice::client db{server.dsn()};
  std::int64_t sum = 0;
  for (const sluice::row row : db.stream(sluice::from("t"))) {
    sluice::json_document document = row.json();
    sum += document["i"].get_int64().value();
  }
  EXPECT_EQ(sum, 999 * 1000 / 2);
  sluice::row_range again = db.stream(sluice::from("t"));
  sluice::row_range moved = std::move(again);
  const sluice::owned_chunk kept = moved.next().detach();
  EXPECT_FALSE(moved.next());
  int count = 0;
  for (const sluice::row row : kept) count += row.is_null() ? 0 : 1;
  EXPECT_EQ(count, 2);
  EXPECT_TRUE(db.is_idle());
}

TEST(Client, RefusesASecondQueryWhileOneIsOpen) {
  const listener server{{[](server_end client) {
    client.let_in();
    (void)client.receive();
    client.send(rows_answer(1));
    client.receive_all();
  }}};
  sluice::client db{server.dsn()};
  sluice::row_range open = db.stream(sluice::from("t"));
  EXPECT_THROW((void)db.stream(sluice::from("t")), sluice::error);
  EXPECT_TRUE(open.next());
  EXPECT_FALSE(open.next());
}

const std::string cancelled_answer = backend{}.error("57014", "canceling statement").ready_for_query().bytes;

/// A query that runs until a CancelRequest arrives on a second connection, and five rows for the next query.
struct cancellable_query {
  std::string request;       // the CancelRequest
  std::promise<void> asked;  // set when the CancelRequest has arrived

  std::vector<listener::conversation> conversations() {
    return {[this](server_end client) {
              client.let_in();
              (void)client.receive();
              client.send(endless_rows_begin());
              asked.get_future().wait();
              client.send(cancelled_answer);
              (void)client.receive();
              client.send(rows_answer(5));
              client.receive_all();
            },
            [this](server_end canceller) {
              request = canceller.receive();
              asked.set_value();
            }};
  }
};

TEST(Leaving, CancelsTheQueryWithItsKeyAndProvesTheConnectionClean) {
  cancellable_query query;
  const listener server{query.conversations()};
  sluice::client db{server.dsn()};
  sluice::row_range rows = db.stream(sluice::from("t"));
  EXPECT_TRUE(rows.next());
  EXPECT_EQ(rows.cancel(), sluice::leaving::cancelled);
  EXPECT_EQ(query.request.substr(4, 4), sluice::test::raw("\x04\xd2\x16\x2e"));
  EXPECT_EQ(query.request.substr(8), sluice::test::be32(4711) + "key!");
  int count = 0;
  for (const sluice::row row : db.stream(sluice::from("t"))) count += row.is_null() ? 0 : 1;
  EXPECT_EQ(count, 5) << "and the next query works";
}

TEST(Leaving, DrainsWhatIsNearlyOverWithoutACancel) {
  const listener server{{[](server_end client) {
    client.let_in();
    (void)client.receive();
    client.send(rows_answer(5));
    (void)client.receive();
    client.send(rows_answer(1));
    client.receive_all();
  }}};
  sluice::client db{server.dsn()};
  sluice::row_range rows = db.stream(sluice::from("t"));
  EXPECT_TRUE(rows.next());
  EXPECT_EQ(rows.cancel(), sluice::leaving::drained);
  EXPECT_TRUE(db.is_idle());
  sluice::row_range next = db.stream(sluice::from("t"));
  EXPECT_TRUE(next.next());
  EXPECT_FALSE(next.next());
}

TEST(Leaving, SwallowsACancelThatComesTooLate) {
  std::promise<void> asked;  // set when the CancelRequest has arrived
  const listener server{{[&](server_end client) {
                           client.let_in();
                           (void)client.receive();
                           client.send(endless_rows_begin());
                           asked.get_future().wait();
                           client.send(backend{}.command_complete("SELECT 1").ready_for_query().bytes);
                           EXPECT_EQ(client.receive(), sluice::test::raw("Q\0\0\0\5\0")) << "an empty query as a probe";
                           client.send(cancelled_answer);  // the late cancellation hits the probe
                           (void)client.receive();
                           client.send(rows_answer(2));
                           client.receive_all();
                         },
                         [&](server_end canceller) {
                           (void)canceller.receive();
                           asked.set_value();
                         }}};
  sluice::client db{server.dsn()};
  sluice::row_range rows = db.stream(sluice::from("t"));
  EXPECT_TRUE(rows.next());
  EXPECT_EQ(rows.cancel(), sluice::leaving::drained);
  sluice::row_range next = db.stream(sluice::from("t"));
  EXPECT_TRUE(next.next());
  EXPECT_FALSE(next.next());
}

TEST(Leaving, ClosesTheConnectionWhenTheServerDoesNotObey) {
  const listener server{{[](server_end client) {
                           client.let_in();
                           (void)client.receive();
                           client.send(endless_rows_begin());
                           client.receive_all();
                         },
                         [](server_end canceller) { (void)canceller.receive(); }}};
  sluice::client db{server.dsn(), {.leave_timeout = 50ms}};
  sluice::row_range rows = db.stream(sluice::from("t"));
  EXPECT_TRUE(rows.next());
  EXPECT_EQ(rows.cancel(), sluice::leaving::closed);
  EXPECT_TRUE(db.is_closed());
  EXPECT_THROW((void)db.stream(sluice::from("t")), sluice::error);
}

TEST(Leaving, GoesOnInTheBackgroundWhenACoroutineDropsItsStream) {
  cancellable_query dropped_query;
  const listener server{dropped_query.conversations()};
  const auto work = [](std::string dsn) -> asio::awaitable<int> {
    sluice::connection conn = co_await sluice::connect(dsn);
    const sluice::query query = sluice::from("t");
    {
      sluice::row_stream dropped = co_await conn.stream(query);
      const sluice::chunk first = co_await dropped.next();
      EXPECT_TRUE(first);
    }
    sluice::row_stream stream = co_await conn.stream(query);
    int count = 0;
    while (const sluice::chunk chunk = co_await stream.next())
      for (const sluice::row row : chunk) count += row.is_null() ? 0 : 1;
    co_return count;
  };
  EXPECT_EQ(run(work(server.dsn())), 5);
}

/// The error of reading to the end.
sluice::error failure_of(const std::function<void()>& read) {
  try {
    read();
  } catch (const sluice::error& e) {
    return e;
  }
  return sluice::error{sluice::errc{}, "nothing failed"};
}

TEST(Deadline, EndsAWaitForRows) {
  const listener server{{[](server_end client) {
                           client.let_in();
                           client.receive_all();
                         },
                         [](server_end canceller) { (void)canceller.receive(); }}};
  sluice::client db{server.dsn(), {.leave_timeout = 20ms}};
  const sluice::error late = failure_of([&] {
    sluice::row_range rows = db.stream(sluice::from("t"), {.timeout = 30ms});
    (void)rows.next();
  });
  EXPECT_EQ(late.code(), condition::timeout) << late.what();
}

TEST(Deadline, EndsAServerThatDripsForEver) {
  const listener server{{[](server_end client) {
                           client.let_in();
                           (void)client.receive();
                           client.send(endless_rows_begin());
                           while (!client.hears_something_within(1)) client.send(backend{}.notice().bytes);
                         },
                         [](server_end canceller) { (void)canceller.receive(); }}};
  const auto work = [](std::string dsn) -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn, {.leave_timeout = 20ms});
    const sluice::query query = sluice::from("t");
    sluice::row_stream stream = co_await conn.stream(query, {.timeout = 50ms});
    while (co_await stream.next()) {
    }
  };
  EXPECT_EQ(failure_of([&] { run(work(server.dsn())); }).code(), condition::timeout);
}

TEST(Deadline, EndsALoginThatIsNeverAnswered) {
  const listener server{{[](server_end client) { client.receive_all(); }}};
  EXPECT_EQ(failure_of([&] { sluice::client{server.dsn() + " connect_timeout=2"}; }).code(), condition::timeout);
}

TEST(Cancellation, EndsACoroutinesWait) {
  const listener server{{[](server_end client) {
                           client.let_in();
                           client.receive_all();
                         },
                         [](server_end canceller) { (void)canceller.receive(); }}};
  asio::io_context context{1};
  asio::cancellation_signal stop;
  asio::steady_timer soon{context, 30ms};
  soon.async_wait([&](std::error_code) { stop.emit(asio::cancellation_type::terminal); });
  std::exception_ptr thrown;
  const auto work = [](std::string dsn) -> asio::awaitable<void> {
    sluice::connection conn = co_await sluice::connect(dsn, {.leave_timeout = 20ms});
    const sluice::query query = sluice::from("t");
    sluice::row_stream stream = co_await conn.stream(query);
    (void)co_await stream.next();
  };
  asio::co_spawn(context, work(server.dsn()),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) { thrown = std::move(e); }));
  context.run();
  EXPECT_EQ(failure_of([&] { std::rethrow_exception(thrown); }).code(), condition::cancelled);
}

TEST(Cancellation, InterruptsABlockingWaitFromAnotherThread) {
  const listener server{{[](server_end client) {
                           client.let_in();
                           client.receive_all();
                         },
                         [](server_end canceller) { (void)canceller.receive(); }}};
  sluice::client db{server.dsn(), {.leave_timeout = 20ms}};
  std::thread other{[&] {
    std::this_thread::sleep_for(30ms);
    db.interrupt();
  }};
  const sluice::error interrupted = failure_of([&] {
    sluice::row_range rows = db.stream(sluice::from("t"));
    (void)rows.next();
  });
  other.join();
  EXPECT_EQ(interrupted.code(), condition::cancelled);
}

TEST(RowStream, CompletesACallbackToo) {
  const listener server{{[](server_end client) {
    client.let_in();
    (void)client.receive();
    client.send(rows_answer(3));
    client.receive_all();
  }}};
  asio::io_context context{1};
  auto connected = asio::co_spawn(context, sluice::connect(server.dsn()), asio::use_future);
  context.run();
  sluice::connection conn = connected.get();
  context.restart();
  auto started = asio::co_spawn(context, conn.stream(sluice::from("t")), asio::use_future);
  context.run();
  sluice::row_stream stream = started.get();
  context.restart();
  int count = 0;
  stream.next([&](std::exception_ptr error, sluice::chunk chunk) {
    EXPECT_FALSE(error);
    for (const sluice::row row : chunk) count += row.is_null() ? 0 : 1;
  });
  EXPECT_EQ(count, 0) << "never inside the call that starts it";
  context.run();
  EXPECT_EQ(count, 3);
}

TEST(Connect, TriesTheNextHostWhenOneIsDeadAndTellsWhatEachSaid) {
  const listener server{{[](server_end client) {
    client.let_in();
    (void)client.receive();
    client.send(rows_answer(1));
    client.receive_all();
  }}};
  const std::string folder = server.dsn().substr(5, server.dsn().find(' ') - 5);
  EXPECT_EQ(run(count_rows("host=/nonexistent," + folder + " user=me dbname=app")), 1);
  const sluice::error both = failure_of([] { sluice::client{"host=/nonexistent,/neither user=me dbname=app"}; });
  EXPECT_EQ(both.code(), condition::connection);
  EXPECT_NE(std::string{both.what()}.find("/nonexistent/"), std::string::npos);
  EXPECT_NE(std::string{both.what()}.find("/neither/"), std::string::npos);
}

// Code that must not compile is tested by static_asserts.
template <class Chunk>
concept gives_rows = requires(Chunk&& chunk) { std::forward<Chunk>(chunk).begin(); };
static_assert(gives_rows<const sluice::owned_chunk&>);
static_assert(!gives_rows<sluice::owned_chunk>, "the rows of a temporary would dangle");
static_assert(std::input_iterator<sluice::row_range::iterator>);
static_assert(std::forward_iterator<sluice::chunk::iterator>);

}  // namespace
}  // namespace row_stream_test
