// What a pool writes by itself: statements, copies, batches; and what it lends after a writer was cancelled.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/sluice.hpp>
#include <sluice/stream/batch.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/single_row.hpp>

#include "cluster.hpp"
#include "faces.hpp"

namespace pool_writing_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::errc;
using sluice::sql;

/// A table `pooled_rows`, anew for each test.
class PoolWriting : public testing::Test {
 protected:
  PoolWriting() { psql("drop table if exists pooled_rows; create table pooled_rows (n int primary key)"); }
};
std::string stored_rows() { return psql("select string_agg(n::text, ' ' order by n) from pooled_rows"); }

TEST_F(PoolWriting, TakesAConnectionForEachThingThatItWrites) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::pool from{co_await asio::this_coro::executor, dsn(), {.max_size = 1}};
    const sluice::command_result done =
        co_await from.execute("insert into pooled_rows values (1); insert into pooled_rows values (2)");
    EXPECT_EQ(done.tag, "INSERT 0 1");
    {
      sluice::copy_writer to = co_await from.copy_into("pooled_rows", "n");
      EXPECT_EQ(from.stats().lent, 1U);
      co_await to.write(3);
      const std::uint64_t rows = co_await to.finish();
      EXPECT_EQ(rows, 1U);
      (void)co_await from.execute("select 1");  // the finished copy no longer has the connection
    }
    {
      sluice::copy_writer dropped = co_await from.copy_into("pooled_rows", "n");
      co_await dropped.write(4);
    }
    sluice::copy_data_writer text = co_await from.copy_data("copy pooled_rows from stdin");
    co_await text.write("5\n6\n");
    const std::uint64_t rows = co_await text.finish();
    EXPECT_EQ(rows, 2U);
    const bool came_back = co_await from.drain(5s);
    EXPECT_TRUE(came_back);
  };
  run(body());
  EXPECT_EQ(stored_rows(), "1 2 3 5 6");
}

TEST_F(PoolWriting, ABatchHasAConnectionOnlyWhileItsRowsAreSent) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::pool from{co_await asio::this_coro::executor, dsn(), {.max_size = 1}};
    std::vector<std::uint64_t> refused;
    sluice::batch_options how{.rows = 2};
    how.on_failure = [&refused](std::uint64_t row, const sluice::error&) { refused.push_back(row); };
    sluice::batch_writer to = from.batch("insert into pooled_rows values ($1)", how);
    for (int n = 1; n < 6; ++n) {
      co_await to.write(n == 4 ? 1 : n);
      EXPECT_EQ(from.stats().lent, 0U);
      (void)co_await from.execute(sql("select 1"));
    }
    const sluice::batch_result all = co_await to.finish();
    EXPECT_EQ(all.rows, 5U);
    EXPECT_EQ(refused, std::vector<std::uint64_t>{4});
    from.close();
  };
  run(body());
  EXPECT_EQ(stored_rows(), "1 2 3 5");
}

TEST_F(PoolWriting, ABatchThatGetsNoConnectionSaysWhichRowsWereNotRun) {
  const auto body = []() -> asio::awaitable<void> {
    sluice::pool from{co_await asio::this_coro::executor, dsn(), {.max_size = 1}};
    sluice::batch_options how{.rows = 2};
    how.timeout = 1s;  // the first two rows are run within it
    sluice::batch_writer to = from.batch("insert into pooled_rows values ($1)", how);
    for (int n = 1; n < 4; ++n) co_await to.write(n);
    sluice::pooled_connection taken = co_await from.acquire();
    std::optional<sluice::error> why;
    try {
      (void)co_await to.finish();
    } catch (const sluice::error& e) {
      why = e;
    }
    EXPECT_TRUE(why && why->code() == errc::deadline_exceeded);
    EXPECT_NE(std::string_view{why->what()}.find("row 3 of the batch and those behind it were not run"),
              std::string_view::npos)
        << why->what();
    EXPECT_THROW((void)to.write(9), sluice::error) << "it is over";
    taken.release();
    from.close();
  };
  run(body());
  EXPECT_EQ(stored_rows(), "1 2");
}

