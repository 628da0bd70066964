// What reading in parallel would do, for people.
#include <optional>
#include <string>
#include <utility>

#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/wire/error.hpp>

#include "first_row.hpp"
#include "split_tasks.hpp"

namespace sluice {

namespace {

std::string name_of(const split_by& how) {
  switch (how.by()) {
    case split_by::kind::ctid: return "ctid";
    case split_by::kind::key: return "key:" + std::string{how.path()};
    case split_by::kind::hash: break;
  }
  return "hash:" + std::string{how.path()};
}

std::string description(const detail::division& parts, const parallel_options& how) {
  std::uint64_t weight = 0;
  for (const detail::split_task& each : parts.tasks) weight += each.weight;
  std::string text = "in parallel: by " + name_of(how.split) + ", " + std::to_string(parts.tasks.size()) + " tasks";
  if (how.split.by() == split_by::kind::ctid) text += " of " + std::to_string(weight) + " pages";
  text += " on " + std::to_string(how.connections) + " connections, which read one snapshot";
  if (!parts.order.empty()) text += "; each sorts its part, and they are merged";
  return text + "\nthe first task\n" + parts.tasks.front().what.explain();
}

/// A field of the first documents that holds whole numbers, another one in each.
asio::awaitable<std::string> likely_key(connection& on, const relation& what) {
  std::string key;
  const query ask =
      sql("select key from (select pg_catalog.to_jsonb(" + what.documents() + ") as d from " + what.qualified_name() +
          " limit 100) s, pg_catalog.jsonb_each(case when pg_catalog.jsonb_typeof(d) operator(pg_catalog.=) 'object' "
          "then d end) group by key having pg_catalog.bool_and(pg_catalog.jsonb_typeof(value) operator(pg_catalog.=) "
          "'number' and value::pg_catalog.text operator(pg_catalog.!~) '[.e]') and pg_catalog.count(*) "
          "operator(pg_catalog.=) pg_catalog.count(distinct value) order by pg_catalog.count(*) desc, key limit 1")
          .as_document();
  co_await detail::first_row(on, ask, [&](row one) { key = one.text(); });
  co_return key;
}

}  // namespace

asio::awaitable<std::string> explain_in_parallel(conninfo where, relation what, parallel_options how) {
  connection db = co_await connect(where, how.connection);
  (void)co_await db.execute(detail::begin_reading);
  std::optional<error> refusal;
  std::string text;
  try {
    const detail::division parts = co_await detail::divide(db, what, how.split, how.connections);
    text = description(parts, how);
  } catch (const error& e) {
    if (e.code() != errc::bad_query) throw;
    refusal = e;
  }
  if (!refusal) co_return text;
  text = "not " + std::string{refusal->what()} + '\n';
  if (what.is_limited() || how.split.by() != split_by::kind::ctid) co_return text;
  const std::string key = co_await likely_key(db, what);
  if (!key.empty()) text += "a field to divide by may be: key:" + key + '\n';
  co_return text;
}

asio::awaitable<std::string> explain_in_parallel(std::string_view conninfo, relation what, parallel_options how) {
  return explain_in_parallel(sluice::conninfo::parse(conninfo), std::move(what), how);
}

}  // namespace sluice
