// Programs that call the ADBC driver in the wrong order, with nothing, or without memory.
#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

#include "given_batch.hpp"
#include "loaded_driver.hpp"

namespace {

using namespace sluice::test;

// The layout is the standard's: it is checked by numbers, not by the struct itself.
static_assert(sizeof(AdbcError) == 48 && offsetof(AdbcError, sqlstate) == 12 && offsetof(AdbcError, release) == 24);
static_assert(sluice::adbc::driver_size_1_0 == 29 * sizeof(void*));
static_assert(offsetof(AdbcDriver, ConnectionInit) == 12 * sizeof(void*));
static_assert(offsetof(AdbcDriver, StatementSetSubstraitPlan) == 28 * sizeof(void*));
static_assert(offsetof(AdbcDriver, StatementSetOptionInt) + sizeof(void*) == sizeof(AdbcDriver));

TEST(AdbcMisuse, OnlyTheEntryPointsAreVisible) {
  EXPECT_NE(entry("AdbcDriverInit"), nullptr);
  EXPECT_NE(entry("AdbcDriverSluiceInit"), nullptr);
  EXPECT_EQ(entry("_ZN6sluice6clientC1ESt17basic_string_viewIcSt11char_traitsIcEENS_18connection_optionsE"), nullptr);
  refusal(status::invalid_argument, entry("AdbcDriverInit"), sluice::adbc::version_1_1, nullptr);
}

TEST(AdbcMisuse, EveryFunctionIsThere) {
  const auto* const functions = reinterpret_cast<void* const*>(&driver());
  for (std::size_t i = 2; i < sizeof(AdbcDriver) / sizeof(void*); ++i) EXPECT_NE(functions[i], nullptr) << i;
}

/// Every function is called with a handle that holds nothing, and with no handle.
template <class Handle, class... Arguments>
void refuse_both(std::type_identity_t<AdbcStatusCode (*)(Handle*, Arguments..., AdbcError*)> function,
                 std::type_identity_t<Arguments>... arguments) {
  Handle empty{};
  refusal(status::invalid_state, function, &empty, arguments...);
  refusal(status::invalid_argument, function, static_cast<Handle*>(nullptr), arguments...);
  EXPECT_NE(function(&empty, arguments..., nullptr), 0);
}

TEST(AdbcMisuse, HandlesThatHoldNothingAreRefused) {
  const AdbcDriver& d = driver();
  std::array<char, 8> text{};
  std::array<std::uint8_t, 8> bytes{};
  std::size_t size = 8;
  std::int64_t number = 0;
  double real = 0;
  AdbcDatabase database{};
  owned_stream stream;
  owned<ArrowSchema> schema;
  refuse_both<AdbcDatabase>(d.DatabaseInit);
  refuse_both<AdbcDatabase>(d.DatabaseRelease);
  refuse_both<AdbcDatabase, const char*, const char*>(d.DatabaseSetOption, "a", "b");
  refuse_both<AdbcDatabase, const char*, std::int64_t>(d.DatabaseSetOptionInt, "a", 1);
  refuse_both<AdbcDatabase, const char*, double>(d.DatabaseSetOptionDouble, "a", 1);
  refuse_both<AdbcDatabase, const char*, const std::uint8_t*, std::size_t>(d.DatabaseSetOptionBytes, "a", bytes.data(),
                                                                           8);
  refuse_both<AdbcDatabase, const char*, char*, std::size_t*>(d.DatabaseGetOption, "a", text.data(), &size);
  refuse_both<AdbcDatabase, const char*, std::int64_t*>(d.DatabaseGetOptionInt, "a", &number);
  refuse_both<AdbcConnection>(d.ConnectionRelease);
  refuse_both<AdbcConnection>(d.ConnectionCommit);
  refuse_both<AdbcConnection>(d.ConnectionRollback);
  refuse_both<AdbcConnection>(d.ConnectionCancel);
  refuse_both<AdbcConnection, AdbcDatabase*>(d.ConnectionInit, &database);
  refuse_both<AdbcConnection, const std::uint32_t*, std::size_t, ArrowArrayStream*>(d.ConnectionGetInfo, nullptr, 0,
                                                                                    &stream);
  refuse_both<AdbcConnection, ArrowArrayStream*>(d.ConnectionGetTableTypes, &stream);
  refuse_both<AdbcConnection, const char*, const char*, const char*, ArrowSchema*>(d.ConnectionGetTableSchema, nullptr,
                                                                                   nullptr, "t", &schema);
  refuse_both<AdbcConnection, const char*, double*>(d.ConnectionGetOptionDouble, "a", &real);
  refuse_both<AdbcStatement>(d.StatementRelease);
  refuse_both<AdbcStatement>(d.StatementPrepare);
  refuse_both<AdbcStatement>(d.StatementCancel);
  refuse_both<AdbcStatement, const char*>(d.StatementSetSqlQuery, "select 1");
  refuse_both<AdbcStatement, ArrowArrayStream*, std::int64_t*>(d.StatementExecuteQuery, nullptr, nullptr);
  refuse_both<AdbcStatement, ArrowSchema*>(d.StatementExecuteSchema, &schema);
  refuse_both<AdbcStatement, ArrowSchema*>(d.StatementGetParameterSchema, &schema);
  refuse_both<AdbcStatement, ArrowArrayStream*>(d.StatementBindStream, &stream);
  EXPECT_EQ(d.ErrorGetDetailCount(nullptr), 0);
  EXPECT_EQ(d.ErrorFromArrayStream(nullptr, nullptr), nullptr);
  EXPECT_EQ(d.ErrorFromArrayStream(&stream, nullptr), nullptr);
}

TEST(AdbcMisuse, CallsInTheWrongOrderAreRefused) {
  const AdbcDriver& d = driver();
  AdbcDatabase database{};
  call(d.DatabaseNew, &database);
  refusal(status::invalid_state, d.DatabaseNew, &database);
  AdbcConnection on{};
  call(d.ConnectionNew, &on);
  refusal(status::invalid_state, d.ConnectionInit, &on, &database);
  AdbcStatement statement{};
  refusal(status::invalid_state, d.StatementNew, &on, &statement);
  refusal(status::invalid_state, d.ConnectionCommit, &on);
  refusal(status::invalid_argument, d.DatabaseSetOption, &database, nullptr, "x");
  refusal(status::invalid_argument, d.DatabaseSetOption, &database, "uri", nullptr);
  call(d.DatabaseSetOption, &database, "uri", "postgresql://localhost/?nonsense=1");
  refusal(status::invalid_argument, d.DatabaseInit, &database);
  call(d.DatabaseSetOption, &database, "uri", "host=/nowhere");
  call(d.DatabaseInit, &database);
  refusal(status::io, d.ConnectionInit, &on, &database);
  call(d.DatabaseSetOption, &database, "uri", dsn().c_str());
  call(d.DatabaseInit, &database);
  call(d.ConnectionInit, &on, &database);
  refusal(status::invalid_state, d.ConnectionInit, &on, &database);
  call(d.StatementNew, &on, &statement);
  refusal(status::invalid_state, d.StatementNew, &on, &statement);
  refusal(status::invalid_state, d.StatementExecuteQuery, &statement, nullptr, nullptr);
  refusal(status::invalid_state, d.StatementPrepare, &statement);
  refusal(status::invalid_argument, d.StatementSetSqlQuery, &statement, nullptr);
  refusal(status::invalid_argument, d.StatementBind, &statement, nullptr, nullptr);
  ArrowArrayStream released{};
  refusal(status::invalid_argument, d.StatementBindStream, &statement, &released);
  call(d.StatementSetOption, &statement, "adbc.ingest.target_table", "t");
  refusal(status::invalid_state, d.StatementExecuteQuery, &statement, nullptr, nullptr);  // nothing is bound
  refusal(status::not_implemented, d.StatementSetSubstraitPlan, &statement, nullptr, std::size_t{0});
  refusal(status::not_implemented, d.ConnectionGetStatistics, &on, nullptr, nullptr, nullptr, char{1}, nullptr);
  refusal(status::not_implemented, d.ConnectionGetStatisticNames, &on, nullptr);

  // Released in the wrong order, and twice.
  call(d.DatabaseRelease, &database);
  call(d.ConnectionRelease, &on);
  call(d.StatementSetSqlQuery, &statement, "select 1");
  refusal(status::invalid_state, d.StatementExecuteQuery, &statement, nullptr, nullptr);
  call(d.StatementRelease, &statement);
  refusal(status::invalid_state, d.DatabaseRelease, &database);
  refusal(status::invalid_state, d.ConnectionRelease, &on);
  refusal(status::invalid_state, d.StatementRelease, &statement);
}

TEST(AdbcMisuse, AnErrorThatIsUsedAgainIsReleasedFirst) {
  AdbcDatabase database{};
  adbc_error error;
  for (int i = 0; i < 3; ++i) EXPECT_NE(driver().DatabaseInit(&database, &error), 0);
  EXPECT_FALSE(error.text().empty());
}

TEST(AdbcMisuse, ArraysThatAreNotOfTheirSchemaAreRefused) {
  adbc_connection on;
  adbc_statement run{on, "select $1"};
  const given_column column{.format = "l", .length = 2, .buffers = {{}, bytes_of<std::int64_t>({1, 2})}};
  const auto refused = [&](const given_column& values, const given_column& types) {
    ArrowArray array = array_of(values);
    ArrowSchema schema = schema_of(types);
    call(driver().StatementBind, &run, &array, &schema);
    refusal(status::invalid_argument, driver().StatementExecuteQuery, &run, nullptr, nullptr);
  };
  refused(column, column);                                  // not a struct
  refused(batch_of({column, column}), batch_of({column}));  // another number of columns
  given_column longer = batch_of({column});
  longer.length = 3;
  refused(longer, longer);
  given_column none = column;
  none.buffers.clear();
  refused(batch_of({none}), batch_of({column}));
  given_column unknown = batch_of({column});
  unknown.buffers = {given_bytes{1}};
  unknown.nulls = -1;  // not counted
  refused(unknown, unknown);
  EXPECT_EQ(alive(), 0);
}

TEST(AdbcMisuse, ValuesThatThereAreNotAreRefused) {
  adbc_connection on;
  adbc_statement run{on, "select $1"};
  const auto refused = [&](const given_column& column) {
    ArrowArray array = array_of(batch_of({column}));
    ArrowSchema schema = schema_of(batch_of({column}));
    call(driver().StatementBind, &run, &array, &schema);
    refusal(status::invalid_data, driver().StatementExecuteQuery, &run, nullptr, nullptr);
  };
  given_column keys{.format = "c", .length = 1, .buffers = {{}, given_bytes{2}}};
  keys.dictionary = std::make_shared<given_column>(
      given_column{.format = "l", .length = 2, .buffers = {{}, bytes_of<std::int64_t>({1, 2})}});
  refused(keys);
  const given_column time{.format = "ttu", .length = 1, .buffers = {{}, bytes_of<std::int64_t>({-1})}};
  refused(time);
  given_column list{.format = "+l", .length = 1, .buffers = {{}, bytes_of<std::int32_t>({0, 1})}, .children = {time}};
  refused(list);
  EXPECT_EQ(alive(), 0);
}

TEST(AdbcMisuse, OptionsWithoutANameAreRefused) {
  adbc_connection on;
  adbc_statement run{on};
  std::size_t size = 0;
  std::int64_t number = 0;
  double real = 0;
  refusal(status::invalid_argument, driver().ConnectionGetOption, &on, nullptr, nullptr, &size);
  refusal(status::invalid_argument, driver().ConnectionGetOptionInt, &on, nullptr, &number);
  refusal(status::invalid_argument, driver().StatementGetOptionInt, &run, nullptr, &number);
  refusal(status::invalid_argument, driver().StatementGetOptionDouble, &run, nullptr, &real);
}

TEST(AdbcMisuse, ALostConnectionIsAnErrorOfEveryCall) {
  adbc_connection on;
  adbc_statement run{on, "select pg_terminate_backend(pg_backend_pid()) from generate_series(1, 3)"};
  owned_stream rows;
  (void)driver().StatementExecuteQuery(&run, &rows, nullptr, nullptr);  // its row may come before its end
  rows.release();
  run.query("select 1");
  for (int i = 0; i < 2; ++i) {
    adbc_error error;
    EXPECT_NE(driver().StatementExecuteQuery(&run, nullptr, nullptr, &error), 0);
    EXPECT_FALSE(error.text().empty());
  }
}

}  // namespace
