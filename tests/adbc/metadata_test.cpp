// What the ADBC driver tells of itself and of the catalog, and its options.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "loaded_driver.hpp"

namespace {

using namespace sluice::test;
using lines = std::vector<std::string>;

/// The tree of a result, with names: {name: value, ...}. Of columns, only what is given a name here.
std::string tree(const ArrowSchema& type, const ArrowArray& array, std::int64_t index) {
  const std::string_view format{type.format};
  if (array.n_buffers > 0 && array.null_count != 0 && !format.starts_with("+ud") && !bit_at(array.buffers[0], index))
    return "null";
  if (format == "+l") {
    std::string all;
    for (auto i = value_at<std::int32_t>(array.buffers[1], index);
         i < value_at<std::int32_t>(array.buffers[1], index + 1); ++i)
      all += (all.empty() ? "" : ", ") + tree(*type.children[0], *array.children[0], i);
    return '[' + all + ']';
  }
  if (format.starts_with("+ud")) {
    const auto member = value_at<std::int8_t>(array.buffers[0], index);
    return tree(*type.children[member], *array.children[member], value_at<std::int32_t>(array.buffers[1], index));
  }
  if (format != "+s") return text_at(type, array, index);
  std::string all;
  for (std::int64_t i = 0; i < type.n_children; ++i) {
    const std::string_view name{type.children[i]->name};
    constexpr std::array shown{"xdbc_type_name",  "xdbc_column_size",      "xdbc_decimal_digits",    "xdbc_is_nullable",
                               "xdbc_column_def", "xdbc_is_autoincrement", "xdbc_is_generatedcolumn"};
    if (name.starts_with("xdbc_") && std::find(shown.begin(), shown.end(), name) == shown.end()) continue;
    all += (all.empty() ? "" : ", ") + std::string{name} + ": " + tree(*type.children[i], *array.children[i], index);
  }
  return '{' + all + '}';
}
lines trees(ArrowArrayStream& from) {
  lines all;
  owned<ArrowSchema> schema;
  if (from.get_schema(&from, &schema) != 0) throw std::runtime_error{from.get_last_error(&from)};
  for (;;) {
    owned<ArrowArray> batch;
    if (from.get_next(&from, &batch) != 0) throw std::runtime_error{from.get_last_error(&from)};
    if (batch->release == nullptr) return all;
    for (std::int64_t i = 0; i < batch->length; ++i) all.push_back(tree(*schema, *batch, i));
  }
}

struct wanted {
  int depth{0};
  const char* catalog{"sluice"};
  const char* schema{"adbc_meta"};
  const char* table{};
  std::vector<const char*> types{};
  const char* column{};
};
lines objects_of(adbc_connection& on, wanted what) {
  owned_stream rows;
  what.types.push_back(nullptr);
  call(driver().ConnectionGetObjects, &on, what.depth, what.catalog, what.schema, what.table,
       what.types.size() == 1 ? nullptr : what.types.data(), what.column, &rows);
  return trees(*&rows);
}

class AdbcMetadata : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(
        "create schema adbc_meta; set search_path = adbc_meta; "
        "create table parent (a int, b text, primary key (b, a)); "
        "create table child (id serial, n numeric(8,3) default 1.5, v varchar(9) not null, a int, b text, "
        "g int generated always as (a + 1) stored, constraint fk foreign key (b, a) references parent, "
        "constraint once unique (id), constraint positive check (n > 0)); "
        "comment on column child.n is 'a number'; "
        "create view seen as select id from child; create materialized view kept as select 1 x; "
        "create table parted (id int) partition by range (id); create table \"a\\b\" (x int)");
  }
};

