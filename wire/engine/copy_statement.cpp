#include "engine/copy_statement.hpp"

#include <vector>

#include <sluice/proto/oid.hpp>
#include "engine/sql_parameters.hpp"

namespace sluice::wire {

namespace {

/// The newline that follows it everywhere ends a comment.
std::string_view without_end(std::string_view query) {
  const std::size_t last = query.find_last_not_of("; \n\r\t\f\v");
  return query.substr(0, last + 1);
}

std::string setting(std::size_t number) { return "'sluice.parameter_" + std::to_string(number) + '\''; }

}  // namespace

std::string as_objects(std::string_view query) {
  return "with q as (" + std::string{without_end(query)} +
         "\n) select pg_catalog.row_to_json(q.*) from q";  // q alone may be a column
}

std::string as_text(std::string_view query) {
  return "with q(document) as (" + std::string{without_end(query)} + "\n) select q.document::pg_catalog.text from q";
}

proto::fault encode_settings(std::span<const proto::parameter> values, proto::output& out) {
  std::string sql;
  std::vector<proto::parameter> carried;
  std::vector<std::uint32_t> types;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].value) continue;
    carried.push_back(values[i]);
    types.push_back(values[i].binary ? proto::oid::bytea : proto::oid::text);
    sql += (sql.empty() ? "select " : ", ") + ("pg_catalog.set_config(" + setting(i + 1)) + ", $" +
           std::to_string(carried.size()) + "::pg_catalog.text, true)";
  }
  if (carried.empty()) return {};
  if (const proto::fault why = proto::encode(proto::parse{.sql = sql, .parameter_types = types}, out)) return why;
  if (const proto::fault why = proto::encode(proto::bind{.parameters = carried}, out)) return why;
  return proto::encode(proto::execute{}, out);
}

std::string with_settings(std::string_view query, std::span<const carried_parameter> parameters) {
  return with_parameters(query, parameters.size(), backslashes::ordinary, [&](std::size_t number) {
    const carried_parameter& parameter = parameters[number - 1];
    const std::string value = parameter.is_null ? "null" : "pg_catalog.current_setting(" + setting(number) + ')';
    return '(' + value + "::" + parameter.type_name + ')';
  });
}

std::string names_of_types(std::span<const carried_parameter> parameters) {
  std::string types;
  for (const carried_parameter& each : parameters)
    if (each.type_name.empty()) types += (types.empty() ? "" : ",") + std::to_string(each.type);
  return "select t.oid, pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(t.typname)) "
         "from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) t.typnamespace "
         "where t.oid operator(pg_catalog.=) any ('{" +
         types + "}'::pg_catalog.oid[])";
}

std::string copy_of(std::string_view query) {
  return "copy (" + std::string{without_end(query)} + "\n) to stdout (format binary)";
}

std::string copy_of_table(std::string_view table) {
  return "copy " + std::string{table} + " to stdout (format binary)";
}

}  // namespace sluice::wire
