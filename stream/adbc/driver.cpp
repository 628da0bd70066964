// The functions of ADBC, as the C program calls them, and the table of them.
#include <algorithm>
#include <cstring>
#include <new>
#include <span>

#include "adbc/execution.hpp"
#include "adbc/handles.hpp"
#include "adbc/metadata.hpp"
#include "adbc/option_calls.hpp"

namespace sluice::adbc {

namespace {

template <class Object, class Handle>
AdbcStatusCode make(Handle* handle, AdbcError* error) {
  return guarded(error, [&] {
    require_new(handle, Object::name);
    handle->private_data = new Object{};
  });
}
template <class Object, class Handle>
AdbcStatusCode let_go(Handle* handle, AdbcError* error) {
  return guarded(error, [&] {
    delete &held<Object>(handle, Object::name);
    handle->private_data = nullptr;
  });
}

AdbcStatusCode init_database(AdbcDatabase* handle, AdbcError* error) {
  return guarded(error, [&] { held<database>(handle, database::name).init(); });
}

connection& connection_of(AdbcConnection* handle) { return held<connection>(handle, connection::name); }
statement& statement_of(AdbcStatement* handle) { return held<statement>(handle, statement::name); }

AdbcStatusCode init_connection(AdbcConnection* handle, AdbcDatabase* of, AdbcError* error) {
  return guarded(error, [&] { connection_of(handle).init(held<database>(of, database::name)); });
}
/// Calls something that needs a turn on a connection.
template <class Call>
AdbcStatusCode on_connection(AdbcConnection* handle, AdbcError* error, const Call& call) {
  return guarded(error, [&] {
    connection& of = connection_of(handle);
    const session::turn turn{*of.on(), the_connection};
    call(of, *of.on());
  });
}
AdbcStatusCode commit(AdbcConnection* handle, AdbcError* error) {
  return on_connection(handle, error, [](connection&, session& on) { on.commit(); });
}
AdbcStatusCode rollback(AdbcConnection* handle, AdbcError* error) {
  return on_connection(handle, error, [](connection&, session& on) { on.rollback(); });
}
AdbcStatusCode cancel_connection(AdbcConnection* handle, AdbcError* error) {
  return guarded(error, [&] {
    if (!connection_of(handle).on()->cancel(the_connection))
      throw failure{status::invalid_state, "there is no query to cancel"};
  });
}

AdbcStatusCode get_info(AdbcConnection* handle, const std::uint32_t* codes, std::size_t count, ArrowArrayStream* out,
                        AdbcError* error) {
  return on_connection(handle, error, [&](connection& of, session& on) {
    std::optional<std::set<std::uint32_t>> wanted;
    if (codes != nullptr) wanted.emplace(codes, codes + count);
    export_tree(of.on(), information(on, wanted), required(out, "the stream"));
  });
}

std::optional<std::string> text_or_nothing(const char* text) {
  return text == nullptr ? std::nullopt : std::optional<std::string>{text};
}

AdbcStatusCode get_objects(AdbcConnection* handle, int deep, const char* catalog, const char* schema, const char* table,
                           const char** types, const char* column, ArrowArrayStream* out, AdbcError* error) {
  return on_connection(handle, error, [&](connection& of, session& on) {
    (void)required(out, "the stream");
    if (deep < 0 || deep > static_cast<int>(depth::tables))
      throw failure{status::invalid_argument, "there is no depth " + std::to_string(deep)};
    object_filter wanted{.depth = static_cast<depth>(deep),
                         .catalog = text_or_nothing(catalog),
                         .schema = text_or_nothing(schema),
                         .table = text_or_nothing(table),
                         .column = text_or_nothing(column)};
    if (types != nullptr)
      for (wanted.types.emplace(); *types != nullptr; ++types) wanted.types->emplace_back(*types);
    export_tree(of.on(), objects(on, wanted), out);
  });
}

AdbcStatusCode get_table_schema(AdbcConnection* handle, const char* catalog, const char* schema, const char* table,
                                ArrowSchema* out, AdbcError* error) {
  return on_connection(handle, error, [&](connection& of, session& on) {
    (void)required(out, "the schema");
    table_schema(on, catalog, schema, required(table, "the table's name"), of.defaults()).export_to(out);
  });
}
AdbcStatusCode get_table_types(AdbcConnection* handle, ArrowArrayStream* out, AdbcError* error) {
  return on_connection(handle, error, [&](connection& of, session&) {
    export_tree(of.on(), table_types(), required(out, "the stream"));
  });
}
AdbcStatusCode get_statistics(AdbcConnection*, const char*, const char*, const char*, char, ArrowArrayStream*,
                              AdbcError* error) {
  return guarded(error, [] { not_implemented("statistics"); });
}
AdbcStatusCode get_statistic_names(AdbcConnection*, ArrowArrayStream*, AdbcError* error) {
  return guarded(error, [] { not_implemented("statistics"); });
}
AdbcStatusCode read_partition(AdbcConnection* handle, const std::uint8_t* bytes, std::size_t length,
                              ArrowArrayStream* out, AdbcError* error) {
  return on_connection(handle, error, [&](connection& of, session&) {
    (void)required(out, "the stream");
    const std::string_view descriptor{reinterpret_cast<const char*>(required(bytes, "the partition")), length};
    export_partition(of.on(), descriptor, of.defaults(), out);
  });
}

AdbcStatusCode new_statement(AdbcConnection* on, AdbcStatement* handle, AdbcError* error) {
  return guarded(error, [&] {
    require_new(handle, statement::name);
    handle->private_data = new statement{connection_of(on)};
  });
}
AdbcStatusCode set_sql(AdbcStatement* handle, const char* sql, AdbcError* error) {
  return guarded(error, [&] { statement_of(handle).set_sql(required(sql, "the query")); });
}
AdbcStatusCode set_substrait(AdbcStatement*, const std::uint8_t*, std::size_t, AdbcError* error) {
  return guarded(error, [] { not_implemented("Substrait plans"); });
}
AdbcStatusCode prepare(AdbcStatement* handle, AdbcError* error) {
  return guarded(error, [&] { statement_of(handle).prepare(); });
}
AdbcStatusCode bind(AdbcStatement* handle, ArrowArray* values, ArrowSchema* schema, AdbcError* error) {
  return guarded(error, [&] {
    statement& of = statement_of(handle);
    if (required(values, "the array")->release == nullptr || required(schema, "the schema")->release == nullptr)
      throw failure{status::invalid_argument, "what is bound had been released"};
    of.bind(std::make_unique<bound_rows>(*values, *schema));
  });
}
AdbcStatusCode bind_stream(AdbcStatement* handle, ArrowArrayStream* stream, AdbcError* error) {
  return guarded(error, [&] {
    statement& of = statement_of(handle);
    if (required(stream, "the stream")->release == nullptr)
      throw failure{status::invalid_argument, "the stream that is bound had been released"};
    of.bind(std::make_unique<bound_rows>(*stream));
  });
}
AdbcStatusCode execute(AdbcStatement* handle, ArrowArrayStream* out, std::int64_t* affected, AdbcError* error) {
  return guarded(error, [&] {
    const std::int64_t rows = statement_of(handle).execute(out);
    if (affected != nullptr) *affected = rows;
  });
}
AdbcStatusCode execute_schema(AdbcStatement* handle, ArrowSchema* out, AdbcError* error) {
  return guarded(error, [&] { *required(out, "the schema") = statement_of(handle).result(); });
}
AdbcStatusCode execute_partitions(AdbcStatement* handle, ArrowSchema* schema, AdbcPartitions* partitions,
                                  std::int64_t* affected, AdbcError* error) {
  return guarded(error, [&] {
    arrow_schema made{statement_of(handle).execute_partitions(required(partitions, "the place of the partitions"))};
    if (schema != nullptr) made.export_to(schema);
    if (affected != nullptr) *affected = unknown_rows;
  });
}
AdbcStatusCode get_parameter_schema(AdbcStatement* handle, ArrowSchema* out, AdbcError* error) {
  return guarded(error, [&] { *required(out, "the schema") = statement_of(handle).parameters(); });
}
AdbcStatusCode cancel_statement(AdbcStatement* handle, AdbcError* error) {
  return guarded(error, [&] { statement_of(handle).cancel(); });
}

AdbcStatusCode release_driver(AdbcDriver* driver, AdbcError* error) {
  return guarded(error, [&] { required(driver, "the driver")->release = nullptr; });
}

AdbcDriver table_of_calls() noexcept {
  AdbcDriver all{};
  all.release = release_driver;
  all.DatabaseNew = make<database, AdbcDatabase>;
  all.DatabaseInit = init_database;
  all.DatabaseRelease = let_go<database, AdbcDatabase>;
  all.ConnectionNew = make<connection, AdbcConnection>;
  all.ConnectionInit = init_connection;
  all.ConnectionRelease = let_go<connection, AdbcConnection>;
  all.ConnectionCommit = commit;
  all.ConnectionRollback = rollback;
  all.ConnectionCancel = cancel_connection;
  all.ConnectionGetInfo = get_info;
  all.ConnectionGetObjects = get_objects;
  all.ConnectionGetTableSchema = get_table_schema;
  all.ConnectionGetTableTypes = get_table_types;
  all.ConnectionGetStatistics = get_statistics;
  all.ConnectionGetStatisticNames = get_statistic_names;
  all.ConnectionReadPartition = read_partition;
  all.StatementNew = new_statement;
  all.StatementRelease = let_go<statement, AdbcStatement>;
  all.StatementSetSqlQuery = set_sql;
  all.StatementSetSubstraitPlan = set_substrait;
  all.StatementPrepare = prepare;
  all.StatementBind = bind;
  all.StatementBindStream = bind_stream;
  all.StatementExecuteQuery = execute;
  all.StatementExecuteSchema = execute_schema;
  all.StatementExecutePartitions = execute_partitions;
  all.StatementGetParameterSchema = get_parameter_schema;
  all.StatementCancel = cancel_statement;
  all.ErrorGetDetailCount = detail_count;
  all.ErrorGetDetail = detail;
  all.ErrorFromArrayStream = error_of_stream;
  all.DatabaseSetOption = option_calls<database, AdbcDatabase>::set;
  all.DatabaseSetOptionBytes = option_calls<database, AdbcDatabase>::set_bytes;
  all.DatabaseSetOptionInt = option_calls<database, AdbcDatabase>::set_int;
  all.DatabaseSetOptionDouble = option_calls<database, AdbcDatabase>::set_double;
  all.DatabaseGetOption = option_calls<database, AdbcDatabase>::get;
  all.DatabaseGetOptionBytes = option_calls<database, AdbcDatabase>::get_bytes;
  all.DatabaseGetOptionInt = option_calls<database, AdbcDatabase>::get_int;
  all.DatabaseGetOptionDouble = option_calls<database, AdbcDatabase>::get_double;
  all.ConnectionSetOption = option_calls<connection, AdbcConnection>::set;
  all.ConnectionSetOptionBytes = option_calls<connection, AdbcConnection>::set_bytes;
  all.ConnectionSetOptionInt = option_calls<connection, AdbcConnection>::set_int;
  all.ConnectionSetOptionDouble = option_calls<connection, AdbcConnection>::set_double;
  all.ConnectionGetOption = option_calls<connection, AdbcConnection>::get;
  all.ConnectionGetOptionBytes = option_calls<connection, AdbcConnection>::get_bytes;
  all.ConnectionGetOptionInt = option_calls<connection, AdbcConnection>::get_int;
  all.ConnectionGetOptionDouble = option_calls<connection, AdbcConnection>::get_double;
  all.StatementSetOption = option_calls<statement, AdbcStatement>::set;
  all.StatementSetOptionBytes = option_calls<statement, AdbcStatement>::set_bytes;
  all.StatementSetOptionInt = option_calls<statement, AdbcStatement>::set_int;
  all.StatementSetOptionDouble = option_calls<statement, AdbcStatement>::set_double;
  all.StatementGetOption = option_calls<statement, AdbcStatement>::get;
  all.StatementGetOptionBytes = option_calls<statement, AdbcStatement>::get_bytes;
  all.StatementGetOptionInt = option_calls<statement, AdbcStatement>::get_int;
  all.StatementGetOptionDouble = option_calls<statement, AdbcStatement>::get_double;
  return all;
}

AdbcStatusCode init(int version, void* driver, AdbcError* error) {
  return guarded(error, [&] {
    (void)required(driver, "the driver");
    if (version != version_1_0 && version != version_1_1)
      not_implemented("version " + std::to_string(version) + " of ADBC");
    const AdbcDriver all = table_of_calls();
    std::memcpy(driver, &all, version == version_1_0 ? driver_size_1_0 : sizeof all);
  });
}

}  // namespace

}  // namespace sluice::adbc

extern "C" {

// NOLINTNEXTLINE(readability-identifier-naming): the names are the standard's
[[gnu::visibility("default")]] AdbcStatusCode AdbcDriverInit(int version, void* driver, AdbcError* error) {
  return sluice::adbc::init(version, driver, error);
}
// NOLINTNEXTLINE(readability-identifier-naming): as above
[[gnu::visibility("default")]] AdbcStatusCode AdbcDriverSluiceInit(int version, void* driver, AdbcError* error) {
  return sluice::adbc::init(version, driver, error);
}
}