TEST_F(AdbcMetadata, InformationIsAUnionOfValues) {
  adbc_connection on;
  owned_stream all;
  call(driver().ConnectionGetInfo, &on, nullptr, std::size_t{0}, &all);
  EXPECT_EQ(trees(*&all).size(), 7U);
  const std::array<std::uint32_t, 5> codes{103, 0, 1, 3, 9'999};
  owned_stream some;
  call(driver().ConnectionGetInfo, &on, codes.data(), codes.size(), &some);
  EXPECT_EQ(trees(*&some), (lines{"{info_name: 0, info_value: PostgreSQL}",
                                  "{info_name: 1, info_value: " + psql("show server_version") + "}",
                                  "{info_name: 3, info_value: t}", "{info_name: 103, info_value: 1001000}"}));
  owned_stream none;
  call(driver().ConnectionGetInfo, &on, codes.data(), std::size_t{0}, &none);
  EXPECT_EQ(trees(*&none), lines{});
  owned_stream types;
  call(driver().ConnectionGetTableTypes, &on, &types);
  EXPECT_EQ(trees(*&types).front(), "{table_type: table}");
}

TEST_F(AdbcMetadata, ObjectsAreNestedAsDeepAsIsWanted) {
  adbc_connection on;
  EXPECT_EQ(objects_of(on, {.depth = 1}), lines{"{catalog_name: sluice, catalog_db_schemas: null}"});
  EXPECT_EQ(objects_of(on, {.depth = 2}),
            lines{"{catalog_name: sluice, catalog_db_schemas: [{db_schema_name: adbc_meta, db_schema_tables: null}]}"});
  const auto tables = [](const std::string& all) {
    return "{catalog_name: sluice, catalog_db_schemas: [{db_schema_name: adbc_meta, db_schema_tables: [" + all + "]}]}";
  };
  const auto table = [](const std::string& name, const std::string& type) {
    return "{table_name: " + name + ", table_type: " + type + ", table_columns: null, table_constraints: null}";
  };
  EXPECT_EQ(objects_of(on, {.depth = 3}),
            lines{tables(table("a\\b", "table") + ", " + table("child", "table") + ", " +
                         table("kept", "materialized_view") + ", " + table("parent", "table") + ", " +
                         table("parted", "partitioned_table") + ", " + table("seen", "view"))});
  EXPECT_EQ(objects_of(on, {.depth = 3, .types = {"view", "partitioned_table"}}),
            lines{tables(table("parted", "partitioned_table") + ", " + table("seen", "view"))});
  EXPECT_EQ(objects_of(on, {.depth = 3, .table = "par%"}),
            lines{tables(table("parent", "table") + ", " + table("parted", "partitioned_table"))});
  EXPECT_EQ(objects_of(on, {.depth = 3, .table = "s__n"}), lines{tables(table("seen", "view"))});
  EXPECT_EQ(objects_of(on, {.depth = 3, .table = "a\\b"}), lines{tables(table("a\\b", "table"))});
  EXPECT_EQ(objects_of(on, {.depth = 3, .table = "none"}), lines{tables("")});
  EXPECT_EQ(objects_of(on, {.depth = 2, .schema = "none"}), lines{"{catalog_name: sluice, catalog_db_schemas: []}"});
  EXPECT_EQ(objects_of(on, {.depth = 0, .catalog = "none"}), lines{});
  EXPECT_EQ(objects_of(on, {.depth = 2, .catalog = "postgres"}),
            lines{"{catalog_name: postgres, catalog_db_schemas: []}"});
  EXPECT_EQ(
      objects_of(on, {.depth = 2, .schema = "pg_catalog"}),
      lines{"{catalog_name: sluice, catalog_db_schemas: [{db_schema_name: pg_catalog, db_schema_tables: null}]}"});
  owned_stream rows;
  refusal(status::invalid_argument, driver().ConnectionGetObjects, &on, 4, nullptr, nullptr, nullptr, nullptr, nullptr,
          &rows);
}

TEST_F(AdbcMetadata, ColumnsAndConstraintsAreThoseOfTheCatalog) {
  adbc_connection on;
  const auto column = [](const std::string& name, int at, const std::string& rest) {
    return "{column_name: " + name + ", ordinal_position: " + std::to_string(at) + ", " + rest + "}";
  };
  const std::string plain =
      "xdbc_column_def: null, xdbc_is_nullable: YES, xdbc_is_autoincrement: f, xdbc_is_generatedcolumn: ";
  EXPECT_EQ(
      objects_of(on, {.table = "child"}),
      lines{
          "{catalog_name: sluice, catalog_db_schemas: [{db_schema_name: adbc_meta, db_schema_tables: [{table_name: "
          "child, "
          "table_type: table, table_columns: [" +
          column("id", 1,
                 "remarks: null, xdbc_type_name: integer, xdbc_column_size: 10, xdbc_decimal_digits: 0, "
                 "xdbc_column_def: nextval('adbc_meta.child_id_seq'::regclass), xdbc_is_nullable: NO, "
                 "xdbc_is_autoincrement: t, xdbc_is_generatedcolumn: f") +
          ", " +
          column("n", 2,
                 "remarks: a number, xdbc_type_name: numeric, xdbc_column_size: 8, xdbc_decimal_digits: 3, "
                 "xdbc_column_def: 1.5, xdbc_is_nullable: YES, xdbc_is_autoincrement: f, "
                 "xdbc_is_generatedcolumn: f") +
          ", " +
          column("v", 3,
                 "remarks: null, xdbc_type_name: character varying, xdbc_column_size: 9, xdbc_decimal_digits: null, "
                 "xdbc_column_def: null, xdbc_is_nullable: NO, xdbc_is_autoincrement: f, "
                 "xdbc_is_generatedcolumn: f") +
          ", " +
          column(
              "a", 4,
              "remarks: null, xdbc_type_name: integer, xdbc_column_size: 10, xdbc_decimal_digits: 0, " + plain + "f") +
          ", " +
          column("b", 5,
                 "remarks: null, xdbc_type_name: text, xdbc_column_size: null, xdbc_decimal_digits: null, " + plain +
                     "f") +
          ", " +
          column(
              "g", 6,
              "remarks: null, xdbc_type_name: integer, xdbc_column_size: 10, xdbc_decimal_digits: 0, " + plain + "t") +
          "], table_constraints: [{constraint_name: fk, constraint_type: FOREIGN KEY, constraint_column_names: [b, a], "
          "constraint_column_usage: [{fk_catalog: sluice, fk_db_schema: adbc_meta, fk_table: parent, fk_column_name: "
          "b}, "
          "{fk_catalog: sluice, fk_db_schema: adbc_meta, fk_table: parent, fk_column_name: a}]}, "
          "{constraint_name: once, constraint_type: UNIQUE, constraint_column_names: [id], constraint_column_usage: "
          "null}, "
          "{constraint_name: positive, constraint_type: CHECK, constraint_column_names: [n], constraint_column_usage: "
          "null}]}]}]}"});
  const std::string filtered = objects_of(on, {.table = "child", .column = "_"}).at(0);
  EXPECT_EQ(filtered.find("column_name: id"), std::string::npos);
  EXPECT_NE(filtered.find("column_name: g"), std::string::npos);
}

TEST_F(AdbcMetadata, TheSchemaOfATableIsThatOfItsRows) {
  adbc_connection on;
  owned<ArrowSchema> schema;
  call(driver().ConnectionGetTableSchema, &on, "sluice", "adbc_meta", "child", &schema);
  ASSERT_EQ(schema->n_children, 6);
  EXPECT_STREQ(schema->children[1]->name, "n");
  EXPECT_STREQ(schema->children[1]->format, "d:8,3");
  refusal(status::not_found, driver().ConnectionGetTableSchema, &on, nullptr, "adbc_meta", "none", &*schema);
  refusal(status::not_found, driver().ConnectionGetTableSchema, &on, "postgres", nullptr, "child", &*schema);
  refusal(status::invalid_argument, driver().ConnectionGetTableSchema, &on, nullptr, nullptr, nullptr, &*schema);
}

TEST_F(AdbcMetadata, OptionsAreReadBackInEveryType) {
  adbc_connection on{{{"sluice.max_rows", "77"}}};
  EXPECT_EQ(on.get("sluice.max_rows"), "77");
  EXPECT_EQ(on.get("adbc.connection.autocommit"), "true");
  EXPECT_EQ(on.get("adbc.connection.catalog"), "sluice");
  EXPECT_EQ(on.get("adbc.connection.db_schema"), "public");
  on.set("adbc.connection.db_schema", "adbc_meta");
  EXPECT_EQ(on.get("adbc.connection.db_schema"), "adbc_meta");
  EXPECT_EQ(result_of(on, "select count(*) from parent").rows.size(), 1U);
  on.set("adbc.connection.catalog", "sluice");
  refusal(status::not_implemented, driver().ConnectionSetOption, &on, "adbc.connection.catalog", "postgres");
  adbc_statement run{on};
  std::int64_t number = 0;
  call(driver().StatementGetOptionInt, &run, "sluice.max_rows", &number);
  EXPECT_EQ(number, 77);
  call(driver().StatementSetOptionInt, &run, "sluice.max_rows", std::int64_t{5});
  double real = 0;
  call(driver().StatementGetOptionDouble, &run, "sluice.max_rows", &real);
  EXPECT_EQ(real, 5.0);
  EXPECT_EQ(on.get("sluice.max_rows"), "77");
  std::array<char, 4> small{'x', 'x', 'x', 'x'};
  std::size_t size = 3;
  call(driver().StatementGetOption, &run, "sluice.fetch_mode", small.data(), &size);
  EXPECT_EQ(size, 6U);
  EXPECT_EQ(small[0], 'x') << "not written, because it does not fit";
  std::array<std::uint8_t, 16> bytes{};
  size = bytes.size();
  call(driver().StatementGetOptionBytes, &run, "sluice.fetch_mode", bytes.data(), &size);
  EXPECT_EQ(size, 5U);
  refusal(status::not_found, driver().StatementGetOption, &run, "none", small.data(), &size);
  refusal(status::not_found, driver().StatementGetOptionInt, &run, "sluice.fetch_mode", &number);
  refusal(status::not_implemented, driver().StatementSetOption, &run, "none", "1");
  refusal(status::not_implemented, driver().StatementSetOptionBytes, &run, "none", bytes.data(), size);
  for (const auto& [name, value] : options{{"sluice.max_rows", "0"},
                                           {"sluice.max_rows", "1x"},
                                           {"sluice.fetch_mode", ""},
                                           {"sluice.scale", "39"},
                                           {"sluice.not_a_number", "saturate"},
                                           {"sluice.dictionaries", "yes"},
                                           {"adbc.ingest.mode", "other"}})
    refusal(status::invalid_argument, driver().StatementSetOption, &run, name.c_str(), value.c_str());
}

TEST_F(AdbcMetadata, ReadOnlyConnectionsAndIsolationLevels) {
  using namespace std::string_literals;
  const std::string prefix{"adbc.connection.transaction.isolation."};
  const std::string option{"adbc.connection.transaction.isolation_level"};
  adbc_connection on{{}, {{"adbc.connection.readonly", "true"}, {option, prefix + "serializable"}}};
  EXPECT_EQ(on.get("adbc.connection.readonly"), "true");
  adbc_statement run{on, "create table adbc_never (id int)"};
  refusal(status::invalid_state, driver().StatementExecuteQuery, &run, nullptr, nullptr);
  on.set("adbc.connection.readonly", "false");
  for (const auto& [level, shown] : options{{"serializable", "serializable"},
                                            {"snapshot", "repeatable read"},
                                            {"read_uncommitted", "read uncommitted"},
                                            {"default", "read committed"}}) {
    on.set(option, prefix + level);
    EXPECT_EQ(on.get(option.c_str()), prefix + level);
    for (const char* autocommit : {"true", "false"}) {
      on.set("adbc.connection.autocommit", autocommit);
      EXPECT_EQ(result_of(on, "show transaction_isolation").rows, lines{"("s + shown + ")"}) << level;
    }
    refusal(status::invalid_state, driver().ConnectionSetOption, &on, option.c_str(), (prefix + "default").c_str());
    on.set("adbc.connection.autocommit", "true");
  }
  refusal(status::not_implemented, driver().ConnectionSetOption, &on, option.c_str(),
          (prefix + "linearizable").c_str());
}

TEST_F(AdbcMetadata, UserAndPasswordMayBeApartFromTheUri) {
  AdbcDatabase database{};
  call(driver().DatabaseNew, &database);
  const std::string uri = "postgresql://127.0.0.1:" + cluster_value("SLUICE_TEST_PORT") + "/sluice";
  call(driver().DatabaseSetOption, &database, "uri", uri.c_str());
  call(driver().DatabaseSetOption, &database, "username", "scram_user");
  call(driver().DatabaseSetOption, &database, "password", "wrong");
  call(driver().DatabaseInit, &database);
  AdbcConnection on{};
  call(driver().ConnectionNew, &on);
  refusal(status::unauthenticated, driver().ConnectionInit, &on, &database);
  call(driver().DatabaseSetOption, &database, "password", "secret");
  refusal(status::invalid_state, driver().ConnectionInit, &on, &database);  // the database has changed
  call(driver().DatabaseInit, &database);
  call(driver().ConnectionInit, &on, &database);
  std::array<char, 64> value{};
  std::size_t size = value.size();
  refusal(status::not_found, driver().DatabaseGetOption, &database, "password", value.data(), &size);
  call(driver().DatabaseRelease, &database);
  call(driver().ConnectionRelease, &on);
}

}  // namespace
