#include <array>
#include <map>
#include <string_view>
#include <utility>

#include <sluice/stream/query.hpp>

#include "adbc/metadata.hpp"

namespace sluice::adbc {

namespace {

using field = std::optional<std::string>;
using record = std::vector<field>;
/// Records by the OID that they belong to, which is their first field.
using by_owner = std::map<std::string, std::vector<record>>;

/// The condition that a name matches a pattern; a backslash in it means nothing special.
std::string matches(std::string_view name, const std::optional<std::string>& pattern, std::vector<bind_value>& values) {
  if (!pattern) return "true";
  values.emplace_back(*pattern);
  return std::string{name} + "::pg_catalog.text like $" + std::to_string(values.size()) + "::pg_catalog.text escape ''";
}

by_owner group(text_rows rows) {
  by_owner groups;
  for (record& each : rows) groups[each.at(0).value_or("")].push_back(std::move(each));
  return groups;
}

/// Schemas of the system are only shown to those who name them.
query schemas_query(const object_filter& wanted) {
  std::vector<bind_value> values;
  std::string own =
      "(n.nspname !~ '^pg_' and n.nspname <> 'information_schema' or n.oid = pg_catalog.pg_my_temp_schema()";
  const std::string named = matches("n.nspname", wanted.schema, values);
  if (wanted.schema) own += " or n.nspname::pg_catalog.text = $1::pg_catalog.text";
  return {"select n.oid, n.nspname from pg_catalog.pg_namespace n where " + named + " and " + own + ") order by 2",
          std::move(values), query::shape::text_columns};
}

/// The tables as a common table expression `t`.
std::string tables_sql(const object_filter& wanted, std::vector<bind_value>& values) {
  std::string kinds;
  std::string names;
  for (const relation_kind& each : relation_kinds()) {
    const std::string kind = std::string{"'"} + each.in_catalog + '\'';
    kinds += (kinds.empty() ? "" : ", ") + kind;
    names += " when " + kind + " then '" + std::string{each.name} + '\'';
  }
  std::string text = "with t as (select c.oid, c.relnamespace, c.relname, case c.relkind" + names +
                     " end as kind from pg_catalog.pg_class c where c.relkind in (" + kinds + ") and " +
                     matches("c.relname", wanted.table, values) + ')';
  if (!wanted.types) return text;
  values.emplace_back(*wanted.types);
  return text + ", u as (select * from t where kind = any ($" + std::to_string(values.size()) + "::pg_catalog.text[]))";
}
query tables_query(const object_filter& wanted, std::string_view rest, bool filters_columns) {
  std::vector<bind_value> values;
  std::string text = tables_sql(wanted, values);
  if (!wanted.types) text += ", u as (select * from t)";
  text += rest;
  if (filters_columns) text += " and " + matches("a.attname", wanted.column, values) + " order by a.attrelid, a.attnum";
  return {std::move(text), std::move(values), query::shape::text_columns};
}

constexpr std::string_view list_of_tables{" select u.relnamespace, u.oid, u.relname, u.kind from u order by 1, 3"};

/// In the order of the columns that the standard prescribes, after the table. The numbers of types are those of ODBC.
constexpr std::string_view list_of_columns{R"(
, c as (
  select a.*, b.code, case when b.code in (91, 92, 93) then 9 else b.code end as verbose, case b.code when 91 then 1
         when 92 then 2 when 93 then 3 end as sub, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as def,
         nullif(a.atttypmod, -1) as mod
  from u join pg_catalog.pg_attribute a on a.attrelid = u.oid and a.attnum > 0 and not a.attisdropped
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  cross join lateral (select case a.atttypid::pg_catalog.int8
    when 16 then -7 when 21 then 5 when 23 then 4 when 20 then -5 when 700 then 7 when 701 then 8 when 1700 then 2
    when 25 then 12 when 1043 then 12 when 1042 then 1 when 17 then -3 when 1082 then 91 when 1083 then 92
    when 1114 then 93 when 1184 then 93 when 2950 then -11 end as code) b
)
select a.attrelid, a.attname, a.attnum, pg_catalog.col_description(a.attrelid, a.attnum), a.code,
  pg_catalog.format_type(a.atttypid, null),
  case a.code when 5 then 5 when 4 then 10 when -5 then 19 when 7 then 24 when 8 then 53
    when 2 then (a.mod - 4) >> 16 when 12 then a.mod - 4 when 1 then a.mod - 4 end,
  case when a.code in (5, 4, -5) then 0 when a.code = 2 then ((((a.mod - 4) & 2047) # 1024) - 1024)
    when a.code in (92, 93) then coalesce(a.mod, 6) end,
  case when a.code in (5, 4, -5, 2) then 10 when a.code in (7, 8) then 2 end,
  case when a.attnotnull then 0 else 1 end, case when a.attgenerated = '' then a.def end, a.verbose, a.sub, null,
  case when a.attnotnull then 'NO' else 'YES' end, null, null, null,
  a.attidentity <> '' or coalesce(a.def like 'nextval(%', false), a.attgenerated <> ''
from c a where true)"};

constexpr std::string_view list_of_constraints{R"(
select k.conrelid, k.oid, k.conname, case k.contype when 'c' then 'CHECK' when 'f' then 'FOREIGN KEY'
       when 'p' then 'PRIMARY KEY' when 'u' then 'UNIQUE' end, a.attname, n.nspname, f.relname, b.attname
from u join pg_catalog.pg_constraint k on k.conrelid = u.oid and k.contype in ('c', 'f', 'p', 'u')
left join lateral rows from (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey))
  with ordinality as p(here, there, at) on true
left join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = p.here
left join pg_catalog.pg_class f on f.oid = k.confrelid
left join pg_catalog.pg_namespace n on n.oid = f.relnamespace
left join pg_catalog.pg_attribute b on b.attrelid = k.confrelid and b.attnum = p.there
order by k.conrelid, k.conname, k.oid, p.at)"};

struct member_of_column {
  std::string_view format;
  std::string_view name;
};
constexpr std::array column_members{member_of_column{"u", "column_name"},
                                    member_of_column{"i", "ordinal_position"},
                                    member_of_column{"u", "remarks"},
                                    member_of_column{"s", "xdbc_data_type"},
                                    member_of_column{"u", "xdbc_type_name"},
                                    member_of_column{"i", "xdbc_column_size"},
                                    member_of_column{"s", "xdbc_decimal_digits"},
                                    member_of_column{"s", "xdbc_num_prec_radix"},
                                    member_of_column{"s", "xdbc_nullable"},
                                    member_of_column{"u", "xdbc_column_def"},
                                    member_of_column{"s", "xdbc_sql_data_type"},
                                    member_of_column{"s", "xdbc_datetime_sub"},
                                    member_of_column{"i", "xdbc_char_octet_length"},
                                    member_of_column{"u", "xdbc_is_nullable"},
                                    member_of_column{"u", "xdbc_scope_catalog"},
                                    member_of_column{"u", "xdbc_scope_schema"},
                                    member_of_column{"u", "xdbc_scope_table"},
                                    member_of_column{"b", "xdbc_is_autoincrement"},
                                    member_of_column{"b", "xdbc_is_generatedcolumn"}};

std::unique_ptr<column_tree> empty_objects() {
  using enum column_tree::nulls;
  auto made = std::make_unique<column_tree>("+s", "");
  made->add("u", "catalog_name");
  column_tree& schemas = made->add("+l", "catalog_db_schemas").add("+s", "item");
  schemas.add("u", "db_schema_name");
  column_tree& tables = schemas.add("+l", "db_schema_tables").add("+s", "item");
  tables.add("u", "table_name", none);
  tables.add("u", "table_type", none);
  column_tree& columns = tables.add("+l", "table_columns").add("+s", "item");
  for (const member_of_column& each : column_members)
    columns.add(std::string{each.format}, std::string{each.name}, &each == column_members.data() ? none : allowed);
  column_tree& constraints = tables.add("+l", "table_constraints").add("+s", "item");
  constraints.add("u", "constraint_name");
  constraints.add("u", "constraint_type", none);
  constraints.add("+l", "constraint_column_names", none).add("u", "item");
  column_tree& usage = constraints.add("+l", "constraint_column_usage").add("+s", "item");
  usage.add("u", "fk_catalog");
  usage.add("u", "fk_db_schema");
  usage.add("u", "fk_table", none);
  usage.add("u", "fk_column_name", none);
  return made;
}

void append(column_tree& to, std::string_view format, const field& value) {
  if (!value) return to.null();
  switch (format.front()) {
    case 'i': return to.number(static_cast<std::int32_t>(std::stol(*value)));
    case 's': return to.number(static_cast<std::int16_t>(std::stol(*value)));
    case 'b': return to.boolean(*value == "t");
    default: return to.text(*value);
  }
}

/// Fills the lists of the standard's tree from what the catalog has told.
class object_writer {
 public:
  object_writer(session& on, const object_filter& wanted) : catalog_{on.catalog()}, depth_{wanted.depth} {
    if (depth_ == depth::catalogs) return;
    schemas_ = on.look(schemas_query(wanted));
    if (depth_ == depth::schemas) return;
    tables_ = group(on.look(tables_query(wanted, list_of_tables, false)));
    if (depth_ == depth::tables) return;
    columns_ = group(on.look(tables_query(wanted, list_of_columns, true)));
    constraints_ = group(on.look(tables_query(wanted, list_of_constraints, false)));
  }

  void add_catalog(column_tree& to, const std::string& name) const {
    to.child(0).text(name);
    column_tree& list = to.child(1);
    if (depth_ == depth::catalogs) {
      list.null();
    } else {
      if (name == catalog_)  // nothing is known of others
        for (const record& each : schemas_) add_schema(list.child(0), each);
      list.end_list();
    }
    to.end_struct();
  }

 private:
  static const std::vector<record>& of(const by_owner& all, const field& owner) {
    static const std::vector<record> none;
    const auto found = all.find(owner.value_or(""));
    return found == all.end() ? none : found->second;
  }

  void add_schema(column_tree& to, const record& schema) const {
    to.child(0).text(schema.at(1).value_or(""));
    column_tree& list = to.child(1);
    if (depth_ == depth::schemas) {
      list.null();
    } else {
      for (const record& each : of(tables_, schema.at(0))) add_table(list.child(0), each);
      list.end_list();
    }
    to.end_struct();
  }

  void add_table(column_tree& to, const record& table) const {
    to.child(0).text(table.at(2).value_or(""));
    to.child(1).text(table.at(3).value_or(""));
    column_tree& columns = to.child(2);
    column_tree& constraints = to.child(3);
    if (depth_ == depth::tables) {
      columns.null();
      constraints.null();
    } else {
      for (const record& each : of(columns_, table.at(1))) add_column(columns.child(0), each);
      columns.end_list();
      add_constraints(constraints.child(0), of(constraints_, table.at(1)));
      constraints.end_list();
    }
    to.end_struct();
  }

  static void add_column(column_tree& to, const record& column) {
    for (std::size_t i = 0; i < column_members.size(); ++i)
      append(to.child(i), column_members[i].format, column.at(i + 1));
    to.end_struct();
  }

  /// A record for each column of a constraint.
  void add_constraints(column_tree& to, const std::vector<record>& all) const {
    for (std::size_t i = 0; i < all.size();) {
      const record& first = all[i];
      const bool is_foreign = first.at(3) == "FOREIGN KEY";
      append(to.child(0), "u", first.at(2));
      append(to.child(1), "u", first.at(3));
      column_tree& names = to.child(2);
      column_tree& usage = to.child(3);
      for (; i < all.size() && all[i].at(1) == first.at(1); ++i) {
        if (all[i].at(4)) names.child(0).text(*all[i].at(4));
        if (is_foreign) add_usage(usage.child(0), all[i]);
      }
      names.end_list();
      is_foreign ? usage.end_list() : usage.null();
      to.end_struct();
    }
  }

  void add_usage(column_tree& to, const record& key) const {
    to.child(0).text(catalog_);
    for (std::size_t i = 1; i < 4; ++i) append(to.child(i), "u", key.at(i + 4));
    to.end_struct();
  }

  std::string catalog_;
  depth depth_;
  text_rows schemas_{};
  by_owner tables_{};
  by_owner columns_{};
  by_owner constraints_{};
};

}  // namespace

std::unique_ptr<column_tree> objects(session& on, const object_filter& wanted) {
  auto made = empty_objects();
  std::vector<bind_value> values;
  std::string text = "select d.datname from pg_catalog.pg_database d where d.datallowconn and " +
                     matches("d.datname", wanted.catalog, values) + " order by 1";
  const object_writer writer{on, wanted};
  for (const record& each : on.look(query{std::move(text), std::move(values), query::shape::text_columns}))
    writer.add_catalog(*made, each.at(0).value_or(""));
  return made;
}

}  // namespace sluice::adbc
