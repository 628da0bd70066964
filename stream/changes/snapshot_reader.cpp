#include "changes/snapshot_reader.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include <sluice/stream/columns.hpp>
#include <sluice/stream/query.hpp>

#include "changes/replication_slot.hpp"
#include "query/quoting.hpp"

namespace sluice::detail {

namespace {

/// A row for each column of each table, in order.
std::string question_about_tables(const std::vector<std::string>& publications, std::uint32_t server_version) {
  constexpr std::uint32_t has_column_lists = 150000;
  constexpr std::uint32_t has_roots = 130000;
  const std::string parts = server_version >= has_column_lists
                                ? "pg_catalog.bool_or(rowfilter is null), pg_catalog.string_agg(rowfilter, ') or (')"
                                : "true, null::pg_catalog.text";
  const std::string is_published =
      server_version >= has_column_lists ? " and a.attname operator(pg_catalog.=) any(t.columns)" : "";
  const std::string columns = server_version >= has_column_lists ? ", attnames" : "";
  // A partition that another of the publications has is told as its root.
  const std::string is_no_part_of_another =
      server_version >= has_roots
          ? " and not exists (select from pg_catalog.pg_partition_ancestors(c.oid) up (relid) join pg_catalog.pg_class"
            " u on u.oid operator(pg_catalog.=) up.relid and u.oid operator(pg_catalog.<>) c.oid join"
            " pg_catalog.pg_namespace v on v.oid operator(pg_catalog.=) u.relnamespace join t root on root.schema"
            " operator(pg_catalog.=) v.nspname and root.name operator(pg_catalog.=) u.relname)"
          : "";
  return "with t (schema, name, has_all, filter" + std::string{columns.empty() ? "" : ", columns"} +
         ") as (select schemaname, tablename, " + parts + columns +
         " from pg_catalog.pg_publication_tables where pubname operator(pg_catalog.=) any(" +
         names_in_sql(publications) + ") group by schemaname, tablename" + columns +
         ") select c.oid::pg_catalog.int8, t.schema::pg_catalog.text, t.name::pg_catalog.text,"
         " c.relkind operator(pg_catalog.=) 'p', c.relreplident::pg_catalog.text,"
         " case when not t.has_all then '(' operator(pg_catalog.||) t.filter operator(pg_catalog.||) ')' end,"
         " a.attname::pg_catalog.text, a.atttypid::pg_catalog.int8, a.atttypmod,"
         " c.relreplident operator(pg_catalog.=) 'f' or exists (select from pg_catalog.pg_index i where i.indrelid"
         " operator(pg_catalog.=) c.oid and (case c.relreplident when 'd' then i.indisprimary when 'i' then"
         " i.indisreplident else false end) and a.attnum operator(pg_catalog.=) any(i.indkey))"
         " from t join pg_catalog.pg_namespace n on n.nspname operator(pg_catalog.=) t.schema"
         " join pg_catalog.pg_class c on c.relnamespace operator(pg_catalog.=) n.oid and c.relname"
         " operator(pg_catalog.=) t.name join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) c.oid"
         " and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped and a.attgenerated operator(pg_catalog.=) ''" +
         is_published + is_no_part_of_another + " order by t.schema, t.name, a.attnum";
}

replica_identity identity_of(std::string_view told) noexcept {
  if (told == "f") return replica_identity::full;
  if (told == "n") return replica_identity::nothing;
  return told == "i" ? replica_identity::index : replica_identity::primary_key;
}

}  // namespace

std::string rows_of(const published_table& table) {
  std::string sql{"select "};
  for (const changed_relation::column& each : table.relation.columns)
    sql.append(sql.back() == ' ' ? "" : ",").append(quote_identifier(each.name));
  sql.append(" from ").append(table.is_partitioned ? "" : "only ");
  sql.append(quote_identifier(table.relation.schema)).append(1, '.').append(quote_identifier(table.relation.name));
  if (!table.filter.empty()) sql.append(" where ").append(table.filter);
  return sql;
}

asio::awaitable<void> snapshot_reader::begin(conninfo where, connection_options how, std::string snapshot,
                                             std::vector<std::string> publications, std::uint32_t server_version) {
  connection made = co_await connect(where, how);
  connection_.emplace(std::move(made));
  transaction tx =
      co_await connection_->begin(transaction_options{.isolation = isolation::repeatable_read, .read_only = true});
  transaction_.emplace(std::move(tx));
  const query opening = sql("set transaction snapshot " + quote_literal(snapshot));
  (void)co_await transaction_->execute(opening);
  co_await find_tables(question_about_tables(publications, server_version));
}

asio::awaitable<void> snapshot_reader::find_tables(std::string question) {
  using std::string_view;
  const query asked = sql(std::move(question)).as_columns();
  row_stream answer = co_await transaction_->stream(asked);
  while (const chunk some = co_await answer.next()) {
    for (const row each : some) {
      const auto [id, schema, name, is_partitioned, identity, filter, column, type, modifier, is_key] =
          each.get<std::int64_t, string_view, string_view, bool, string_view, std::optional<string_view>, string_view,
                   std::int64_t, std::int32_t, bool>();
      if (tables_.empty() || tables_.back().relation.id != id) {
        published_table& table = tables_.emplace_back();
        table.relation.id = static_cast<std::uint32_t>(id);
        table.relation.schema = schema;
        table.relation.name = name;
        table.relation.identity = identity_of(identity);
        table.is_partitioned = is_partitioned;
        table.filter = filter.value_or("");
      }
      tables_.back().relation.columns.push_back({.name = std::string{column},
                                                 .type = static_cast<std::uint32_t>(type),
                                                 .modifier = modifier,
                                                 .is_key = is_key});
    }
  }
}

asio::awaitable<chunk> snapshot_reader::next() {
  for (;;) {
    if (rows_) {
      const chunk some = co_await rows_->next();
      if (some) co_return some;
      rows_.reset();
    }
    if (next_ == tables_.size()) {
      transaction_.reset();
      connection_.reset();
      co_return chunk{};
    }
    const published_table& table = tables_[next_++];
    relation_ = std::make_unique<relation_rows>(table.relation, type_catalog{}, session_settings{});
    const query all = sql(rows_of(table)).as_object();
    row_stream rows = co_await transaction_->stream(all);
    rows_.emplace(std::move(rows));
  }
}

}  // namespace sluice::detail
