#include "parallel/split_tasks.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/stream/columns.hpp>
#include <sluice/stream/predicate.hpp>
#include <sluice/wire/error.hpp>

#include "query/bad_query.hpp"
#include "query/predicate_node.hpp"
#include "query/result_shape.hpp"
#include "query/sorted_relation.hpp"

namespace sluice::detail {

namespace {

[[noreturn]] void refuse_to_divide(const std::string& what) { refuse("in parallel: " + what); }

/// Whether the server uses an index to find the rows of a query.
asio::awaitable<bool> is_served_by_an_index(asking on, const query& what) {
  const query explain{"explain (format json) " + what.text(), what.parameters(), query::shape::document};
  std::string plan;
  co_await first_row(on, explain, [&](row one) { plan = one.text(); });
  for (const char* node :
       {"\"Node Type\": \"Index Scan\"", "\"Node Type\": \"Index Only Scan\"", "\"Node Type\": \"Bitmap Heap Scan\""})
    if (plan.find(node) != plan.npos) co_return true;
  co_return false;
}

asio::awaitable<std::vector<split_task>> by_ctid(asking on, const whole& from) {
  struct {
    std::string kind;
    std::int64_t pages{};
    std::uint32_t version{};
  } table;
  const query ask =
      sql("select t.relkind::pg_catalog.text, " + pages_in_sql("t.oid") +
              ", pg_catalog.current_setting('server_version_num')::pg_catalog.int8 from pg_catalog.pg_class t where "
              "t.oid operator(pg_catalog.=) $1::pg_catalog.regclass::pg_catalog.oid",
          from.what.qualified_name())
          .as_columns();
  co_await first_row(on, ask, [&](row one) {
    std::tie(table.kind, table.pages, table.version) = one.get<std::string, std::int64_t, std::uint32_t>();
  });
  if (table.version < scans_page_ranges) refuse_to_divide("ranges of pages need Postgres 14: divide by a key");
  if (table.kind != "r" && table.kind != "m" && table.kind != "p")
    refuse_to_divide("only tables have pages: divide by a key or by a hash");
  const query all = from.what.build();
  const bool is_faster_on_one = co_await is_served_by_an_index(on, all);
  if (is_faster_on_one)
    refuse_to_divide(
        "the server finds these rows by an index, which one connection does faster: read them without a split");

  co_return in_pages(from, static_cast<std::uint64_t>(table.pages));
}

asio::awaitable<std::vector<split_task>> by_key(asking on, const whole& from, std::string_view path) {
  const operand key = field(path).as_numeric();
  std::optional<std::int64_t> least;
  std::optional<std::int64_t> most;
  const query ask = sql("select pg_catalog.min(k)::pg_catalog.int8, pg_catalog.max(k)::pg_catalog.int8 from (select " +
                        sortable(key.what(), from.what.documents()) + " as k from " + from.what.qualified_name() +
                        ") q where k operator(pg_catalog.>=) '-9223372036854775808'::pg_catalog.numeric and "
                        "k operator(pg_catalog.<=) '9223372036854775807'::pg_catalog.numeric")
                        .as_columns();
  co_await first_row(on, ask, [&](row one) {
    std::tie(least, most) = one.get<std::optional<std::int64_t>, std::optional<std::int64_t>>();
  });
  if (!least) co_return in_ranges(from, key, 0, 0, 1);  // no row has a key
  std::vector<split_task> parts = in_ranges(from, key, *least, *most, from.most_tasks());
  if (parts.size() <= from.connections) co_return parts;
  const bool is_cheap = co_await is_served_by_an_index(on, parts[parts.size() / 2].what);
  if (is_cheap) co_return parts;
  co_return in_ranges(from, key, *least, *most, from.connections + 1);  // each of them reads everything
}

/// Queries the types of the keys, and the collations of those that are text.
asio::awaitable<std::vector<sort_column>> order_of(asking on, const relation& what) {
  std::vector<sort_column> columns;
  for (const sorted_relation::key& key : sorted_relation::keys(what)) {
    std::uint32_t type = 0;
    std::string name;
    bool is_binary = false;
    const query ask =
        sql("select type, pg_catalog.format_type(type, null), case when c operator(pg_catalog.=) "
            "'pg_catalog.\"default\"'::pg_catalog.regcollation::pg_catalog.oid then (select datcollate from "
            "pg_catalog.pg_database where datname operator(pg_catalog.=) pg_catalog.current_database()) operator("
            "pg_catalog.=) any('{C,POSIX}'::pg_catalog.name[]) else (select collname operator(pg_catalog.=) any('{C,"
            "POSIX,ucs_basic,pg_c_utf8}'::pg_catalog.name[]) and collnamespace operator(pg_catalog.=) "
            "'pg_catalog'::pg_catalog.regnamespace::pg_catalog.oid from pg_catalog.pg_collation where oid operator("
            "pg_catalog.=) c) end is not false from (select type, case when (select typcollation from "
            "pg_catalog.pg_type where oid operator(pg_catalog.=) type) operator(pg_catalog.<>) 0::pg_catalog.oid then "
            "pg_catalog.to_regcollation(pg_catalog.pg_collation_for(k))::pg_catalog.oid end as c from (select k, "
            "pg_catalog.pg_typeof(k)::pg_catalog.oid as type from (select (select " +
            key.sql + " from " + what.qualified_name() + " limit 0) as k) q) q) q")
            .as_columns();
    co_await first_row(on, ask,
                       [&](row one) { std::tie(type, name, is_binary) = one.get<std::uint32_t, std::string, bool>(); });
    if (!is_sortable(type)) refuse_to_divide("ORDER BY " + name + " cannot be merged here: read on one connection");
    if (!is_binary)
      refuse_to_divide(
          "text is ordered by a collation that only the server knows: order by collate(\"C\"), or read on one "
          "connection");
    columns.push_back({type, key.descending, key.nulls_first});
  }
  co_return columns;
}

}  // namespace

asio::awaitable<relation> with_its_documents(asking on, relation what) {
  if (!sorted_relation::has_default_column(what)) co_return what;
  bool has_column = false;
  const query ask =
      sql("select exists(select from pg_catalog.pg_attribute where attrelid operator(pg_catalog.=) "
          "$1::pg_catalog.regclass::pg_catalog.oid and attname operator(pg_catalog.=) "
          "$2::pg_catalog.text::pg_catalog.name and attnum operator(pg_catalog.>) 0 and not attisdropped)",
          what.qualified_name(), default_column)
          .as_columns();
  co_await first_row(on, ask, [&](row one) { has_column = one.get<bool>(0); });
  co_return has_column ? std::move(what).column(std::string{default_column}) : std::move(what).of_columns();
}

asio::awaitable<division> divide(asking on, relation what, split_by how, std::uint32_t connections, bool is_exact) {
  if (connections == 0) refuse_to_divide("no connections");
  if (what.is_limited())
    refuse_to_divide("LIMIT and OFFSET ask for any rows, or for the first in an order: read them on one connection");
  if (what.is_ordered() && sorted_relation::has_formats(what))
    refuse_to_divide("columns come in no order: only documents are merged here");
  const whole from{what, connections, is_exact};
  division parts;
  if (connections == 1 && !is_exact) {
    parts.tasks.push_back(from.all());  // sorted by the server
    co_return parts;
  }
  parts.order = co_await order_of(on, what);
  switch (how.by()) {
    case split_by::kind::ctid: parts.tasks = co_await by_ctid(on, from); break;
    case split_by::kind::key: parts.tasks = co_await by_key(on, from, how.path()); break;
    case split_by::kind::hash: parts.tasks = in_buckets(from, how.path()); break;
  }
  co_return parts;
}

}  // namespace sluice::detail
