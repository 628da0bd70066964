// Calls that are waiting when their stream is cancelled or destroyed: they fail with `cancelled`, and never look like
// the end of the rows.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <sluice/stream/async.hpp>
#include <string>
#include <utility>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace ended_waits_test {
namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::leaving;
using sluice::query;
using sluice::sql;

const sluice::query_options plain{};
const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 3};

query slow_rows(const std::string& words) {
  return sql("select to_json(n) from (select n, case when n > 3 then pg_sleep(600) end from generate_series(1, 10) "
             "n) " +
             words)
      .as_document();
}

/// How a waiting call ended.
struct ending {
  std::optional<std::error_code> failure;
  bool was_end{false};
};

ending outcome_of(std::exception_ptr thrown, bool has_rows) {
  ending seen;
  try {
    if (thrown) std::rethrow_exception(thrown);
    seen.was_end = !has_rows;
  } catch (const std::system_error& e) {
    seen.failure = e.code();
  }
  return seen;
}

template <class Stream>
asio::awaitable<void> read_all(Stream& rows, ending& seen) {
  std::exception_ptr thrown;
  try {
    while (co_await rows.next()) {
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  seen = outcome_of(thrown, false);
}

asio::awaitable<void> until(std::string words) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  while (!is_running(words)) co_await asio::post(on, asio::use_awaitable);
  for (int i = 0; i < 20; ++i) co_await asio::post(on, asio::use_awaitable);
}

asio::awaitable<void> cancel_beside(sluice::query_options how, bool restarts) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(dsn());
  const query what = slow_rows("cancel_beside");
  sluice::row_stream rows = co_await db.stream(what, how);
  ending seen;
  asio::co_spawn(on, read_all(rows, seen), asio::detached);
  co_await until("cancel_beside");
  const leaving outcome = co_await rows.cancel();
  EXPECT_NE(outcome, leaving::closed);
  EXPECT_FALSE(seen.was_end);
  EXPECT_EQ(seen.failure, errc::cancelled);
  if (restarts) {
    ending again;
    co_await read_all(rows, again);
    EXPECT_FALSE(again.was_end);
    EXPECT_EQ(again.failure, errc::cancelled);
  }
  const query next = sql("select to_json(1)");
  const std::string got = co_await answer(db, next);
  EXPECT_EQ(got, "1");
}

TEST(CancelledStream, EndsAPendingNextWithCancelled) {
  run(cancel_beside(plain, false));
  run(cancel_beside(in_pages, false));
}

TEST(CancelledStream, GivesNoEndAfterwards) {
  run(cancel_beside(plain, true));
  run(cancel_beside(in_pages, true));
}

TEST(CancelledRange, GivesNoEndAfterwards) {
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(sql("select to_json(generate_series(1, 1000000))"));
  EXPECT_TRUE(rows.next());
  (void)rows.cancel();
  try {
    (void)rows.next();
    FAIL() << "an end";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::cancelled);
  }
  sluice::row_range whole = db.stream(sql("select to_json(1)"));
  while (whole.next()) {
  }
  EXPECT_EQ(whole.cancel(), leaving::drained);
  EXPECT_FALSE(whole.next()) << "its end was reached";
}

asio::awaitable<void> cancel_pooled() {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::pool pool{on, dsn()};
  const query what = slow_rows("cancel_pooled");
  sluice::pooled_stream rows = pool.stream(what);
  ending seen;
  asio::co_spawn(on, read_all(rows, seen), asio::detached);
  co_await until("cancel_pooled");
  (void)co_await rows.cancel();
  EXPECT_EQ(seen.failure, errc::cancelled);
  ending again;
  co_await read_all(rows, again);
  EXPECT_EQ(again.failure, errc::cancelled);
}

TEST(CancelledStream, OfAPoolEndsAPendingNextWithCancelled) { run(cancel_pooled()); }

asio::awaitable<void> destroy_under_next(sluice::query_options how) {
  sluice::connection db = co_await sluice::connect(dsn());
  const query what = slow_rows("destroy_under");
  auto rows = std::make_unique<sluice::row_stream>();
  *rows = co_await db.stream(what, how);
  if (how.mode == sluice::fetch_mode::paged) (void)co_await rows->next();
  std::vector<ending> seen;
  rows->next([&seen](std::exception_ptr thrown, sluice::chunk batch) {
    seen.push_back(outcome_of(thrown, static_cast<bool>(batch)));
  });
  co_await until("destroy_under");
  rows.reset();
  const query next = sql("select to_json(1)");
  const std::string got = co_await answer(db, next);
  EXPECT_EQ(got, "1");
  EXPECT_EQ(seen.size(), 1U);
  if (!seen.empty()) {
    EXPECT_EQ(seen[0].failure, errc::cancelled);
  }
}

