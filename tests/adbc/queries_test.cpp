// Queries through the ADBC driver: results, parameters, errors.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>

#include "given_batch.hpp"
#include "loaded_driver.hpp"

namespace {

using namespace sluice::test;
using testing_rows = std::vector<std::string>;

void bind(adbc_statement& to, const given_column& batch) {
  ArrowArray values = array_of(batch);
  ArrowSchema schema = schema_of(batch);
  call(driver().StatementBind, &to, &values, &schema);
}
given_column numbers(std::initializer_list<std::int64_t> values, const std::string& name = "") {
  return {.format = "l",
          .name = name,
          .length = static_cast<std::int64_t>(values.size()),
          .buffers = {{}, bytes_of<std::int64_t>(values)}};
}
given_column texts() {  // "a", NULL, "ccc"
  return {.format = "u",
          .length = 3,
          .nulls = 1,
          .buffers = {{0b101}, bytes_of<std::int32_t>({0, 1, 1, 4}), text_buffer("accc")}};
}

TEST(AdbcQueries, ValuesAreThoseOfPsql) {
  adbc_connection on;
  const std::string query =
      "select g::int2 a, g::int8 b, g % 2 = 0 c, g / 4::float8 d, (g / 8.0)::numeric(10,4) e, 'row ' || g f, "
      "convert_to(chr(64 + g), 'UTF8') g, array[g, null, -g] h, nullif(g, 3)::int4 i, '{\"n\": 1}'::jsonb j "
      "from generate_series(1, 5) g";
  const stream_table seen = result_of(on, query);
  EXPECT_EQ(seen.names, (testing_rows{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}));
  EXPECT_EQ(seen.formats, (testing_rows{"s", "l", "b", "g", "d:10,4", "u", "z", "+l", "i", "u"}));
  std::string all;
  for (const std::string& each : seen.rows) all += (all.empty() ? "" : "\n") + each;
  EXPECT_EQ(all, psql("select format('(%s)', concat_ws(',', a, b, c, d, e, f, convert_from(g, 'SQL_ASCII'), h, "
                      "coalesce(i::text, 'NULL'), j)) from (" +
                      query + ") q"));
}

TEST(AdbcQueries, AResultComesInBatchesOfTheWantedSizeInEveryFetchMode) {
  for (const char* mode : {"plain", "paged", "bulk"}) {
    adbc_connection on{{{"sluice.max_rows", "1000"}}, {{"sluice.fetch_mode", mode}}};
    const stream_table seen = result_of(on, "select g from generate_series(1, 10000) g");
    EXPECT_EQ(seen.rows.size(), 10'000U) << mode;
    EXPECT_EQ(seen.batches, 10U) << mode;
    adbc_statement none{on, "create temporary table adbc_none (id int)"};
    owned_stream rows;
    EXPECT_EQ(none.execute(&rows), 0) << mode;
    EXPECT_EQ(all_of(&rows).names.size(), 0U) << mode;
  }
}

TEST(AdbcQueries, AStatementWithoutRowsTellsHowManyItAffected) {
  for (const bool in_transaction : {false, true}) {
    adbc_connection on;
    if (in_transaction) on.set("adbc.connection.autocommit", "false");
    adbc_statement run{on, "create temporary table adbc_counted (id int)"};
    run.execute();
    run.query("insert into adbc_counted select generate_series(1, 7)");
    owned_stream rows;
    EXPECT_EQ(run.execute(&rows), 7);
    EXPECT_EQ(all_of(&rows).rows.size(), 0U);
    run.query("delete from adbc_counted where id < 3");
    EXPECT_EQ(run.execute(), 2);
    owned_stream selected;
    run.query("delete from adbc_counted returning id");
    EXPECT_EQ(run.execute(&selected), -1);
    EXPECT_EQ(all_of(&selected).rows.size(), 5U);
    run.query("select 1; select 2");
    EXPECT_EQ(run.execute(), 1);
  }
}

TEST(AdbcQueries, StreamsOutliveStatementAndConnectionAndAreReadInAnotherThread) {
  owned_stream rows;
  {
    adbc_connection on;
    adbc_statement run{on, "select g from generate_series(1, 100000) g"};
    run.execute(&rows);
  }
  std::size_t count = 0;
  std::thread{[&] {
    count = all_of(&rows).rows.size();
    rows.release();
  }}.join();
  EXPECT_EQ(count, 100'000U);
  EXPECT_EQ(psql("select count(*) from pg_stat_activity where query like '%generate_series(1, 100000) g' and pid <> "
                 "pg_backend_pid()"),
            "0");
}

TEST(AdbcQueries, ExecutingAgainClosesTheResultBefore) {
  adbc_connection on;
  adbc_statement run{on, "select generate_series(1, 1000000) g"};
  owned_stream first;
  owned_stream second;
  run.execute(&first);
  run.query("select 2");
  run.execute(&second);
  ArrowArray batch{};
  EXPECT_EQ(first->get_next(&first, &batch), EINVAL);
  EXPECT_NE(std::string{first->get_last_error(&first)}.find("executed again"), std::string::npos);
  AdbcStatusCode code = 0;
  const AdbcError* const error = driver().ErrorFromArrayStream(&first, &code);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(code, static_cast<AdbcStatusCode>(status::invalid_state));
  EXPECT_EQ(all_of(&second).rows, testing_rows{"(2)"});
}

TEST(AdbcQueries, AnotherStatementHasToWaitForAnOpenResultUnlessItIsPaged) {
  adbc_connection on;
  adbc_statement one{on, "select generate_series(1, 1000000) g"};
  owned_stream rows;
  one.execute(&rows);
  adbc_statement other{on, "select 1"};
  owned_stream more;
  refusal(status::invalid_state, driver().StatementExecuteQuery, &other, &more, nullptr);
  rows.release();
  other.execute(&more);
  EXPECT_EQ(all_of(&more).rows, testing_rows{"(1)"});
  on.set("sluice.fetch_mode", "paged");
  adbc_statement paged{on, "select g from generate_series(1, 10000) g"};
  owned_stream pages;
  paged.execute(&pages);
  EXPECT_EQ(result_of(on, "select 5").rows, testing_rows{"(5)"});
  EXPECT_EQ(all_of(&pages).rows.size(), 10'000U);
}

TEST(AdbcQueries, ErrorsHaveTheirSqlStateAndEveryFieldOfTheServer) {
  adbc_connection on;
  adbc_statement run{on, "create temporary table adbc_unique (id int constraint adbc_once primary key)"};
  run.execute();
  run.query("insert into adbc_unique values (1), (1)");
  adbc_error error;
  EXPECT_EQ(driver().StatementExecuteQuery(&run, nullptr, nullptr, &error),
            static_cast<AdbcStatusCode>(status::integrity));
  EXPECT_EQ(error.sqlstate(), "23505");
  EXPECT_EQ(error.detail("PG_DIAG_CONSTRAINT_NAME"), "adbc_once");
  EXPECT_EQ(error.detail("PG_DIAG_SQLSTATE"), "23505");
  EXPECT_EQ(error.detail("PG_DIAG_MESSAGE_DETAIL"), "Key (id)=(1) already exists.");
  EXPECT_EQ(driver().ErrorGetDetail(&error, 1'000).key, nullptr);

  struct expectation {
    const char* sql;
    status code;
  };
  for (const auto& [sql, code] :
       {expectation{"select * from adbc_nowhere", status::not_found}, expectation{"selec 1", status::invalid_argument},
        expectation{"select 1/0", status::invalid_data},
        expectation{"create temporary table adbc_unique (id int)", status::already_exists}}) {
    run.query(sql);
    owned_stream rows;
    refusal(code, driver().StatementExecuteQuery, &run, &rows, nullptr);
    EXPECT_EQ(rows->release, nullptr) << sql;
  }
  run.query("select 1 / (3 - g) from generate_series(1, 3) g");
  owned_stream rows;
  run.execute(&rows);
  EXPECT_THROW(all_of(&rows), std::runtime_error);
  AdbcStatusCode code = 0;
  const AdbcError* const late = driver().ErrorFromArrayStream(&rows, &code);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(code, static_cast<AdbcStatusCode>(status::invalid_data));
  EXPECT_EQ(std::string(late->sqlstate, 5), "22012");
  EXPECT_GE(driver().ErrorGetDetailCount(late), 3);
}

TEST(AdbcQueries, AProgramOfVersion1_0GetsItsErrorsAndItsTable) {
  AdbcDriver old{};
  std::memset(static_cast<void*>(&old), 0xaa, sizeof old);
  ASSERT_EQ(entry("AdbcDriverSluiceInit")(sluice::adbc::version_1_0, &old, nullptr), 0);
  const auto* const after = reinterpret_cast<const unsigned char*>(&old.ErrorGetDetailCount);
  EXPECT_EQ(*after, 0xaa);  // not touched
  struct old_error {
    char* message;
    std::int32_t vendor_code;
    char sqlstate[5];
    void (*release)(AdbcError*);
    std::uint64_t canary;
  } error{.message = nullptr, .vendor_code = 0, .sqlstate = {}, .release = nullptr, .canary = 42};
  AdbcDatabase database{};
  EXPECT_NE(old.DatabaseInit(&database, reinterpret_cast<AdbcError*>(&error)), 0);
  ASSERT_NE(error.message, nullptr);
  EXPECT_EQ(error.canary, 42U);
  error.release(reinterpret_cast<AdbcError*>(&error));
  EXPECT_EQ(error.release, nullptr);
  adbc_error unsupported;
  EXPECT_EQ(entry("AdbcDriverInit")(999, &old, &unsupported), static_cast<AdbcStatusCode>(status::not_implemented));
}

TEST(AdbcQueries, SchemasComeWithoutRunningTheStatement) {
  adbc_connection on;
  psql("create table adbc_described (id int, n numeric(8,2), t text)");
  adbc_statement run{on, "insert into adbc_described values ($1, $2, $3) returning id, n"};
  owned<ArrowSchema> result;
  call(driver().StatementExecuteSchema, &run, &result);
  ASSERT_EQ(result->n_children, 2);
  EXPECT_STREQ(result->children[1]->format, "d:8,2");
  call(driver().StatementPrepare, &run);
  owned<ArrowSchema> parameters;
  call(driver().StatementGetParameterSchema, &run, &parameters);
  ASSERT_EQ(parameters->n_children, 3);
  EXPECT_STREQ(parameters->children[0]->format, "i");
  EXPECT_STREQ(parameters->children[2]->format, "u");
  EXPECT_STREQ(parameters->children[2]->name, "");
  run.query("drop table adbc_described");
  owned<ArrowSchema> none;
  call(driver().StatementExecuteSchema, &run, &none);
  EXPECT_EQ(none->n_children, 0);
  EXPECT_EQ(psql("select count(*) from adbc_described"), "0");
  run.query("selec");
  call(driver().StatementPrepare, &run);  // the server is asked later
  refusal(status::invalid_argument, driver().StatementExecuteSchema, &run, &*none);
  run.query("select $1 + $2");  // cannot be described without types
  call(driver().StatementPrepare, &run);
  bind(run, batch_of({numbers({1}), numbers({2})}));
  owned_stream rows;
  run.execute(&rows);
  EXPECT_EQ(all_of(&rows).rows, testing_rows{"(3)"});
}

TEST(AdbcQueries, AQueryRunsForEachBoundRow) {
  adbc_connection on;
  adbc_statement run{on, "select $1 + g, $2 || '!' from generate_series(1, 2) g"};
  bind(run, batch_of({numbers({10, 20, 30}), texts()}));
  owned_stream rows;
  EXPECT_EQ(run.execute(&rows), -1);
  EXPECT_EQ(all_of(&rows).rows,
            (testing_rows{"(11,a!)", "(12,a!)", "(21,NULL)", "(22,NULL)", "(31,ccc!)", "(32,ccc!)"}));
  bind(run, batch_of({numbers({}), numbers({})}));
  run.query("select $1, $2");
  owned_stream empty;
  run.execute(&empty);
  EXPECT_EQ(all_of(&empty).formats, (testing_rows{"l", "l"}));
  EXPECT_GT(alive(), 0) << "the stream has what was bound";
  empty.release();
  EXPECT_EQ(alive(), 0);
}

TEST(AdbcQueries, AnInsertRunsForAllBoundRowsOrNone) {
  adbc_connection on;
  psql("create table adbc_batch (id bigint primary key, t text)");
  adbc_statement run{on, "insert into adbc_batch values ($1, $2)"};
  bind(run, batch_of({numbers({1, 2, 3}), texts()}));
  EXPECT_EQ(run.execute(), 3);
  EXPECT_EQ(psql("select string_agg(id || coalesce(t, '-'), ',' order by id) from adbc_batch"), "1a,2-,3ccc");
  bind(run, batch_of({numbers({4, 5, 1}), texts()}));
  EXPECT_NE(refusal(status::integrity, driver().StatementExecuteQuery, &run, nullptr, nullptr).find("row 3"),
            std::string::npos);
  bind(run, batch_of({numbers({6, 7, 8}), texts()}));
  owned_stream rows;
  EXPECT_EQ(run.execute(&rows), 3);  // a stream of nothing
  EXPECT_EQ(psql("select count(*) from adbc_batch"), "6");
  run.query("insert into adbc_batch values ($1) returning id, t");
  bind(run, batch_of({numbers({20, 21})}));
  owned_stream returned;
  run.execute(&returned);
  EXPECT_EQ(all_of(&returned).rows, (testing_rows{"(20,NULL)", "(21,NULL)"}));
}

}  // namespace
