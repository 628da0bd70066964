#include "query/copy_sql.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <sluice/stream/columns.hpp>
#include <sluice/wire/error.hpp>

namespace sluice::detail {

namespace {

/// Functions that read a binary form which is text.
bool reads_text(std::string_view receive) noexcept {
  constexpr std::array functions{"textrecv",  "varcharrecv", "bpcharrecv", "namerecv",  "enum_recv",
                                 "json_recv", "jsonb_recv",  "xml_recv",   "citextrecv"};
  return std::ranges::find(functions, receive) != functions.end();
}

// A column's type is the one under its domain, and so is an element's. typreceive tells how a binary form is read.
constexpr std::string_view columns_sql{R"(
with recursive under(at, elem, oid, base, receive, element) as (
  select a.attnum, false, t.oid, case when t.typtype = 'd' then t.typbasetype end, t.typreceive,
         case when t.typreceive = 'pg_catalog.array_recv'::pg_catalog.regproc then t.typelem end
  from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
  where a.attrelid = $1::pg_catalog.text::pg_catalog.regclass and a.attnum > 0 and not a.attisdropped
    and a.attgenerated = ''
  union all
  select u.at, u.elem or u.base is null, t.oid, case when t.typtype = 'd' then t.typbasetype end, t.typreceive,
         case when t.typreceive = 'pg_catalog.array_recv'::pg_catalog.regproc and u.base is not null then t.typelem end
  from under u join pg_catalog.pg_type t on t.oid = coalesce(u.base, u.element)
)
select a.attname::pg_catalog.text, pg_catalog.format_type(a.atttypid, null), c.oid::pg_catalog.int8,
       c.receive::pg_catalog.text, e.oid::pg_catalog.int8, e.receive::pg_catalog.text
from pg_catalog.pg_attribute a
join under c on c.at = a.attnum and not c.elem and c.base is null
left join under e on e.at = a.attnum and e.elem and e.base is null
where a.attrelid = $1::pg_catalog.text::pg_catalog.regclass
order by a.attnum)"};

std::string unqualified(std::string_view function) { return std::string{function.substr(function.rfind('.') + 1)}; }

}  // namespace

copy_target::copy_target(std::string_view table, std::vector<std::string> columns)
    : table_{relation{table}.qualified_name()}, wanted_{std::move(columns)} {}

query copy_target::question() const { return sql(std::string{columns_sql}, table_).as_columns(); }

void copy_target::note(const row& answer) {
  const auto [name, type, oid, receive, element, receive_element] =
      answer.get<std::string, std::string, std::int64_t, std::string, std::optional<std::int64_t>,
                 std::optional<std::string>>();
  written_column column{.name = name,
                        .type_name = type,
                        .type = {.oid = static_cast<std::uint32_t>(oid), .is_text = reads_text(unqualified(receive))}};
  if (element)
    column.element = {.oid = static_cast<std::uint32_t>(*element),
                      .is_text = reads_text(unqualified(receive_element.value_or("")))};
  found_.push_back(std::move(column));
}

std::vector<written_column> copy_target::columns() const {
  if (wanted_.empty()) return found_;
  std::vector<written_column> all;
  for (const std::string& name : wanted_) {
    const auto at = std::ranges::find(found_, name, &written_column::name);
    if (at == found_.end())
      throw error{error_info{
          .code = errc::bad_column,
          .message = "the table " + table_ + " has no column " + quote_identifier(name) + " that can be written",
          .server = {},
          .connection_usable = true}};
    all.push_back(*at);
  }
  return all;
}

std::string copy_target::copy() const {
  std::string names;
  for (const written_column& each : columns()) names += (names.empty() ? " (" : ", ") + quote_identifier(each.name);
  if (!names.empty()) names += ')';
  return "copy " + table_ + names + " from stdin (format binary)";
}

}  // namespace sluice::detail