TEST(DestroyedStream, EndsAPendingNextWithCancelled) {
  run(destroy_under_next(plain));
  run(destroy_under_next(in_pages));
}

asio::awaitable<void> destroy_pooled(bool while_acquiring) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::pool pool{on, dsn(), {.max_size = 1}};
  sluice::pooled_connection in_the_way;
  if (while_acquiring) in_the_way = co_await pool.acquire();
  auto rows = std::make_unique<sluice::pooled_stream>(pool.stream(slow_rows("destroy_pooled")));
  ending seen;
  asio::co_spawn(on, read_all(*rows, seen), asio::detached);
  if (while_acquiring)
    for (int i = 0; i < 20; ++i) co_await asio::post(on, asio::use_awaitable);
  else
    co_await until("destroy_pooled");
  rows.reset();
  for (int i = 0; i < 100 && !seen.failure; ++i) co_await asio::post(on, asio::use_awaitable);
  EXPECT_EQ(seen.failure, errc::cancelled);
  in_the_way.release();
  const sluice::pooled_connection whole = co_await pool.acquire();
  EXPECT_TRUE(whole);
}

TEST(DestroyedStream, OfAPoolEndsAPendingNextWithCancelled) { run(destroy_pooled(false)); }
TEST(DestroyedStream, OfAPoolNeedNotWaitForAConnection) { run(destroy_pooled(true)); }

asio::awaitable<void> move_under_next() {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(dsn());
  const query what = sql("select to_json(pg_sleep(0.2)::text) as move_under").as_document();
  sluice::row_stream rows = co_await db.stream(what);
  ending seen;
  seen.was_end = false;
  asio::co_spawn(on, read_all(rows, seen), asio::detached);
  co_await asio::post(on, asio::use_awaitable);
  sluice::row_stream moved = std::move(rows);
  while (!seen.was_end && !seen.failure) co_await asio::post(on, asio::use_awaitable);
  EXPECT_FALSE(seen.failure);
}

TEST(MovedStream, LetsAPendingNextGoOn) { run(move_under_next()); }

asio::awaitable<void> pause_under(bool destroys) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(dsn());
  const query what = slow_rows("pause_under");
  auto rows = std::make_unique<sluice::row_stream>();
  *rows = co_await db.stream(what, in_pages);
  (void)co_await rows->next();
  std::optional<ending> seen;
  asio::co_spawn(on, rows->pause(), [&seen](std::exception_ptr thrown) { seen = outcome_of(thrown, true); });
  co_await until("pause_under");
  if (destroys)
    rows.reset();
  else
    (void)co_await rows->cancel();
  const query next = sql("select to_json(1)");
  (void)co_await answer(db, next);
  EXPECT_TRUE(seen.has_value());
  if (seen) {
    EXPECT_EQ(seen->failure, errc::cancelled);
  }
}

TEST(DestroyedStream, EndsAPendingPauseWithCancelled) { run(pause_under(true)); }
TEST(CancelledStream, EndsAPendingPauseWithCancelled) { run(pause_under(false)); }

asio::awaitable<void> cancel_both_at_once() {
  using namespace asio::experimental::awaitable_operators;
  sluice::connection db = co_await sluice::connect(dsn());
  const query many = sql("select to_json(n) from generate_series(1, 100) n").as_document();
  sluice::row_stream first = co_await db.stream(many, in_pages);
  sluice::row_stream second = co_await db.stream(many, in_pages);
  (void)co_await first.next();
  (void)co_await second.next();
  (void)co_await (second.cancel() || first.cancel());
  // Whatever the state of the connection, the next query ends: with rows or with an error.
  const query next = sql("select to_json(1)");
  const std::string got = co_await answer(db, next);
  EXPECT_FALSE(got.empty());
  EXPECT_TRUE(got == "1" || db.is_closed()) << got;
}

TEST(CancelledLeaving, DoesNotHangTheConnection) { run(cancel_both_at_once()); }

asio::awaitable<void> leave(sluice::row_stream& rows) { (void)co_await rows.cancel(); }

asio::awaitable<void> cancel_a_leave(int steps) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(dsn());
  const query what = slow_rows("cancel_a_leave");
  sluice::row_stream rows = co_await db.stream(what);
  asio::cancellation_signal stop;
  bool done = false;
  asio::co_spawn(on, leave(rows),
                 asio::bind_cancellation_slot(stop.slot(), [&done](std::exception_ptr) { done = true; }));
  for (int i = 0; i < steps; ++i) co_await asio::post(on, asio::use_awaitable);
  stop.emit(asio::cancellation_type::terminal);
  while (!done) co_await asio::post(on, asio::use_awaitable);
  const query next = sql("select to_json(1)");
  const std::string got = co_await answer(db, next);
  EXPECT_TRUE(got == "1" || db.is_closed()) << got;
}

