// Transactions, cancellation and threads through the ADBC driver.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <functional>
#include <thread>

#include "loaded_driver.hpp"

namespace {

using namespace sluice::test;
using testing_rows = std::vector<std::string>;

TEST(AdbcControl, TransactionsEndAsTheyAreTold) {
  adbc_connection on;
  psql("create table adbc_transactions (id int)");
  refusal(status::invalid_state, driver().ConnectionCommit, &on);
  on.set("adbc.connection.autocommit", "false");
  adbc_statement run{on, "insert into adbc_transactions values (1)"};
  run.execute();
  EXPECT_EQ(psql("select count(*) from adbc_transactions"), "0");
  call(driver().ConnectionCommit, &on);
  run.execute();
  call(driver().ConnectionRollback, &on);
  call(driver().ConnectionRollback, &on);  // there is none
  EXPECT_EQ(psql("select count(*) from adbc_transactions"), "1");
  run.query("select 1/0");
  refusal(status::invalid_data, driver().StatementExecuteQuery, &run, nullptr, nullptr);
  run.query("select 1");
  refusal(status::invalid_state, driver().StatementExecuteQuery, &run, nullptr, nullptr);
  refusal(status::invalid_state, driver().ConnectionCommit, &on);  // which rolls back
  run.query("insert into adbc_transactions values (2)");
  run.execute();
  on.set("adbc.connection.autocommit", "true");  // commits
  EXPECT_EQ(psql("select count(*) from adbc_transactions"), "2");
  on.set("adbc.connection.autocommit", "false");
  owned_stream rows;
  run.query("select generate_series(1, 1000000) g");
  run.execute(&rows);
  refusal(status::invalid_state, driver().ConnectionCommit, &on);  // a result is open
  call(driver().ConnectionRollback, &on);
  ArrowArray batch{};
  EXPECT_EQ(rows->get_next(&rows, &batch), EINVAL);
  EXPECT_EQ(result_of(on, "select 1").rows.size(), 1U);
}

TEST(AdbcControl, AnOpenTransactionEndsWithItsConnection) {
  psql("create table adbc_left (id int)");
  {
    adbc_connection on{{}, {{"adbc.connection.autocommit", "false"}}};
    adbc_statement{on, "insert into adbc_left values (1)"}.execute();
  }
  EXPECT_EQ(psql("select count(*) from adbc_left"), "0");
}

TEST(AdbcControl, CancelEndsAStatementInAnotherThread) {
  for (const bool of_connection : {false, true})
    for (const bool with_rows : {false, true}) {
      adbc_connection on;
      adbc_statement run{on, "select pg_sleep(1000), 'adbc sleeps'"};
      std::atomic<bool> is_over{false};
      std::thread other{[&] {
        owned_stream rows;
        refusal(status::cancelled, driver().StatementExecuteQuery, &run, with_rows ? &rows : nullptr, nullptr);
        is_over = true;
      }};
      wait_until(
          "exists (select from pg_stat_activity where query like 'select pg_sleep(1000), ''adbc%' and wait_event = "
          "'PgSleep')");
      if (of_connection)
        call(driver().ConnectionCancel, &on);
      else
        call(driver().StatementCancel, &run);
      other.join();
      EXPECT_TRUE(is_over);
      refusal(status::invalid_state, driver().StatementCancel, &run);  // there is nothing to cancel
      EXPECT_EQ(result_of(on, "select 1").rows, testing_rows{"(1)"});
      EXPECT_EQ(psql("select count(*) from pg_stat_activity where state = 'active' and query like '%adbc sleeps%' and "
                     "pid <> pg_backend_pid()"),
                "0");
    }
}

TEST(AdbcControl, CancelEndsAResultBetweenItsBatches) {
  adbc_connection on;
  adbc_statement run{on, "select generate_series(1, 2000000) g"};
  owned_stream rows;
  run.execute(&rows);
  call(driver().StatementCancel, &run);
  ArrowArray batch{};
  EXPECT_EQ(rows->get_next(&rows, &batch), ECANCELED);
  EXPECT_EQ(result_of(on, "select 1").rows, testing_rows{"(1)"});  // although the stream was not released
  EXPECT_EQ(rows->get_next(&rows, &batch), ECANCELED);
}

TEST(AdbcControl, CancelEndsAResultThatIsInMemory) {
  adbc_connection on;
  owned_stream facts;
  call(driver().ConnectionGetInfo, &on, nullptr, std::size_t{0}, &facts);
  owned_stream other;
  call(driver().ConnectionGetTableTypes, &on, &other);
  EXPECT_EQ(all_of(&other).rows.size(), 5U);
  call(driver().ConnectionCancel, &on);
  ArrowArray batch{};
  EXPECT_EQ(facts->get_next(&facts, &batch), ECANCELED);
  facts.release();
  refusal(status::invalid_state, driver().ConnectionCancel, &on);
  EXPECT_EQ(result_of(on, "select 1").rows, testing_rows{"(1)"});
}

TEST(AdbcControl, ManyThreadsShareOneConnection) {
  adbc_connection on;
  std::vector<std::thread> all;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i)
    all.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) {
        adbc_statement run{on, "select " + std::to_string(i)};
        adbc_error error;
        owned_stream rows;
        const auto code = static_cast<status>(driver().StatementExecuteQuery(&run, &rows, nullptr, &error));
        if (code == status::ok && all_of(&rows).rows == testing_rows{'(' + std::to_string(i) + ')'}) ++good;
        if (code != status::ok && code != status::invalid_state) ADD_FAILURE() << error.text();
      }
    });
  for (std::thread& each : all) each.join();
  EXPECT_GT(good, 0);
  EXPECT_EQ(result_of(on, "select 1").rows, testing_rows{"(1)"});
}

