#include "parallel/partition_opening.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <sluice/proto/oid.hpp>
#include <sluice/stream/columns.hpp>
#include <sluice/wire/error.hpp>

#include "query/bad_query.hpp"
#include "query/place_list.hpp"
#include "query/quoting.hpp"
#include "query/result_shape.hpp"
#include "query/sql_effect.hpp"

namespace sluice::detail {

namespace {

std::vector<bind_value> values_of(const partition_facts& of) {
  std::vector<bind_value> values;
  for (const partition_parameter& each : of.parameters) values.push_back(stored_values::restore(each));
  return values;
}

bool has_json(const partition_column& of) noexcept {
  return of.type == proto::oid::json || of.type == proto::oid::jsonb;
}

/// The names of the columns as a list in SQL: those of the places in the object that is made of them.
std::string names_of(const partition_facts& of) {
  std::string list;
  for (const std::vector<std::string>& place : of.places) {
    std::string name;
    for (const std::string& part : place) name.append(name.empty() ? "" : ".").append(part);
    constexpr std::size_t longest_name = 63;
    list.append(list.empty() ? "" : ", ")
        .append(quote_identifier(name.empty() ? "?column?" : name.substr(0, longest_name)));
  }
  return list;
}

std::string described(const std::vector<partition_column>& columns) {
  std::string list;
  for (const partition_column& each : columns) {
    const std::string_view type = proto::oid::name_of(each.type);
    list.append(list.empty() ? "" : ", ").append(each.name).append(1, ' ');
    list.append(type.empty() ? "type " + std::to_string(each.type) : std::string{type});
  }
  return list;
}

}  // namespace

partition_opening::partition_opening(std::string_view descriptor)
    : facts_{read_partition(descriptor)}, lock_{lock_of(descriptor)} {}

std::string partition_opening::name() const {
  return "partition " + std::to_string(facts_.index + 1) + " of " + std::to_string(facts_.count);
}

query partition_opening::import_snapshot() const {
  return sql("set transaction snapshot " + quote_literal(facts_.snapshot));
}

error partition_opening::import_failed(const error& why) const {
  // Invalid, not there, of another database, not to be imported: the words differ between versions of the server.
  constexpr std::array<std::string_view, 4> gone{"22023", "42704", "0A000", "55000"};
  if (why.code() != errc::server_error || std::ranges::find(gone, why.sqlstate()) == gone.end()) return why;
  return error{
      error_info{.code = errc::partition_lost,
                 .message = name() +
                            ": its snapshot is not there: it has been given up, or it is of another server, or "
                            "of another database than \"" +
                            facts_.database + "\": " + why.what(),
                 .server = why.server(),
                 .connection_usable = why.connection_usable()}};
}

query partition_opening::question() const {
  const auto key = static_cast<std::uint64_t>(lock_);
  constexpr unsigned half = 32;
  std::vector<bind_value> values{static_cast<std::int64_t>(key >> half), static_cast<std::int64_t>(key & 0xffff'ffffU)};
  std::string text{
      "with holders as (select a.usesysid from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid "
      "operator(pg_catalog.=) l.pid where l.locktype operator(pg_catalog.=) 'advisory' and l.granted and l.objsubid "
      "operator(pg_catalog.=) 1 and l.classid operator(pg_catalog.=) $1::pg_catalog.int8::pg_catalog.oid and l.objid "
      "operator(pg_catalog.=) $2::pg_catalog.int8::pg_catalog.oid and l.database operator(pg_catalog.=) (select oid "
      "from pg_catalog.pg_database where datname operator(pg_catalog.=) pg_catalog.current_database())) select "
      "exists(select from holders), exists(select from holders where pg_catalog.pg_has_role(usesysid, "
      "current_user, 'usage'))"};
  for (const auto& [setting, value] : facts_.settings) {
    values.emplace_back(setting);
    values.emplace_back(value);
    const std::string number = std::to_string(values.size());
    text.append(", pg_catalog.set_config($").append(std::to_string(values.size() - 1)).append("::pg_catalog.text, $");
    text.append(number).append("::pg_catalog.text, true)");
  }
  return query{std::move(text), std::move(values), query::shape::columns};
}

void partition_opening::take_answer(const row& answer) const {
  const auto [is_held, is_trusted] = answer.get<bool, bool>();
  if (!is_held) refuse_partition(name() + " is not vouched for: no session holds it; it is forged, or was given up");
  if (!is_trusted)
    refuse_partition(name() +
                     " is held by a role that has not all the rights of this connection's, whose SQL is not run: grant "
                     "this role to that one, or connect as that one");
}

void partition_opening::compare(std::span<const result_column> columns) const {
  const std::vector<partition_column> now = columns_of({columns.begin(), columns.end()});
  if (now == facts_.columns) return;
  throw error{error_info{.code = errc::result_changed,
                         .message = name() + ": its columns are " + described(now) + ", where it was exported with " +
                                    described(facts_.columns),
                         .server = {},
                         .connection_usable = true}};
}

query partition_opening::rows(const partition_read& how) const {
  const bool are_documents = how.as == partition_read::rows::documents;
  if (are_documents && how.formats != nullptr) refuse("a partition: formats are for its columns");
  query made{facts_.sql, values_of(facts_), facts_.is_document ? query::shape::document : query::shape::object};
  if (!are_documents && !facts_.places.empty()) made.text_ = select_from(facts_.sql, "*", names_of(facts_));
  if (are_documents && !facts_.places.empty())
    made.places_ = std::make_shared<const place_list>(
        place_list{.of_columns = facts_.places, .are_json = std::ranges::all_of(facts_.columns, has_json)});
  if (how.as == partition_read::rows::text_columns) made = std::move(made).as_text_columns();
  if (how.as == partition_read::rows::columns)
    made = how.formats == nullptr ? std::move(made).as_columns() : std::move(made).as_columns(how.formats);
  made.only_reads_ = true;
  return made;
}

std::string partition_opening::explain() const {
  return name() + ", of database \"" + facts_.database + "\", in the snapshot " + facts_.snapshot +
         "\ncolumns: " + described(facts_.columns) + '\n' + rows({}).explain();
}

void partition_opening::store(partition_facts& to, const query& what) {
  to.sql = what.text();
  to.parameters.clear();
  for (const bind_value& each : what.parameters()) to.parameters.push_back(stored_values::store(each));
  to.places.clear();
  if (what.places() != nullptr) to.places = what.places()->of_columns;
}

query partition_opening::description_of(const partition_facts& facts) {
  const std::string text = select_from(facts.sql, "*");
  if (how_to_enclose(facts.sql) != enclosing::as_subquery)
    refuse("partitions: only a query can be divided: SELECT, TABLE, VALUES, or WITH");
  query made{text + " limit 0", values_of(facts), query::shape::columns};
  made.only_reads_ = true;
  return made;
}

void partition_opening::decide_shape(partition_facts& of, const query& what) {
  of.is_document = what.rows() == query::shape::document ||
                   (what.rows() != query::shape::object && of.columns.size() == 1 && has_json(of.columns.front()));
}

}  // namespace sluice::detail
