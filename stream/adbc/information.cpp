#include <string_view>
#include <utility>

#include "adbc/execution.hpp"
#include "adbc/metadata.hpp"

namespace sluice::adbc {

namespace {

enum member : std::int8_t { text_member, bool_member, int64_member };

/// The union of all kinds of values that the standard has.
std::unique_ptr<column_tree> empty_information() {
  using enum column_tree::nulls;
  auto made = std::make_unique<column_tree>("+s", "");
  made->add("I", "info_name", none);
  column_tree& value = made->add("+ud:0,1,2,3,4,5", "info_value");
  value.add("u", "string_value");
  value.add("b", "bool_value");
  value.add("l", "int64_value");
  value.add("i", "int32_bitmask");
  value.add("+l", "string_list").add("u", "item");
  column_tree& entries = value.add("+m", "int32_to_int32_list_map").add("+s", "entries", none);
  entries.add("i", "key", none);
  entries.add("+l", "value").add("i", "item");
  return made;
}

}  // namespace

std::unique_ptr<column_tree> information(session& on, const std::optional<std::set<std::uint32_t>>& codes) {
  auto made = empty_information();
  column_tree& value = made->child(1);
  const auto add = [&](info code, member kind, const auto& append) {
    if (codes && !codes->contains(static_cast<std::uint32_t>(code))) return;
    made->child(0).number(static_cast<std::uint32_t>(code));
    append(value.child(static_cast<std::size_t>(kind)));
    value.end_union(kind);
    made->end_struct();
  };
  const auto add_text = [&](info code, std::string_view text) {
    add(code, text_member, [&](column_tree& to) { to.text(text); });
  };
  add_text(info::vendor_name, "PostgreSQL");
  add_text(info::vendor_version, on.connection().parameter("server_version"));
  add(info::vendor_sql, bool_member, [](column_tree& to) { to.boolean(true); });
  add(info::vendor_substrait, bool_member, [](column_tree& to) { to.boolean(false); });
  add_text(info::driver_name, "sluice");
  add_text(info::driver_version, SLUICE_VERSION);
  add(info::driver_adbc_version, int64_member, [](column_tree& to) { to.number(std::int64_t{version_1_1}); });
  return made;
}

std::vector<relation_kind> relation_kinds() {
  return {
      {'r', "table"}, {'v', "view"}, {'m', "materialized_view"}, {'f', "foreign_table"}, {'p', "partitioned_table"}};
}

std::unique_ptr<column_tree> table_types() {
  auto made = std::make_unique<column_tree>("+s", "");
  column_tree& names = made->add("u", "table_type", column_tree::nulls::none);
  for (const relation_kind& each : relation_kinds()) {
    names.text(each.name);
    made->end_struct();
  }
  return made;
}

arrow_schema table_schema(session& on, const char* catalog, const char* schema, const std::string& table,
                          const settings& how) {
  if (catalog != nullptr && catalog != on.catalog())
    throw failure{status::not_found, "the connection is to another database than \"" + std::string{catalog} + '"'};
  const std::string in = schema == nullptr || *schema == '\0' ? "" : quote_identifier(schema) + '.';
  return schema_of(describe(on, sql("select * from " + in + quote_identifier(table)), how), how);
}

}  // namespace sluice::adbc