TEST(CancelledLeaving, AtAnyStepLeavesTheConnectionCleanOrClosed) {
  for (int steps = 0; steps < 12; ++steps) run(cancel_a_leave(steps));
}

/// One leave waits for another, and is cancelled at the moment the other one ends.
asio::awaitable<void> cancel_a_leave_as_its_turn_comes() {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  sluice::connection db = co_await sluice::connect(dsn());
  const query slow = sql("select to_json(n) from (select n, case when n > 3 then pg_sleep(0.05) end "
                         "from generate_series(1, 10) n) rows")
                         .as_document();
  sluice::row_stream first = co_await db.stream(slow, in_pages);
  sluice::row_stream second = co_await db.stream(slow, in_pages);
  (void)co_await first.next();
  (void)co_await second.next();
  asio::cancellation_signal stop;
  int done = 0;
  asio::co_spawn(on, leave(second), [&](std::exception_ptr) {
    ++done;
    stop.emit(asio::cancellation_type::terminal);
  });
  asio::co_spawn(on, leave(first), asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { ++done; }));
  while (done != 2) co_await asio::post(on, asio::use_awaitable);
  const query next = sql("select to_json(1)");
  const std::string got = co_await answer(db, next);  // ends with its row or with an error
  EXPECT_TRUE(got == "1" || db.is_closed()) << got;
}
TEST(CancelledLeaving, AsItsTurnComesDoesNotHangTheConnection) { run(cancel_a_leave_as_its_turn_comes()); }

asio::awaitable<void> acquire_under() {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  std::optional<sluice::pool> pool;
  pool.emplace(on, dsn(), sluice::pool_options{.max_size = 1});
  const sluice::pooled_connection only = co_await pool->acquire();
  std::optional<ending> seen;
  asio::co_spawn(on, pool->acquire(),
                 [&seen](std::exception_ptr thrown, sluice::pooled_connection) { seen = outcome_of(thrown, true); });
  co_await asio::post(on, asio::use_awaitable);
  pool.reset();
  while (!seen) co_await asio::post(on, asio::use_awaitable);
  EXPECT_EQ(seen->failure, errc::bad_state);
}

TEST(DestroyedPool, EndsAPendingAcquire) { run(acquire_under()); }

asio::awaitable<void> destroy_connection_under() {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  auto db = std::make_unique<sluice::connection>();
  *db = co_await sluice::connect(dsn());
  std::optional<ending> seen;
  asio::co_spawn(
      on, db->execute("select pg_sleep(0.2)"),
      [&seen](std::exception_ptr thrown, const sluice::command_result&) { seen = outcome_of(thrown, true); });
  co_await asio::post(on, asio::use_awaitable);
  db.reset();
  while (!seen) co_await asio::post(on, asio::use_awaitable);
  EXPECT_FALSE(seen->failure);
}

TEST(DestroyedConnection, LetsAPendingExecuteGoOn) { run(destroy_connection_under()); }

using work = std::function<asio::awaitable<void>()>;

/// Cancels work after a number of turns of the executor: whatever it is waiting for then, it must end in our error.
asio::awaitable<void> cancel_after(int turns, const work& of) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  asio::cancellation_signal stop;
  bool is_done = false;
  asio::co_spawn(on, of(), asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure) {
                   is_done = true;
                   try {
                     if (failure) std::rethrow_exception(failure);
                   } catch (const sluice::error& e) {
                     EXPECT_EQ(e.code(), sluice::errc::cancelled) << e.what();
                   } catch (const std::exception& e) {
                     ADD_FAILURE() << "after " << turns << " turns: " << e.what();
                   }
                 }));
  for (int i = 0; i < turns && !is_done; ++i) co_await asio::post(on, asio::use_awaitable);
  stop.emit(asio::cancellation_type::terminal);
  while (!is_done) co_await asio::post(on, asio::use_awaitable);
}

