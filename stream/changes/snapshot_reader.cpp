#include "changes/snapshot_reader.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include <sluice/stream/columns.hpp>
#include <sluice/stream/query.hpp>

#include "changes/replication_slot.hpp"
#include "parallel/parallel_reader.hpp"
#include "query/quoting.hpp"

namespace sluice::detail {

namespace {

/// A row for each column of each table, in order.
std::string question_about_tables(const std::vector<std::string>& publications, std::uint32_t server_version) {
  constexpr std::uint32_t publishes_generated_columns = 180000;  // if told to: then they are in `attnames`
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
  const std::string is_not_generated =
      server_version >= publishes_generated_columns ? "" : " and a.attgenerated operator(pg_catalog.=) ''";
  return "with t (schema, name, has_all, filter" + std::string{columns.empty() ? "" : ", columns"} +
         ") as (select schemaname, tablename, " + parts + columns +
         " from pg_catalog.pg_publication_tables where pubname operator(pg_catalog.=) any(" +
         names_in_sql(publications) + ") group by schemaname, tablename" + columns +
         ") select c.oid::pg_catalog.int8, t.schema::pg_catalog.text, t.name::pg_catalog.text,"
         " c.relkind operator(pg_catalog.=) 'p', " +
         pages_in_sql("c.oid") +
         ", c.relreplident::pg_catalog.text,"
         " case when not t.has_all then '(' operator(pg_catalog.||) t.filter operator(pg_catalog.||) ')' end,"
         " a.attname::pg_catalog.text, a.atttypid::pg_catalog.int8, a.atttypmod,"
         " c.relreplident operator(pg_catalog.=) 'f' or exists (select from pg_catalog.pg_index i where i.indrelid"
         " operator(pg_catalog.=) c.oid and (case c.relreplident when 'd' then i.indisprimary when 'i' then"
         " i.indisreplident else false end) and a.attnum operator(pg_catalog.=) any(i.indkey))"
         " from t join pg_catalog.pg_namespace n on n.nspname operator(pg_catalog.=) t.schema"
         " join pg_catalog.pg_class c on c.relnamespace operator(pg_catalog.=) n.oid and c.relname"
         " operator(pg_catalog.=) t.name join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) c.oid"
         " and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped" +
         is_not_generated + is_published + is_no_part_of_another + " order by t.schema, t.name, a.attnum";
}

replica_identity identity_of(std::string_view told) noexcept {
  if (told == "f") return replica_identity::full;
  if (told == "n") return replica_identity::nothing;
  return told == "i" ? replica_identity::index : replica_identity::primary_key;
}

}  // namespace

/// The rows of all tables, by connections that import the snapshot.
class snapshot_reader::work final : public parallel_reader {
 public:
  work(const asio::any_io_executor& on, const parallel_options& how, from what)
      : parallel_reader{on, how}, from_{std::move(what)} {}

  void start(conninfo where) { launch(std::move(where)); }
  /// @pre it has begun
  [[nodiscard]] const std::vector<published_table>& tables() const noexcept { return tables_; }

 private:
  asio::awaitable<void> open(worker& me, conninfo where) override {
    co_await connect(me, where);
    const std::string opening =
        std::string{begin_reading} + "; set transaction snapshot " + quote_literal(from_.snapshot);
    (void)co_await me.db.execute(opening, own_limits());
    co_await find_tables(me.db);
    division parts{.tasks = tasks(), .order = {}};
    co_await share(me, where, from_.snapshot, std::move(parts));
  }

  asio::awaitable<void> find_tables(connection& db) {
    using std::string_view;
    const query asked = sql(question_about_tables(from_.publications, from_.server_version)).as_columns();
    row_stream answer = co_await db.stream(asked, own_limits());
    while (const chunk some = co_await answer.next()) {
      for (const row each : some) {
        const auto [id, schema, name, is_partitioned, pages, identity, filter, column, type, modifier, is_key] =
            each.get<std::int64_t, string_view, string_view, bool, std::int64_t, string_view,
                     std::optional<string_view>, string_view, std::int64_t, std::int32_t, bool>();
        if (tables_.empty() || tables_.back().relation.id != id) {
          published_table& table = tables_.emplace_back();
          table.relation.id = static_cast<std::uint32_t>(id);
          table.relation.schema = schema;
          table.relation.name = name;
          table.relation.identity = identity_of(identity);
          table.is_partitioned = is_partitioned;
          table.pages = static_cast<std::uint64_t>(pages);
          table.filter = filter.value_or("");
        }
        tables_.back().relation.columns.push_back({.name = std::string{column},
                                                   .type = static_cast<std::uint32_t>(type),
                                                   .modifier = modifier,
                                                   .is_key = is_key});
      }
    }
  }

  [[nodiscard]] std::vector<split_task> tasks() const {
    const bool is_divided = how().connections > 1 && from_.server_version >= scans_page_ranges;
    std::vector<split_task> all;
    for (std::uint32_t i = 0; i < tables_.size(); ++i) {
      if (!is_divided) {
        all.push_back({shaped(sql(rows_of(tables_[i]))), tables_[i].pages, i});
        continue;
      }
      const std::uint64_t most = tasks_per_connection * how().connections;
      for (const page_range& each : page_ranges(tables_[i].pages, most, smallest_range))
        all.push_back({shaped(sql(rows_of(tables_[i], in_page_range), each.first, each.end)), each.pages, i});
    }
    return all;
  }
  [[nodiscard]] query shaped(query rows) const {
    return from_.wants_columns ? std::move(rows).as_described_columns() : std::move(rows).as_object();
  }

  from from_;
  std::vector<published_table> tables_;
};

std::string rows_of(const published_table& table, std::string_view condition) {
  std::string sql{"select "};
  for (const changed_relation::column& each : table.relation.columns)
    sql.append(sql.back() == ' ' ? "" : ",").append(quote_identifier(each.name));
  sql.append(" from ").append(table.is_partitioned ? "" : "only ");
  sql.append(quote_identifier(table.relation.schema)).append(1, '.').append(quote_identifier(table.relation.name));
  std::string_view joined = " where ";
  for (const std::string_view each : {std::string_view{table.filter}, condition})
    if (!each.empty()) sql.append(std::exchange(joined, " and ")).append(each);
  return sql;
}

snapshot_reader::snapshot_reader(const asio::any_io_executor& on, const connection_options& how,
                                 std::uint32_t connections, from what)
    : work_{std::make_shared<work>(on, parallel_options{.connections = connections, .connection = how},
                                   std::move(what))} {}
snapshot_reader::~snapshot_reader() { abandon(); }
void snapshot_reader::abandon() noexcept { work_->abandon(); }

asio::awaitable<void> snapshot_reader::begin(conninfo where) {
  work_->start(std::move(where));
  asio::awaitable<void> begun = parallel_work::begun(work_);
  co_await std::move(begun);
  for (const published_table& each : work_->tables())
    relations_.push_back(std::make_unique<relation_rows>(described_relation{each.relation}, type_catalog{}));
}

asio::awaitable<chunk> snapshot_reader::next() { return parallel_reader::next(work_); }
relation_rows& snapshot_reader::relation() noexcept { return *relations_[work_->table()]; }

}  // namespace sluice::detail
