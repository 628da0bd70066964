#include "split_tasks.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <sluice/stream/columns.hpp>
#include <sluice/stream/predicate.hpp>
#include <sluice/wire/error.hpp>

#include "first_row.hpp"
#include "predicate_node.hpp"
#include "quoting.hpp"

namespace sluice::detail {

namespace {

// So many that the last ones end at about the same time, whatever they weigh.
constexpr std::uint64_t tasks_per_connection = 16;

[[noreturn]] void refuse(const std::string& what) { throw error{errc::bad_query, "in parallel: " + what}; }

/// One connection and an index bring a few rows sooner than many connections that each look at a part of the table.
asio::awaitable<void> refuse_where_an_index_serves(connection& on, const query& whole) {
  const query explain{"explain (format json) " + whole.text(), whole.parameters(), query::shape::document};
  std::string plan;
  co_await first_row(on, explain, [&](row one) { plan = one.text(); });
  for (const char* node :
       {"\"Node Type\": \"Index Scan\"", "\"Node Type\": \"Index Only Scan\"", "\"Node Type\": \"Bitmap Heap Scan\""})
    if (plan.find(node) != plan.npos)
      refuse("the server finds these rows by an index, which one connection does faster: read them without a split");
}

asio::awaitable<std::vector<split_task>> by_ctid(connection& on, const relation& what, std::uint32_t connections) {
  struct {
    std::string kind;
    std::int64_t pages{};
    std::int32_t version{};
  } table;
  const query ask = sql("select relkind::text, pg_relation_size(oid) / current_setting('block_size')::int8, "
                        "current_setting('server_version_num')::int4 from pg_class where oid = $1::regclass",
                        what.qualified_name())
                        .as_columns();
  co_await first_row(on, ask, [&](row one) {
    std::tie(table.kind, table.pages, table.version) = one.get<std::string, std::int64_t, std::int32_t>();
  });
  if (table.version < 140'000) refuse("ranges of pages need Postgres 14: divide by a key");
  if (table.kind != "r" && table.kind != "m") refuse("only tables have pages: divide by a key or by a hash");
  const query whole = what.build();
  co_await refuse_where_an_index_serves(on, whole);

  const auto pages = static_cast<std::uint64_t>(std::max<std::int64_t>(table.pages, 1));
  const std::uint64_t size = std::max<std::uint64_t>(pages / (tasks_per_connection * connections), 16);
  std::vector<split_task> tasks;
  for (std::uint64_t first = 0; first < pages; first += size) {
    std::string range = "ctid >= '(" + std::to_string(first) + ",0)'::pg_catalog.tid";
    const bool is_last = first + size >= pages;  // open: the table may have grown before its size was asked for
    if (!is_last) range += " and ctid < '(" + std::to_string(first + size) + ",0)'::pg_catalog.tid";
    relation part = what;
    part.where(sql_predicate(std::move(range)));
    tasks.push_back({part.build(), std::min(size, pages - first)});
  }
  co_return tasks;
}

asio::awaitable<std::vector<split_task>> by_key(connection& on, const relation& what, std::string_view path,
                                                std::uint32_t connections) {
  const operand key = field(path).as_int();
  std::optional<std::int64_t> least;
  std::optional<std::int64_t> most;
  const query ask = sql("select min(k)::int8, max(k)::int8 from (select " + sortable(key.what(), what.documents()) +
                        " as k from " + what.qualified_name() + ") q")
                        .as_columns();
  co_await first_row(on, ask, [&](row one) {
    std::tie(least, most) = one.get<std::optional<std::int64_t>, std::optional<std::int64_t>>();
  });

  std::vector<split_task> tasks;
  const auto add = [&](const predicate& range) {
    relation part = what;
    part.where(range);
    tasks.push_back({part.build(), 1});
  };
  if (!least) {
    tasks.push_back({what.build(), 1});
    co_return tasks;
  }
  add(!(key >= *least));  // and those that have none
  const auto width = static_cast<std::uint64_t>(*most) - static_cast<std::uint64_t>(*least);
  const std::uint64_t count = std::min(tasks_per_connection * connections, std::max<std::uint64_t>(width, 1));
  const std::uint64_t step = width / count;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto from = static_cast<std::int64_t>(static_cast<std::uint64_t>(*least) + i * step);
    const auto to = static_cast<std::int64_t>(static_cast<std::uint64_t>(*least) + (i + 1) * step);
    add(i + 1 == count ? key >= from : key >= from && key < to);
  }
  co_return tasks;
}

std::vector<split_task> by_hash(const relation& what, std::string_view path, std::uint32_t connections) {
  const std::vector<std::string> parts = split_path(path);
  const std::string hash = "coalesce(hashtextextended(" + text_at(what.documents(), parts) +
                           ", 0) & 9223372036854775807, 0) % " + std::to_string(connections) + " = ";
  std::vector<split_task> tasks;
  for (std::uint32_t i = 0; i < connections; ++i) {
    relation part = what;
    part.where(sql_predicate(hash + std::to_string(i)));
    tasks.push_back({part.build(), 1});
  }
  return tasks;
}

}  // namespace

asio::awaitable<std::vector<split_task>> split_tasks(connection& on, relation what, split_by how,
                                                     std::uint32_t connections) {
  if (what.is_ordered()) refuse("rows come in no order: leave ORDER BY out, or read on one connection");
  if (what.is_limited()) refuse("LIMIT and OFFSET without an order are any rows: read them on one connection");
  std::vector<split_task> tasks;
  switch (how.by()) {
    case split_by::kind::ctid: tasks = co_await by_ctid(on, what, connections); break;
    case split_by::kind::key: tasks = co_await by_key(on, what, how.path(), connections); break;
    case split_by::kind::hash: tasks = by_hash(what, how.path(), connections); break;
  }
  co_return tasks;
}

}  // namespace sluice::detail
