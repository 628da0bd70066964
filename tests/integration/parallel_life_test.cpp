// Failures while reading in parallel: a chunk stays valid until the next call, whatever happens to other connections;
// streams are cancelled, moved and destroyed during any wait; one deadline applies to the whole call.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <sluice/stream/parallel.hpp>
#include <sluice/wire/asio_errors.hpp>
#include <string>
#include <thread>
#include <vector>
#include "engine/connect.hpp"

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "listener.hpp"
#include "process.hpp"

namespace parallel_life_test {
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

std::string count_of(const std::string& name) {
  return psql("select count(*) from pg_stat_activity where application_name = '" + name + "'");
}
void expect_none_left(const std::string& name) {
  sluice::test::wait_until("not exists (select from pg_stat_activity where application_name = '" + name + "')");
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

/// Checks all bytes of a chunk: each row must be the table's document for its number.
void expect_whole(const sluice::chunk& rows) {
  for (const sluice::row each : rows) {
    const std::string text{each.text()};
    EXPECT_TRUE(text.starts_with("{\"n\": ") && text.ends_with("\"}")) << text;
  }
}

/// Ends every backend except the one whose rows are held. Those rows are read after all other connections have failed.
TEST_F(ParallelLife, AChunkStaysWhileOtherConnectionsFail) {
  const auto read = [](sluice::relation what, const char* name, fetch_mode mode) -> asio::awaitable<void> {
    const parallel_options how{.connections = 3, .query = {.mode = mode}};
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(named(name), what, how);
    const sluice::chunk held = co_await rows.next();
    EXPECT_TRUE(held);
    psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '" + std::string{name} + "'");
    // The coroutines of the other connections see them fail and end.
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

/// The same in a blocking loop, where the failures are seen only at the next call; also when the range is destroyed
/// instead.
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

/// When one connection fails, the rows that another consumer is reading stay valid, and its caller can still be
/// cancelled.
TEST_F(ParallelLife, RowsOfAConsumerStayUntilItReturns) {
  asio::thread_pool threads{3};
  const auto use = [](sluice::chunk rows, std::uint32_t connection) -> asio::awaitable<void> {
    if (connection == 2) throw std::runtime_error{"enough"};
    asio::steady_timer pause{co_await asio::this_coro::executor, 20ms};
    sluice::wire::asio_code cancelled;
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    expect_whole(rows);
  };
  asio::cancellation_signal stop;
  const auto read = [&]() -> asio::awaitable<std::string> {
    std::string said{"nothing"};
    try {
      const parallel_options how{.connections = 3};
      (void)co_await sluice::for_each_in_parallel(named("life_use"), from("life"), use, how);
    } catch (const std::exception& e) {
      said = e.what();
    }
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    asio::post(on, [&] { stop.emit(asio::cancellation_type::terminal); });
    asio::steady_timer forever{on, asio::steady_timer::time_point::max()};
    sluice::wire::asio_code end;
    co_await forever.async_wait(asio::redirect_error(asio::use_awaitable, end));
    EXPECT_EQ(end, asio::error::operation_aborted);
    co_return said;
  };
  for (int turn = 0; turn < 5; ++turn) {
    auto said =
        asio::co_spawn(asio::make_strand(threads), read(), asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    EXPECT_EQ(said.get(), "enough");
  }
  threads.join();
  expect_none_left("life_use");
}

/// Another coroutine cancels or destroys the stream while this one waits.
TEST_F(ParallelLife, APendingNextEndsAsCancelled) {
  const auto told_when = [](bool is_destroyed) {
    asio::io_context context{1};
    std::optional<sluice::parallel_stream> rows;
    std::optional<errc> told;
    std::optional<errc> told_later;
    std::uint64_t seen = 0;
    bool has_begun = false;
    bool is_cancelled = false;
    const auto read = [&]() -> asio::awaitable<void> {
      const parallel_options how{.split = split_by::hash("x"), .connections = 2};
      rows.emplace(co_await sluice::stream_in_parallel(named("life_other"), from("v_life_slow"), how));
      has_begun = true;
      try {
        while (co_await rows->next()) ++seen;
      } catch (const sluice::error& e) {
        told = code_of(e);
      }
    };
    const auto cancel = [&]() -> asio::awaitable<void> {
      co_await rows->cancel();
      is_cancelled = true;
      try {
        while (co_await rows->next()) ++seen;
      } catch (const sluice::error& e) {
        told_later = code_of(e);
      }
    };
    asio::co_spawn(context, read(), asio::detached);
    while (!has_begun) context.run_one();
    context.poll();
    if (is_destroyed)
      rows.reset();
    else
      asio::co_spawn(context, cancel(), asio::detached);
    context.run();
    EXPECT_EQ(seen, 0);
    if (!is_destroyed) {
      EXPECT_TRUE(is_cancelled);
      EXPECT_EQ(told_later, errc::cancelled) << "an incomplete result does not look complete";
    }
    rows.reset();
    expect_none_left("life_other");
    return told;
  };
  EXPECT_EQ(told_when(false), errc::cancelled);
  EXPECT_EQ(told_when(true), errc::cancelled);
}

/// How a parallel read in a coroutine ended.
struct reading {
  std::uint64_t rows{0};
  bool is_complete{false};
  std::optional<sluice::error> failure;
};
using way = std::function<asio::awaitable<void>(std::string where, parallel_options how, reading& seen)>;

asio::awaitable<void> by_stream(std::string where, sluice::relation what, parallel_options how, reading& seen) {
  sluice::parallel_stream rows = co_await sluice::stream_in_parallel(where, what, how);
  while (const sluice::chunk batch = co_await rows.next())
    for (const sluice::row each : batch) seen.rows += each.is_null() ? 0U : 1U;
}
asio::awaitable<void> plainly(std::string where, parallel_options how, reading& seen) {
  return by_stream(std::move(where), from("life_few"), how, seen);
}
asio::awaitable<void> in_order(std::string where, parallel_options how, reading& seen) {
  return by_stream(std::move(where), from("life_few").order_by(column("n")), how, seen);
}
asio::awaitable<void> with_consumers(std::string where, parallel_options how, reading& seen) {
  const auto use = [&seen](sluice::chunk batch, std::uint32_t) -> asio::awaitable<void> {
    for (const sluice::row each : batch) seen.rows += each.is_null() ? 0U : 1U;
    co_return;
  };
  const sluice::relation what = from("life_few");
  (void)co_await sluice::for_each_in_parallel(where, what, use, how);
}
asio::awaitable<void> explained(std::string where, parallel_options how, reading& seen) {
  const sluice::relation what = from("life_few");
  const std::string text = co_await sluice::explain_in_parallel(where, what, how);
  if (text.starts_with("in parallel")) seen.rows = 50;
}
asio::awaitable<void> watched(asio::awaitable<void> work, reading& seen) {
  try {
    co_await std::move(work);
    seen.is_complete = true;
  } catch (const sluice::error& e) {
    seen.failure = e;
  }
}

class ParallelWays : public testing::TestWithParam<std::pair<const char*, way>> {
 protected:
  static void SetUpTestSuite() {
    psql(R"(drop table if exists life_few; create table life_few (data jsonb, n int) with (fillfactor = 10);
            insert into life_few select jsonb_build_object('n', n, 's', repeat(md5(n::text), 20)), n
              from generate_series(1, 50) n)");
  }
  void SetUp() override { before_ = descriptors(); }
  void TearDown() override { EXPECT_EQ(descriptors(), before_) << "none is left open, and none is closed twice"; }
  static asio::awaitable<void> work(std::string where, parallel_options how, reading& seen) {
    return watched(GetParam().second(std::move(where), how, seen), seen);
  }

 private:
  std::ptrdiff_t before_{};
};

/// Calls `ended_after` with rising numbers of turns until it returns true: each small number, then ever fewer of them.
template <class Body>
void at_each_turn(const Body& ended_after) {
  int turn = 1;  // in the first turn, the test's own coroutine has not begun
  while (!ended_after(turn)) turn += 1 + turn / 24;
}

TEST_P(ParallelWays, CancelledAtEveryWait) {
  at_each_turn([](int turn) {
    SCOPED_TRACE("cancelled after " + std::to_string(turn) + " turns");
    asio::io_context context{1};
    asio::cancellation_signal stop;
    reading seen;
    bool is_over = false;
    bool threw = false;
    asio::co_spawn(context, work(named("life_sweep"), {.connections = 3}, seen),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure) {
                     is_over = true;
                     threw = failure != nullptr;
                   }));
    for (int i = 0; i < turn && !is_over; ++i) context.run_one();
    const bool was_over = is_over;
    if (!is_over) stop.emit(asio::cancellation_type::terminal);
    context.run();
    EXPECT_TRUE(is_over);
    EXPECT_FALSE(threw && turn > 1) << "a cancellation is told as our error";
    EXPECT_TRUE(seen.is_complete || seen.failure || turn == 1);
    EXPECT_TRUE(!seen.is_complete || seen.rows == 50) << seen.rows;
    if (seen.failure) {
      EXPECT_EQ(seen.failure->code(), condition::cancelled) << seen.failure->what();
    }
    return was_over;
  });
  expect_none_left("life_sweep");
}

TEST_P(ParallelWays, DroppedWithTheirContextAtEveryWait) {
  at_each_turn([](int turn) {
    reading seen;
    asio::io_context context{1};
    asio::co_spawn(context, work(named("life_dropped"), {.connections = 3}, seen), asio::detached);
    for (int i = 0; i < turn; ++i)
      if (context.run_one() == 0) return true;
    return false;
  });
  expect_none_left("life_dropped");
}

/// Answers the first connection, and never answers the others.
class only_one_answered {
 public:
  only_one_answered() {
    acceptor_.open(asio::ip::tcp::v4());
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen();
    asio::co_spawn(context_, serve(), asio::detached);
    thread_ = std::thread{[this] { context_.run(); }};
  }
  ~only_one_answered() {
    context_.stop();
    thread_.join();
  }
  only_one_answered(const only_one_answered&) = delete;
  only_one_answered& operator=(const only_one_answered&) = delete;

  [[nodiscard]] std::string dsn() const {
    return "host=127.0.0.1 user=trust_user dbname=sluice sslmode=disable port=" +
           std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  using socket = asio::ip::tcp::socket;
  asio::awaitable<void> serve() {
    socket client = co_await acceptor_.async_accept(asio::use_awaitable);
    socket server{context_};
    const auto port = static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT")));
    server.connect({asio::ip::address_v4::loopback(), port});
    asio::co_spawn(context_, pass_on(client, server), asio::detached);
    asio::co_spawn(context_, pass_on(server, client), asio::detached);
    std::vector<socket> unanswered;
    for (;;) unanswered.push_back(co_await acceptor_.async_accept(asio::use_awaitable));
  }
  static asio::awaitable<void> pass_on(socket& from, socket& to) {
    std::vector<char> bytes(65536);
    sluice::wire::asio_code end;
    while (!end) {
      const std::size_t count =
          co_await from.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, end));
      if (count != 0) asio::write(to, asio::buffer(bytes.data(), count), end);
    }
    to.shutdown(socket::shutdown_send, end);
  }

  asio::io_context context_{1};
  asio::ip::tcp::acceptor acceptor_{context_};
  std::thread thread_;
};

TEST_P(ParallelWays, EndAtTheOneDeadline) {
  const bool connects_once = std::string_view{GetParam().first} == "explained";
  const auto end_of = [&](const std::string& where, const sluice::query_options& limits) {
    reading seen;
    asio::io_context context{1};
    asio::co_spawn(context, work(where + " application_name=life_late", {.connections = 2, .query = limits}, seen),
                   asio::detached);
    context.run();  // returns when no operation is pending
    expect_none_left("life_late");
    EXPECT_FALSE(seen.is_complete);
    return seen.failure ? std::string{seen.failure->code().message()} + seen.failure->what() : "nothing";
  };
  const auto expect_late = [&](const std::string& where, const sluice::query_options& limits, const char* words) {
    const std::string said = end_of(where, limits);
    EXPECT_NE(said.find(words), said.npos) << said;
    EXPECT_TRUE(said.starts_with(make_error_code(errc::deadline_exceeded).message())) << said;
  };
  {
    SCOPED_TRACE("a server that never answers");
    listener silent{{[](server_end one) { one.receive_all(); }}, listener::kind::tcp};
    expect_late(silent.dsn(), {.timeout = 300ms}, "deadline passed");
  }
  if (!connects_once) {
    SCOPED_TRACE("a second connection that is never answered");
    only_one_answered server;
    psql("grant select on life_few to public");
    expect_late(server.dsn(), {.timeout = 2s}, "deadline passed");
    if (std::string_view{GetParam().first} != "with_consumers") {  // one of its consumers has received rows
      only_one_answered other;
      expect_late(other.dsn(), {.first_row_timeout = 2s}, "no row came in time");
    }
  }
  SCOPED_TRACE("a locked table");
  sluice::client locker{dsn()};
  locker.execute("begin; lock table life_few in access exclusive mode");
  expect_late(dsn(), {.timeout = 300ms}, "deadline passed");
  expect_late(dsn(), {.first_row_timeout = 300ms}, "no row came in time");
  expect_late(dsn(), {.stall_timeout = 300ms}, "nothing for too long");
}

INSTANTIATE_TEST_SUITE_P(Of, ParallelWays,
                         testing::Values(std::pair<const char*, way>{"plainly", plainly},
                                         std::pair<const char*, way>{"in_order", in_order},
                                         std::pair<const char*, way>{"with_consumers", with_consumers},
                                         std::pair<const char*, way>{"explained", explained}),
                         [](const auto& of) { return of.param.first; });

std::optional<errc> end_of_range(const sluice::relation& what, const parallel_options& how,
                                 std::chrono::milliseconds pause = 0ms) {
  try {
    sluice::parallel_range rows{named("life_limit"), what, how};
    while (rows.next()) std::this_thread::sleep_for(std::exchange(pause, 0ms));
  } catch (const sluice::error& e) {
    return code_of(e);
  }
  return std::nullopt;
}

TEST_F(ParallelLife, OneDeadlineHoldsForAllTasks) {
  psql(
      "create or replace view v_life_tasks as select jsonb_build_object('n', n) as data from generate_series(1, 8) n "
      "where pg_sleep(0.1) is not null");
  const parallel_options by_key{.split = split_by::key("n"), .connections = 2, .query = {.timeout = 1'400ms}};
  EXPECT_EQ(end_of_range(from("v_life_tasks"), by_key), errc::deadline_exceeded) << "each task takes 800 ms";
  const parallel_options locked{.query = {.timeout = 300ms}};
  sluice::client locker{dsn()};
  locker.execute("begin; lock table life in access exclusive mode");
  EXPECT_EQ(end_of_range(from("life"), locked), errc::deadline_exceeded);
  expect_none_left("life_limit");
}

TEST_F(ParallelLife, TheConsumersTimeCountsWhereItIsToldTo) {
  const sluice::relation few = from("life").where(column("n") < 100);
  const auto began = std::chrono::steady_clock::now();
  parallel_options how{.query = {.timeout = std::chrono::milliseconds::max(), .timeout_counts_pauses = true}};
  how.query.first_row_timeout = how.query.timeout;
  EXPECT_EQ(end_of_range(few, how), std::nullopt) << "as good as none";
  const auto took = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  how.query = {.timeout = 1s + 5 * took, .timeout_counts_pauses = true};  // enough without the pause
  EXPECT_EQ(end_of_range(few, how, how.query.timeout), errc::deadline_exceeded);
  how.query.timeout_counts_pauses = false;
  EXPECT_EQ(end_of_range(few, how, how.query.timeout), std::nullopt);
}

TEST_F(ParallelLife, OneLimitOfBytesHoldsForAllTasks) {
  const parallel_options how{.connections = 2, .query = {.max_stream_bytes = 4U << 20U}};  // 32 tasks: 11 MB
  EXPECT_EQ(end_of_range(from("life"), how), errc::stream_too_large);
}

TEST_F(ParallelLife, ARangeThatIsCancelledFirstConnectsToNobody) {
  sluice::parallel_range rows{"host=127.0.0.1 port=1", from("life")};
  rows.cancel();
  try {
    (void)rows.next();
    ADD_FAILURE() << "it looks like an end";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::cancelled) << e.what();
  }
}

/// The interrupter only watches a descriptor and must not close it when the wait fails: its number may have been
/// reused.
TEST_F(ParallelLife, AFailedWaitClosesNothingOfOthers) {
  std::optional<sluice::parallel_range> rows;
  rows.emplace(named("life_watch"), from("v_life_slow"),
               parallel_options{.split = split_by::hash("x"), .connections = 2});
  std::thread other{[] {
    wait_until_running("v_life_slow");
    psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'life_watch'");
  }};
  EXPECT_THROW((void)rows->next(), sluice::error);
  other.join();
  std::vector<int> strangers;
  for (int i = 0; i < 16; ++i) strangers.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  rows.reset();
  for (const int each : strangers) EXPECT_EQ(::close(each), 0) << "somebody else closed it";
  expect_none_left("life_watch");
}

/// No TLS bytes are written to, or read from, a descriptor that reuses the number of a closed socket.
TEST_F(ParallelLife, AClosedTlsConnectionTouchesNothingOfOthers) {
  const auto connect = []() -> asio::awaitable<std::shared_ptr<sluice::wire::session>> {
    const sluice::conninfo where = sluice::conninfo::parse(as_user("tls_user") + " sslmode=require");
    const sluice::wire::session_options bounds{.buffer_bytes = 4096, .first_buffer_bytes = 4096, .patience = 1s};
    co_return co_await sluice::wire::connect(where, bounds);
  };
  asio::io_context context{1};
  auto made = asio::co_spawn(context, connect(), asio::use_future);
  context.run();
  const std::shared_ptr<sluice::wire::session> session = made.get();
  const int number = session->io.native_handle();
  session->discard();
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
  ASSERT_TRUE(ends[0] == number || ends[1] == number);
  const int peer = ends[0] == number ? ends[1] : ends[0];
  ASSERT_EQ(::send(peer, "mine", 4, 0), 4);
  session->io.out.resize(100);
  session->io.flush();
  EXPECT_EQ(session->io.transfer(0), sluice::wire::link::moved::end);
  std::array<char, 64> bytes{};
  EXPECT_EQ(::recv(peer, bytes.data(), bytes.size(), 0), -1) << "nothing was sent there";
  EXPECT_EQ(::recv(number, bytes.data(), bytes.size(), 0), 4) << "nothing was taken from there";
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(ParallelLife, AMovedStreamSaysSo) {
  const auto move = []() -> asio::awaitable<void> {
    sluice::parallel_stream rows = co_await sluice::stream_in_parallel(named("life_moved"), from("life"));
    sluice::parallel_stream there = std::move(rows);
    EXPECT_THROW((void)rows.next(), sluice::error);  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(co_await there.next());
    rows = std::move(there);
    expect_whole(co_await rows.next());
    sluice::parallel_stream& same = rows;
    rows = std::move(same);
    EXPECT_TRUE(co_await rows.next());
    rows = co_await sluice::stream_in_parallel(named("life_moved"), from("life"));
    EXPECT_TRUE(co_await rows.next());
  };
  run(move());
  {
    sluice::parallel_range rows{named("life_moved"), from("life")};
    sluice::parallel_range there = std::move(rows);
    EXPECT_THROW((void)rows.next(), sluice::error);  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(there.next());
  }
  expect_none_left("life_moved");
}

/// Backends are terminated, and streams cancelled and destroyed, while their connections run on other threads.
TEST_F(ParallelLife, LeftAndKilledOnManyThreads) {
  asio::thread_pool threads{3};
  const auto read = [](sluice::relation what, int chunks, bool cancels) -> asio::awaitable<void> {
    try {
      const parallel_options how{.connections = 3, .query = {.timeout = 20s}};
      sluice::parallel_stream rows = co_await sluice::stream_in_parallel(named("life_threads"), what, how);
      for (int i = 0; i < chunks; ++i) {
        const sluice::chunk batch = co_await rows.next();
        if (i == 2)
          psql(
              "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'life_threads' "
              "order by random() limit 1");
        expect_whole(batch);
      }
      if (cancels) co_await rows.cancel();
    } catch (const sluice::error& e) {
      EXPECT_TRUE(e.code() == condition::connection || e.sqlstate() == "57P01") << e.what();
    }
  };
  for (int turn = 0; turn < 24; ++turn) {
    const sluice::relation what = turn % 3 == 0 ? from("life").order_by(column("n")) : from("life");
    asio::co_spawn(asio::make_strand(threads), read(what, turn % 12, turn % 2 == 0), asio::use_future).get();
  }
  threads.join();
  expect_none_left("life_threads");
}

}  // namespace
}  // namespace parallel_life_test
