#include "adbc/ingest.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/stream/columns.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/query.hpp>

namespace sluice::adbc {

namespace {

struct named_mode {
  std::string_view name;
  ingest_target::mode value;
};
constexpr std::array ingest_modes{named_mode{"adbc.ingest.mode.create", ingest_target::mode::create},
                                  named_mode{"adbc.ingest.mode.append", ingest_target::mode::append},
                                  named_mode{"adbc.ingest.mode.replace", ingest_target::mode::replace},
                                  named_mode{"adbc.ingest.mode.create_append", ingest_target::mode::create_or_append}};
constexpr std::string_view table_option{"adbc.ingest.target_table"};
constexpr std::string_view mode_option{"adbc.ingest.mode"};
constexpr std::string_view catalog_option{"adbc.ingest.target_catalog"};
constexpr std::string_view schema_option{"adbc.ingest.target_db_schema"};
constexpr std::string_view temporary_option{"adbc.ingest.temporary"};

std::string qualified(const ingest_target& where) {
  const std::string table = quote_identifier(where.table);
  if (where.is_temporary) return "pg_temp." + table;
  return where.schema.empty() ? table : quote_identifier(where.schema) + '.' + table;
}

std::string create_table(const ingest_target& where, const input_batch& from) {
  std::string statements;
  if (where.how == ingest_target::mode::replace) statements += "drop table if exists " + qualified(where) + ";\n";
  statements += "create ";
  if (where.is_temporary) statements += "temporary ";
  statements += "table ";
  if (where.how == ingest_target::mode::create_or_append) statements += "if not exists ";
  statements += where.is_temporary ? quote_identifier(where.table) : qualified(where);
  std::string_view before{" ("};
  for (const input_column& each : from.columns()) {
    statements += before;
    statements += quote_identifier(each.name()) + ' ' + each.sql_type();
    before = ", ";
  }
  return statements + ')';
}

void require_possible(session& on, const ingest_target& where, const input_batch& from) {
  if (from.columns().empty()) throw failure{status::invalid_argument, "there are no columns to write"};
  if (where.is_temporary && (!where.schema.empty() || !where.catalog.empty()))
    throw failure{status::invalid_state, "a temporary table cannot be in a schema or a database of choice"};
  if (!where.catalog.empty() && where.catalog != on.catalog())
    throw failure{status::not_found, "the connection is to another database than \"" + where.catalog + '"'};
}

/// Names the schema of a table that only the search path would say, because a temporary table of the same name comes
/// first there, and the rows are not meant for it.
void find_schema(blocking_transaction& in, ingest_target& where, const query_options& options) {
  if (where.is_temporary || !where.schema.empty()) return;
  const query question =
      sql("select coalesce((select n.nspname from pg_catalog.unnest(pg_catalog.current_schemas(true)) with ordinality "
          "p(schema, at) join pg_catalog.pg_namespace n on n.nspname = p.schema join pg_catalog.pg_class c on "
          "c.relnamespace = n.oid where $2::pg_catalog.bool and c.relname::pg_catalog.text = $1::pg_catalog.text and "
          "c.relpersistence <> 't' order by p.at limit 1), case when $3::pg_catalog.bool then "
          "pg_catalog.current_schema() end)::pg_catalog.text",
          where.table, where.how != ingest_target::mode::create, where.how != ingest_target::mode::append);
  row_range rows = in.stream(query{question}.as_text_columns(), options);
  while (const chunk some = rows.next())
    for (const row each : some) where.schema = each.get<std::optional<std::string>>(0).value_or("");
}

}  // namespace

bool ingest_target::set(std::string_view name, std::string_view value) {
  if (name == table_option)
    table = value;
  else if (name == catalog_option)
    catalog = value;
  else if (name == schema_option)
    schema = value;
  else if (name == temporary_option)
    is_temporary = as_bool(name, value);
  else if (name == mode_option) {
    const auto* const found = std::ranges::find(ingest_modes, value, &named_mode::name);
    if (found == ingest_modes.end()) bad_option(name, value);
    how = found->value;
  } else {
    return false;
  }
  return true;
}

std::optional<std::string> ingest_target::get(std::string_view name) const {
  if (name == table_option) return table;
  if (name == catalog_option) return catalog;
  if (name == schema_option) return schema;
  if (name == temporary_option) return std::string{show(is_temporary)};
  if (name == mode_option) return std::string{std::ranges::find(ingest_modes, how, &named_mode::value)->name};
  return std::nullopt;
}

std::uint64_t ingest(session& on, const ingest_target& where, bound_rows& from, const settings& how) {
  const input_batch& batch = from.batch();
  require_possible(on, where, batch);
  std::vector<std::string> columns;
  for (const input_column& each : batch.columns()) columns.push_back(each.name());
  const query_options options{.timeout = how.run.timeout};
  return on.in_one_transaction([&](blocking_transaction& in) {
    ingest_target found = where;
    find_schema(in, found, options);
    if (found.how != ingest_target::mode::append) (void)in.execute(create_table(found, batch), options);
    blocking_copy_writer to = in.copy_into(qualified(found), columns, options);
    while (from.advance()) to.write_each([&](binary_place& place, std::size_t column) { from.write(place, column); });
    return to.finish();
  });
}

}  // namespace sluice::adbc
