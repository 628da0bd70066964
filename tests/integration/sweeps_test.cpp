// Recorded sessions of a real server, plain, paged, bulk, writing, with SCRAM and in TLS: cut after every byte in three
// ways, sent a byte at a time and in two pieces split at every position, with each byte flipped, and cancelled at every
// wait. In every case the client ends in time: with all rows, or with an error after a prefix of them. A session that
// writes has the outcomes of its steps for rows.
//
// SLUICE_SWEEP_STEP=n tests every n-th position of the long sessions only (5 by default; ci/sweeps sets 1).
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <cstdlib>

#include <sluice/stream/batch.hpp>
#include <sluice/stream/copy.hpp>

#include "cluster.hpp"
#include "faces.hpp"
#include "process.hpp"
#include "replayed.hpp"

namespace sweeps_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::condition;
using sluice::errc;

using strings = std::vector<std::string>;
const strings five{R"({"n": 1})", R"({"n": 2})", R"({"n": 3})", R"({"n": 4})", R"({"n": 5})"};
const strings steps{"INSERT 0 1", "INSERT 0 2", "2 of 2", "copied 2", "committed", "2 of 3"};

sluice::query five_rows() { return sluice::sql("select jsonb_build_object('n', generate_series(1, 5))").as_document(); }

strings before_the_last(const strings& all) { return {all.begin(), all.end() - 1}; }

struct ways {
  const char* name;
  const char* login;
  sluice::fetch_mode mode;
  bool writes{false};

  [[nodiscard]] const strings& good() const { return writes ? steps : five; }
};
constexpr ways plain{"plain", "user=trust_user sslmode=disable", sluice::fetch_mode::plain};
constexpr ways paged{"paged", "user=trust_user sslmode=disable", sluice::fetch_mode::paged};
constexpr ways bulk{"bulk", "user=trust_user sslmode=disable", sluice::fetch_mode::bulk};
constexpr ways writing{"writing", "user=trust_user sslmode=disable", sluice::fetch_mode::plain, true};
constexpr ways scram{"scram", "user=scram_user password=secret sslmode=disable", sluice::fetch_mode::plain};
constexpr ways tls{"tls", "user=scram_user password=secret sslmode=require", sluice::fetch_mode::plain};

