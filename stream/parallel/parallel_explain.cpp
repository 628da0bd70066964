// Describes, for human readers, what reading in parallel would do.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <asio/this_coro.hpp>

#include <sluice/stream/columns.hpp>
#include <sluice/stream/connection.hpp>
#include <sluice/stream/parallel.hpp>
#include <sluice/wire/error.hpp>

#include "api/first_row.hpp"
#include "parallel/parallel_work.hpp"
#include "parallel/split_tasks.hpp"
#include "query/sorted_relation.hpp"

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
  if (how.connections == 1) return "on one connection, by one query\n" + parts.tasks.front().what.explain();
  std::uint64_t weight = 0;
  for (const detail::split_task& each : parts.tasks) weight += each.weight;
  std::string text = "in parallel: by " + name_of(how.split) + ", " + std::to_string(parts.tasks.size()) + " tasks";
  if (how.split.by() == split_by::kind::ctid) text += " of " + std::to_string(weight) + " pages";
  text += " on " + std::to_string(how.connections) + " connections, which read one snapshot";
  if (!parts.order.empty()) text += "; each sorts its part, and they are merged";
  return text + "\nthe first task\n" + parts.tasks.front().what.explain();
}

/// A field of the first documents that holds a different whole number in each.
asio::awaitable<std::string> likely_key(detail::asking on, const relation& what) {
  std::string key;
  const query ask =
      sql("select key from (select pg_catalog.to_jsonb(" + detail::sorted_relation::document(what) + ") as d from " +
          what.qualified_name() +
          " limit 100) s, pg_catalog.jsonb_each(case when pg_catalog.jsonb_typeof(d) operator(pg_catalog.=) 'object' "
          "then d end) group by key having pg_catalog.bool_and(pg_catalog.jsonb_typeof(value) operator(pg_catalog.=) "
          "'number' and value::pg_catalog.text operator(pg_catalog.!~) '[.e]') and pg_catalog.count(*) "
          "operator(pg_catalog.=) pg_catalog.count(distinct value) order by pg_catalog.count(*) desc, key limit 1")
          .as_columns();
  co_await detail::first_row(on, ask, [&](row one) { key = one.get<std::string>(0); });
  co_return key;
}

/// The first connection only divides the relation; nothing is read.
class parallel_plan final : public detail::parallel_work {
 public:
  using parallel_work::parallel_work;

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  asio::awaitable<void> lead(worker& me, conninfo /*where*/, relation what) override {
    std::optional<error> refusal;
    try {
      const detail::division parts = co_await detail::divide(ask_on(me.db), what, how().split, how().connections);
      text_ = description(parts, how());
    } catch (const error& e) {
      if (e.code() != errc::bad_query) throw;
      refusal = e;
    }
    if (!refusal) co_return;
    text_ = "not " + std::string{refusal->what()} + '\n';
    if (what.is_limited() || how().split.by() != split_by::kind::ctid) co_return;
    const std::string key = co_await likely_key(ask_on(me.db), what);
    if (!key.empty()) text_ += "a field to divide by may be: key:" + key + '\n';
  }
  void on_division(const detail::division& /*parts*/) override {}
  asio::awaitable<void> deliver(const worker& /*by*/, chunk /*rows*/) override { co_return; }
  void on_stop() override {}

  std::string text_;
};

}  // namespace

asio::awaitable<std::string> explain_in_parallel(conninfo where, relation what, parallel_options how) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto work = std::make_shared<parallel_plan>(on, how);
  work->launch(std::move(where), std::move(what));
  asio::awaitable<void> finished = detail::parallel_work::finished(work);
  co_await std::move(finished);
  co_return work->text();
}

asio::awaitable<std::string> explain_in_parallel(std::string_view conninfo, relation what, parallel_options how) {
  return explain_in_parallel(sluice::conninfo::parse(conninfo), std::move(what), how);
}

}  // namespace sluice
