// Transactions, cancellation and threads through the ADBC driver.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
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
  run.query("select g from generate_series(1, 1000000) g");
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
  adbc_statement run{on, "select g from generate_series(1, 2000000) g"};
  owned_stream rows;
  run.execute(&rows);
  call(driver().StatementCancel, &run);
  ArrowArray batch{};
  EXPECT_EQ(rows->get_next(&rows, &batch), ECANCELED);
  EXPECT_EQ(result_of(on, "select 1").rows, testing_rows{"(1)"});  // although the stream was not released
  EXPECT_EQ(rows->get_next(&rows, &batch), ECANCELED);
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

}  // namespace