/// Hands on a stream, and calls something before the schema and each batch.
struct interrupted_stream {
  ArrowArrayStream from;
  std::function<void()> before;

  static interrupted_stream& of(ArrowArrayStream* each) {
    return *static_cast<interrupted_stream*>(each->private_data);
  }
  static ArrowArrayStream made(ArrowArrayStream from, std::function<void()> before) {
    return {.get_schema =
                [](ArrowArrayStream* self, ArrowSchema* out) {
                  of(self).before();
                  return of(self).from.get_schema(&of(self).from, out);
                },
            .get_next =
                [](ArrowArrayStream* self, ArrowArray* out) {
                  of(self).before();
                  return of(self).from.get_next(&of(self).from, out);
                },
            .get_last_error = [](ArrowArrayStream* self) { return of(self).from.get_last_error(&of(self).from); },
            .release =
                [](ArrowArrayStream* self) {
                  of(self).from.release(&of(self).from);
                  delete &of(self);
                  self->release = nullptr;
                },
            .private_data = new interrupted_stream{from, std::move(before)}};
  }
};
const options in_pages{{"sluice.fetch_mode", "paged"}, {"sluice.page_rows", "1"}, {"sluice.max_rows", "1"}};

TEST(AdbcControl, AResultMayBeEndedWhileItReadsWhatIsBoundToIt) {
  for (const bool is_cancelled : {true, false}) {
    adbc_connection on{in_pages, {{"adbc.connection.autocommit", "false"}}};
    adbc_statement source{on, "select n::int8 from generate_series(1, 3) n"};
    adbc_statement run{on, "select $1 + m from generate_series(1, 2) m"};
    ArrowArrayStream inner{};
    source.execute(&inner);
    int reads = 0;
    ArrowArrayStream bound = interrupted_stream::made(inner, [&] {
      if (++reads != 3) return;
      if (is_cancelled)
        std::thread{[&] { call(driver().StatementCancel, &run); }}.join();
      else
        call(driver().ConnectionRollback, &on);
    });
    run.bind(&bound);
    owned_stream rows;
    run.execute(&rows);
    int number = 0;
    while (number == 0) {
      owned<ArrowArray> batch;
      number = rows->get_next(&rows, &batch);
      ASSERT_TRUE(number != 0 || batch->release != nullptr) << "it came to its end";
    }
    if (is_cancelled) {
      EXPECT_EQ(number, ECANCELED) << rows->get_last_error(&rows);
    }
    owned<ArrowArray> batch;
    EXPECT_NE(rows->get_next(&rows, &batch), 0);
    rows.release();
    call(driver().ConnectionRollback, &on);
    EXPECT_EQ(result_of(on, "select 1").rows.size(), 1U);
  }
}

TEST(AdbcControl, OfTwoConnectionsThatWaitForEachOtherOneIsRefused) {
  psql("drop table if exists adbc_circle; create table adbc_circle (n int8)");
  adbc_connection one{in_pages, {{"adbc.connection.autocommit", "false"}}};
  adbc_connection other{in_pages, {{"adbc.connection.autocommit", "false"}}};
  std::barrier both{2};
  std::atomic<int> refused{0};
  const auto copy = [&](adbc_connection& from, adbc_connection& to) {
    adbc_statement source{from, "select n::int8 as n from generate_series(1, 3) n"};
    ArrowArrayStream inner{};
    source.execute(&inner);
    both.arrive_and_wait();
    bool is_first = true;
    ArrowArrayStream bound = interrupted_stream::made(inner, [&] {
      if (std::exchange(is_first, false)) both.arrive_and_wait();
    });
    adbc_statement into{to, "insert into adbc_circle values ($1)"};
    into.bind(&bound);
    adbc_error error;
    if (driver().StatementExecuteQuery(&into, nullptr, nullptr, &error) == 0) return;
    EXPECT_NE(error.text().find("neither would end"), std::string::npos) << error.text();
    ++refused;
  };
  std::thread thread{[&] { copy(one, other); }};
  copy(other, one);
  thread.join();
  EXPECT_EQ(refused, 1);
  for (const std::reference_wrapper<adbc_connection> each : {std::ref(one), std::ref(other)}) {
    (void)driver().ConnectionCommit(&each.get(), nullptr);  // refused where a statement has failed
    EXPECT_EQ(result_of(each, "select 1").rows.size(), 1U);
  }
  EXPECT_EQ(psql("select count(*) from adbc_circle"), "3");
}

}  // namespace