std::uint16_t server_port() { return static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT"))); }

// A server whose answers are slow is asked for many pages, and a recorded one has no more answers than it once gave.
constexpr std::size_t one_page = 64;

// Time limits: for cases that end by themselves, and for cases that only a deadline ends.
constexpr auto long_patience = 10s;
constexpr auto short_patience = 300ms;

sluice::conninfo at_port(std::uint16_t port, const ways& how, std::chrono::milliseconds patience) {
  sluice::conninfo info =
      sluice::conninfo::parse("host=127.0.0.1 dbname=sluice port=" + std::to_string(port) + " " + how.login);
  info.connect_timeout = patience;
  return info;
}

asio::awaitable<void> read_rows(sluice::connection& db, sluice::query_options options, outcome& seen) {
  const sluice::query query = five_rows();
  sluice::row_stream rows = co_await db.stream(query, options);
  while (const sluice::chunk batch = co_await rows.next()) take(seen, batch);
}

std::string counted(const sluice::batch_result& of) {
  return std::to_string(of.affected_rows) + " of " + std::to_string(of.rows);
}

/// Statements, a savepoint, a batch and a COPY in a transaction, and a batch with a row that is refused.
asio::awaitable<void> write_rows(sluice::connection& db, sluice::query_options options, outcome& seen) {
  const sluice::query insert = sluice::sql("insert into pg_temp.swept values ($1)", 1);
  const sluice::query two = sluice::sql("insert into pg_temp.swept values (2), (3)");
  (void)co_await db.execute("create temporary table swept (n int primary key)", options);
  sluice::transaction tx = co_await db.begin();
  sluice::command_result done = co_await tx.execute(insert, options);
  seen.rows.push_back(done.tag);
  {
    sluice::transaction inner = co_await tx.begin(options);
    done = co_await inner.execute(two, options);
    seen.rows.push_back(done.tag);
    co_await inner.commit(options);
  }
  sluice::batch_writer batch = tx.batch("insert into pg_temp.swept values ($1)", {.timeout = options.timeout});
  for (int n = 4; n < 6; ++n) co_await batch.write(n);
  const sluice::batch_result all = co_await batch.finish();
  seen.rows.push_back(counted(all));
  const std::vector<std::string> columns(1, "n");
  sluice::copy_writer to = co_await tx.copy_into("pg_temp.swept", columns, options);
  for (int n = 6; n < 8; ++n) co_await to.write(n);
  const std::uint64_t copied = co_await to.finish();
  seen.rows.push_back("copied " + std::to_string(copied));
  co_await tx.commit(options);
  seen.rows.emplace_back("committed");
  sluice::batch_options goes_on;
  goes_on.on_failure = [](std::uint64_t, const sluice::error&) {};
  goes_on.timeout = options.timeout;
  sluice::batch_writer each = db.batch("insert into pg_temp.swept values ($1)", goes_on);
  for (int n = 7; n < 10; ++n) co_await each.write(n);  // 7 is there already
  const sluice::batch_result others = co_await each.finish();
  seen.rows.push_back(counted(others));
}

asio::awaitable<void> ask(sluice::conninfo where, const ways& how, outcome& seen) {
  const sluice::query_options options{
      .timeout = where.connect_timeout, .mode = how.mode, .page_rows = 2, .page_bytes = one_page};
  const sluice::connection_options limits{.max_row_bytes = 1U << 20U, .leave_timeout = 50ms};
  try {
    sluice::connection db = co_await sluice::connect(where, limits);
    try {
      asio::awaitable<void> work = how.writes ? write_rows(db, options, seen) : read_rows(db, options, seen);
      co_await std::move(work);
    } catch (const sluice::error& e) {
      seen.failure = e;
    }
    seen.usable = db.is_idle();
  } catch (const sluice::error& e) {
    seen.failure = e;
  }
}

void write_rows_in_a_loop(sluice::client& db, const sluice::query_options& options, outcome& seen) {
  db.execute("create temporary table swept (n int primary key)", options);
  sluice::blocking_transaction tx = db.begin();
  seen.rows.push_back(tx.execute(sluice::sql("insert into pg_temp.swept values ($1)", 1), options).tag);
  {
    sluice::blocking_transaction inner = tx.begin(options);
    seen.rows.push_back(inner.execute(sluice::sql("insert into pg_temp.swept values (2), (3)"), options).tag);
    inner.commit(options);
  }
  sluice::blocking_batch_writer batch = tx.batch("insert into pg_temp.swept values ($1)", {.timeout = options.timeout});
  for (const int n : {4, 5}) batch.write(n);
  seen.rows.push_back(counted(batch.finish()));
  sluice::blocking_copy_writer to = tx.copy_into("pg_temp.swept", {"n"}, options);
  for (const int n : {6, 7}) to.write(n);
  seen.rows.push_back("copied " + std::to_string(to.finish()));
  tx.commit(options);
  seen.rows.emplace_back("committed");
  sluice::blocking_batch_writer each =
      db.batch("insert into pg_temp.swept values ($1)",
               {.on_failure = [](std::uint64_t, const sluice::error&) {}, .timeout = options.timeout});
  for (const int n : {8, 7, 9}) each.write(n);
  seen.rows.push_back(counted(each.finish()));
}

void ask_in_a_loop(const sluice::conninfo& where, const ways& how, outcome& seen) {
  const sluice::query_options options{
      .timeout = where.connect_timeout, .mode = how.mode, .page_rows = 2, .page_bytes = one_page};
  try {
    sluice::client db{where, {.max_row_bytes = 1U << 20U, .leave_timeout = 50ms}};
    if (how.writes)
      write_rows_in_a_loop(db, options, seen);
    else
      for (const sluice::row row : db.stream(five_rows(), options)) seen.rows.emplace_back(row.text());
    seen.usable = db.is_idle();
  } catch (const sluice::error& e) {
    seen.failure = e;
  }
}

conversation record(const ways& how) {
  // The delay makes one turn of what a client sends in two pieces without reading in between: a replay that reads both
  // at once would wait for a turn that never comes.
  relay between{server_port(), relay::all, cut::close, 20ms};
  outcome seen;
  run(ask(at_port(between.port(), how, long_patience), how, seen));
  EXPECT_EQ(seen.rows, how.good()) << (seen.failure ? seen.failure->what() : "");
  return between.conversation();
}

/// Queries a server that replays the conversation in each of these ways.
std::vector<outcome> ask_all(const conversation& what, const ways& how, const std::vector<delivery>& deliveries,
                             std::chrono::milliseconds patience, const std::vector<conversation>& altered = {}) {
  std::vector<outcome> seen(deliveries.size());
  replay_all(
      deliveries, [&](std::size_t i) -> const conversation& { return altered.empty() ? what : altered[i]; },
      [&](std::uint16_t port, std::size_t i) { return ask(at_port(port, how, patience), how, seen[i]); });
  return seen;
}

void expect_the_first_of_the_rows(const outcome& seen, const ways& of) {
  ASSERT_LE(seen.rows.size(), of.good().size());
  EXPECT_TRUE(std::equal(seen.rows.begin(), seen.rows.end(), of.good().begin()));
}

/// Checks the outcome of a conversation that was cut.
void expect_cut(const outcome& seen, const ways& of, cut how) {
  ASSERT_TRUE(seen.failure) << "a short result looked whole";
  // A commit whose answer has arrived has succeeded, whatever comes after it; then the next call fails.
  const bool is_committed = of.writes && seen.rows == before_the_last(of.good());
  const bool is_closed = is_committed && seen.failure->code() == errc::bad_state;
  const bool is_unknown = of.writes && seen.failure->code() == errc::outcome_unknown;
  const condition expected = how == cut::silence ? condition::timeout : condition::connection;
  EXPECT_TRUE(seen.failure->code() == expected || seen.failure->code() == condition::tls || is_closed || is_unknown)
      << seen.failure->what();
  EXPECT_FALSE(seen.usable);
  expect_the_first_of_the_rows(seen, of);
}

class Sweep : public testing::TestWithParam<ways> {
 protected:
  void SetUp() override {
    RecordProperty("bytes", std::to_string(size));
    before_ = descriptors();
  }
  void TearDown() override { EXPECT_EQ(descriptors(), before_) << "none is left open"; }

  const conversation whole = record(GetParam());
  const std::size_t size = size_of(whole);

 private:
  std::ptrdiff_t before_{};
};

TEST_P(Sweep, CutAfterEveryByte) {
  for (const cut how : {cut::close, cut::reset, cut::silence}) {
    std::vector<delivery> all;
    for (std::size_t bytes = 0; bytes < size; ++bytes) all.push_back({.bytes = bytes, .then = how});
    std::vector<outcome> seen = ask_all(whole, GetParam(), all, how == cut::silence ? short_patience : long_patience);
    for (std::size_t bytes = 0; bytes < size; ++bytes) {
      SCOPED_TRACE("cut after " + std::to_string(bytes));
      // A busy machine may let the time pass before the silence begins: then again, alone and with more of it.
      if (how == cut::silence && seen[bytes].usable)
        seen[bytes] = ask_all(whole, GetParam(), {all[bytes]}, long_patience).front();
      expect_cut(seen[bytes], GetParam(), how);
    }
  }
}

TEST_P(Sweep, CutAfterEveryByteOfALoop) {
  for (std::size_t bytes = 0; bytes < size; ++bytes) {
    SCOPED_TRACE("cut after " + std::to_string(bytes));
    asio::io_context context{1};
    replayed server{context, whole, {.bytes = bytes}};
    std::thread serving{[&] { context.run(); }};
    outcome seen;
    ask_in_a_loop(at_port(server.port(), GetParam(), long_patience), GetParam(), seen);
    asio::post(context, [&] { server.stop(); });
    serving.join();
    expect_cut(seen, GetParam(), cut::close);
  }
}

TEST_P(Sweep, InTwoPiecesAtEveryPlace) {
  std::vector<delivery> all{{.byte_by_byte = true}};
  for (std::size_t bytes = 1; bytes < size; ++bytes) all.push_back({.pause_after = bytes});
  for (const outcome& seen : ask_all(whole, GetParam(), all, long_patience)) {
    EXPECT_FALSE(seen.failure) << seen.failure->what();
    EXPECT_EQ(seen.rows, GetParam().good());
    EXPECT_TRUE(seen.usable);
  }
}

TEST_P(Sweep, WithEachByteFlipped) {
  for (const char mask : {'\x01', '\x20', '\x80', '\xff'}) {
    std::vector<conversation> altered;
    for (std::size_t answer = 0; answer < whole.size(); ++answer)
      for (std::size_t at = 0; at < whole[answer].size(); ++at) {
        altered.push_back(whole);
        char& byte = altered.back()[answer][at];
        byte = static_cast<char>(byte ^ mask);
      }
    const std::vector<delivery> all(altered.size());
    for (const outcome& seen : ask_all(whole, GetParam(), all, short_patience, altered)) {
      EXPECT_LE(seen.rows.size(), GetParam().good().size());
      EXPECT_TRUE(seen.failure || seen.rows.size() == GetParam().good().size()) << "a short result looked whole";
      // A query whose deadline passes may yet end well, if only the machine was slow.
      if (seen.failure && seen.failure->code() != condition::sql && seen.failure->code() != condition::timeout) {
        EXPECT_FALSE(seen.usable) << seen.failure->what();
      }
    }
  }
}

TEST_P(Sweep, CancelledAtEveryWait) {
  for (int waits = 2;; ++waits) {  // in the first turn, the caller's own coroutine has not begun
    SCOPED_TRACE("cancelled after " + std::to_string(waits) + " turns");
    asio::io_context context{1};
    replayed server{context, whole, {}};
    asio::cancellation_signal signal;
    outcome seen;
    bool over = false;
    bool threw = false;
    asio::co_spawn(context, ask(at_port(server.port(), GetParam(), long_patience), GetParam(), seen),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure) {
                     over = true;
                     threw = failure != nullptr;
                     server.stop();
                   }));
    for (int i = 0; i < waits && !over; ++i) context.run_one();
    const bool was_over = over;
    if (!over) signal.emit(asio::cancellation_type::terminal);
    context.run();
    EXPECT_TRUE(over);
    // A commit that has succeeded all the same returns, and Asio refuses the cancelled coroutine's next co_await.
    const bool is_committed = GetParam().writes && seen.rows == before_the_last(GetParam().good());
    EXPECT_TRUE(!threw || is_committed) << "a cancellation is told as our error";
    expect_the_first_of_the_rows(seen, GetParam());
    if (was_over) {
      EXPECT_EQ(seen.rows, GetParam().good());
      break;
    }
    if (seen.failure) {
      const bool is_unknown = GetParam().writes && seen.failure->code() == errc::outcome_unknown;
      EXPECT_TRUE(seen.failure->code() == condition::cancelled || is_unknown) << seen.failure->what();
    } else if (!threw) {
      EXPECT_EQ(seen.rows, GetParam().good());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Sweep, testing::Values(plain, paged, bulk, writing),
                         [](const auto& of) { return of.param.name; });

class LiveSweep : public testing::TestWithParam<ways> {};

std::size_t sweep_step() {
  const char* const text = std::getenv("SLUICE_SWEEP_STEP");
  return text == nullptr ? 5 : static_cast<std::size_t>(std::stoul(text));
}

// Sessions with random nonces and keys cannot be replayed: each cut uses a new session.
TEST_P(LiveSweep, CutAfterEveryByte) {
  std::size_t size = 0;
  {
    relay between{server_port()};
    outcome seen;
    ask_in_a_loop(at_port(between.port(), GetParam(), long_patience), GetParam(), seen);
    ASSERT_EQ(seen.rows, GetParam().good()) << (seen.failure ? seen.failure->what() : "");
    size = size_of(between.conversation());
  }
  std::size_t turn = 0;
  for (std::size_t bytes = 0; bytes < size; bytes += sweep_step()) {
    const cut how = turn++ % 2 == 0 ? cut::close : cut::reset;
    SCOPED_TRACE("cut after " + std::to_string(bytes));
    relay between{server_port(), bytes, how};
    outcome seen;
    ask_in_a_loop(at_port(between.port(), GetParam(), long_patience), GetParam(), seen);
    if (seen.failure)
      expect_cut(seen, GetParam(), how);
    else
      EXPECT_EQ(seen.rows, GetParam().good()) << "a short result looked whole";
  }
}

INSTANTIATE_TEST_SUITE_P(Of, LiveSweep, testing::Values(scram, tls), [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace sweeps_test