/// The sweep ends some fifty milliseconds after the work has begun.
asio::awaitable<void> cancel_after_any_number_of_turns(work of) {
  for (int turns = 0; turns < 50'000; turns += 1 + turns / 10) co_await cancel_after(turns, of);
}

asio::awaitable<void> read_all(sluice::connection& db) {
  const query numbers = sql("select to_json(n) from generate_series(1, 20000) n").as_document();
  sluice::row_stream rows = co_await db.stream(numbers);
  for (bool goes_on = true; goes_on;) {
    const sluice::chunk batch = co_await rows.next();
    goes_on = static_cast<bool>(batch);
  }
}

TEST(CancelledWork, EndsInOurErrorWhileItReads) {
  const auto all = []() -> asio::awaitable<void> {
    sluice::connection db = co_await sluice::connect(dsn());
    const work of = [&db] { return read_all(db); };
    co_await cancel_after_any_number_of_turns(of);
  };
  run(all());
}

asio::awaitable<void> drop_and_read(sluice::connection& db) {
  for (int i = 0; i < 3; ++i) {
    const query numbers = sql("select to_json(generate_series(1, 1000000))").as_document();
    sluice::row_stream rows = co_await db.stream(numbers);
    const sluice::chunk first = co_await rows.next();
    EXPECT_TRUE(first);
  }
}

/// The next query waits until the previous one has been left.
TEST(CancelledWork, EndsInOurErrorWhileAQueryIsLeft) {
  const auto all = []() -> asio::awaitable<void> {
    std::string where = without_jit(dsn());
    sluice::connection db = co_await sluice::connect(where);
    const work of = [&]() -> asio::awaitable<void> {
      if (db.is_closed()) db = co_await sluice::connect(where);
      co_await drop_and_read(db);
    };
    co_await cancel_after_any_number_of_turns(of);
  };
  run(all());
}

asio::awaitable<void> read_pages(sluice::connection& db) {
  const query numbers = sql("select to_json(n) from generate_series(1, 100) n");
  sluice::row_stream pages = co_await db.stream(numbers, in_pages);
  (void)co_await pages.next();
  co_await pages.pause();
  const sluice::command_result answer = co_await db.execute("select 1");
  EXPECT_EQ(answer.tag, "SELECT 1");
  (void)co_await pages.next();
  (void)co_await pages.cancel();
}

TEST(CancelledWork, EndsInOurErrorWhileAStreamInPagesPauses) {
  const auto all = []() -> asio::awaitable<void> {
    sluice::connection db;
    const work of = [&db]() -> asio::awaitable<void> {
      if (db.is_closed()) db = co_await sluice::connect(dsn());
      co_await read_pages(db);
    };
    co_await cancel_after_any_number_of_turns(of);
  };
  run(all());
}

TEST(CancelledWork, EndsInOurErrorWhileItConnects) {
  for (const std::string& where : {dsn(), as_user("tls_user") + " host=localhost"}) {
    const work of = [&where]() -> asio::awaitable<void> { (void)co_await sluice::connect(where); };
    run(cancel_after_any_number_of_turns(of));
  }
}

TEST(CancelledWork, EndsInOurErrorWhileItWaitsForAConnectionOfAPool) {
  const auto all = []() -> asio::awaitable<void> {
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    sluice::pool connections{on, dsn(), sluice::pool_options{.max_size = 1}};
    const auto use = [](sluice::pool& from) -> asio::awaitable<void> {
      sluice::pooled_connection lent = co_await from.acquire();
      (void)co_await lent->execute("select 1");
    };
    const work of = [&]() -> asio::awaitable<void> {
      asio::co_spawn(on, use(connections), asio::detached);  // this one makes the call below wait
      co_await use(connections);
    };
    co_await cancel_after_any_number_of_turns(of);
  };
  run(all());
}

asio::awaitable<void> go_on_after_cancellation(sluice::pool& from) {
  sluice::pooled_stream rows = from.stream(sql("select to_json(1)").as_document());
  std::optional<sluice::error> failure;
  try {
    const sluice::chunk first = co_await rows.next();
    EXPECT_TRUE(first);
  } catch (const sluice::error& why) {
    failure = why;
  }
  if (!failure) co_return;
  EXPECT_EQ(failure->code(), errc::cancelled) << failure->what();
  co_await asio::this_coro::reset_cancellation_state();
  failure.reset();
  try {
    const sluice::chunk first = co_await rows.next();
    EXPECT_TRUE(first) << "it looks like an end";
  } catch (const sluice::error& why) {  // the connection cannot be used any more
    failure = why;
  }
}

TEST(CancelledWork, OfAPoolNeverLooksFinished) {
  const auto all = []() -> asio::awaitable<void> {
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    sluice::pool connections{on, dsn(), sluice::pool_options{.max_size = 1}};
    const work of = [&] { return go_on_after_cancellation(connections); };
    co_await cancel_after_any_number_of_turns(of);
  };
  run(all());
}

TEST(CancelledWork, EndsInOurErrorWhileItListens) {
  const work of = []() -> asio::awaitable<void> {
    sluice::notifications news{dsn(), {"cancelled_work"}};
    co_await news.listen();
    (void)co_await news.next();
  };
  run(cancel_after_any_number_of_turns(of));
}

}  // namespace
}  // namespace ended_waits_test