/// Everything that a transaction does.
asio::awaitable<void> write_everything(sluice::pool& from, std::string& ended) {
  try {
    sluice::transaction tx = co_await from.begin();
    const sluice::query one = sql("insert into pooled_rows values (1)");
    (void)co_await tx.execute(one);
    {
      sluice::transaction inner = co_await tx.begin();
      const sluice::query two = sql("insert into pooled_rows values (2)");
      (void)co_await inner.execute(two);
    }
    sluice::batch_writer batch = tx.batch("insert into pooled_rows values ($1)");
    for (int n = 2; n < 5; ++n) co_await batch.write(n);
    (void)co_await batch.finish();
    {
      sluice::copy_writer to = co_await tx.copy_into("pooled_rows", "n");
      for (int n = 5; n < 20'005; ++n) co_await to.write(n);
      (void)co_await to.finish();
    }
    co_await tx.commit();
    ended = "committed";
  } catch (const sluice::error& why) {
    ended = why.code() == errc::cancelled ? "cancelled" : why.code() == errc::outcome_unknown ? "unknown" : why.what();
  }
}

/// @return whether the connection that the pool lends next has no transaction
asio::awaitable<bool> lends_a_clean_one(sluice::pool& from) {
  sluice::pooled_connection lent = co_await from.acquire();
  const sluice::query is_outside = sql("select pg_current_xact_id_if_assigned() is null");
  bool is_clean = co_await sluice::value<bool>(*lent, is_outside);
  (void)co_await lent->execute("insert into pooled_rows values (-1)");
  const std::string state = "select state from pg_stat_activity where pid = " + std::to_string(lent->backend_pid());
  is_clean = is_clean && psql(state) == "idle";
  lent.release();
  from.close();
  co_return is_clean;
}

class CancelledWriter : public PoolWriting, public testing::WithParamInterface<asio::cancellation_type> {};

TEST_P(CancelledWriter, LeavesACleanConnectionAtEveryWait) {
  const auto all_kinds = [](asio::awaitable<void> work) -> asio::awaitable<void> {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await std::move(work);
  };
  for (int turns = 1;; ++turns) {
    SCOPED_TRACE("cancelled after " + std::to_string(turns) + " turns");
    asio::io_context context{1};
    sluice::pool from{context.get_executor(), dsn(), {.max_size = 1}};
    asio::cancellation_signal stop;
    std::string ended;
    bool is_over = false;
    asio::co_spawn(context, all_kinds(write_everything(from, ended)),
                   asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr&) { is_over = true; }));
    for (int i = 0; i < turns && !is_over; ++i) context.run_one();
    const bool was_over = is_over;
    if (!is_over) stop.emit(GetParam());
    while (!is_over) context.run_one();
    bool is_clean = false;
    asio::co_spawn(context, lends_a_clean_one(from), [&](const std::exception_ptr& failure, bool answer) {
      EXPECT_FALSE(failure);
      is_clean = answer;
      if (failure) from.close();
    });
    context.run();
    EXPECT_TRUE(is_clean) << ended;
    const std::string stored = psql(
        "with gone as (delete from pooled_rows returning n) select count(*) filter (where n > 0), count(*) filter "
        "(where n < 0) from gone");
    EXPECT_TRUE(stored == "0|1" || stored == "20004|1") << stored;
    EXPECT_TRUE(ended != "committed" || stored == "20004|1");
    EXPECT_TRUE(ended != "cancelled" || stored == "0|1");
    EXPECT_TRUE(ended == "committed" || ended == "cancelled" || ended == "unknown") << ended;
    if (was_over) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, CancelledWriter,
                         testing::Values(asio::cancellation_type::terminal, asio::cancellation_type::partial,
                                         asio::cancellation_type::total),
                         [](const auto& of) {
                           return std::string{of.param == asio::cancellation_type::terminal  ? "Terminal"
                                              : of.param == asio::cancellation_type::partial ? "Partial"
                                                                                             : "Total"};
                         });

}  // namespace
}  // namespace pool_writing_test
