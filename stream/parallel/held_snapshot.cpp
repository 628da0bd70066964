#include "parallel/held_snapshot.hpp"

#include <utility>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/stream/columns.hpp>

#include "api/raised.hpp"
#include "drive/coroutine_driver.hpp"
#include "engine/run_query.hpp"
#include "parallel/partition_opening.hpp"
#include "parallel/partition_text.hpp"
#include "parallel/query_parts.hpp"
#include "parallel/split_tasks.hpp"
#include "query/bad_query.hpp"
#include "query/place_list.hpp"
#include "query/sorted_relation.hpp"

namespace sluice::detail {

namespace {

constexpr std::uint32_t most_partitions = 1'000;  // each takes a lock, of which a server has some thousands

/// The parts of what is to be read, each a query whose shape says how its rows become documents.
asio::awaitable<std::vector<query>> parts_of(asking on, relation what, split_by how, std::uint32_t count) {
  if (what.is_ordered()) refuse("partitions: they come in no order: leave ORDER BY out");
  if (sorted_relation::has_formats(what)) refuse("partitions: formats are chosen by those who read them");
  what = co_await with_its_documents(on, std::move(what));
  if (what.build().left() != nullptr)
    refuse("partitions: a condition is left to the client, which other processes do not know");
  const division divided = co_await divide(on, std::move(what), how, count, true);
  std::vector<query> parts;
  for (const split_task& each : divided.tasks) parts.push_back(each.what);
  co_return parts;
}
asio::awaitable<std::vector<query>> parts_of(asking on, query what, split_by how, std::uint32_t count) {
  if (what.left() != nullptr)
    refuse("partitions: a condition is left to the client, which other processes do not know");
  if (what.choice() != nullptr) refuse("partitions: formats are chosen by those who read them");
  return divide(on, std::move(what), how, count);
}

/// So that the server does not end a transaction that waits for others to read.
query without_idle_limits() {
  return sql("select pg_catalog.set_config(name, '0', true) from pg_catalog.pg_settings where name operator("
             "pg_catalog.=) any('{idle_in_transaction_session_timeout,transaction_timeout}'::pg_catalog.text[])")
      .as_columns();
}

/// What the descriptors have in common.
asio::awaitable<partition_facts> common_facts(asking on) {
  partition_facts facts{.nonce = random_nonce()};
  const query ask = sql("select pg_catalog.pg_export_snapshot(), pg_catalog.current_database()").as_columns();
  co_await first_row(on, ask,
                     [&](row one) { std::tie(facts.snapshot, facts.database) = one.get<std::string, std::string>(); });
  const query settings =
      sql("select name, setting from pg_catalog.pg_settings where name operator(pg_catalog.=) any($1::"
          "pg_catalog.text[])",
          std::string{settings_of_meaning})
          .as_columns();
  row_stream rows = co_await on.db.stream(settings, on.limits);
  for (;;) {
    const chunk some = co_await rows.next();
    if (!some) break;
    for (const row each : some) {
      auto [name, value] = each.get<std::string, std::string>();
      facts.settings.emplace(std::move(name), std::move(value));
    }
  }
  co_return facts;
}

}  // namespace

asio::awaitable<std::shared_ptr<held_snapshot>> held_snapshot::of(conninfo where, wanted what, partition_options how,
                                                                  std::string path) {
  if (how.count == 0 || how.count > most_partitions) refuse("partitions: their number is between 1 and 1,000");
  if (how.split.by() == split_by::kind::key) how.split = split_by::key(path);
  if (how.split.by() == split_by::kind::hash) how.split = split_by::hash(path);
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto made = std::make_shared<held_snapshot>(on);
  made->check_interval_ = how.check_interval;
  connection db = co_await connect(where, how.connection);
  asio::awaitable<void> exported = made->divide_and_export(db, std::move(what), how);
  co_await std::move(exported);
  made->session_ = std::move(db).release();
  made->place_ = made->session_->io.where.place;
  co_return made;
}

asio::awaitable<void> held_snapshot::divide_and_export(connection& db, wanted what, partition_options how) {
  const asking on{db, query_options{.timeout = how.query.timeout,
                                    .first_row_timeout = how.query.first_row_timeout,
                                    .stall_timeout = how.query.stall_timeout,
                                    .server_timeout = how.query.server_timeout}};
  const query_options beginning{.timeout = how.query.timeout, .stall_timeout = how.query.stall_timeout};
  (void)co_await db.execute(begin_reading, beginning);
  const query unlimited = without_idle_limits();
  co_await first_row(on, unlimited, [](row /*one*/) {});

  asio::awaitable<std::vector<query>> dividing =
      std::holds_alternative<relation>(what) ? parts_of(on, std::get<relation>(std::move(what)), how.split, how.count)
                                             : parts_of(on, std::get<query>(std::move(what)), how.split, how.count);
  const std::vector<query> parts = co_await std::move(dividing);
  partition_facts facts = co_await common_facts(on);
  facts.count = static_cast<std::uint32_t>(parts.size());
  for (const query& each : parts) {
    partition_opening::store(facts, each);
    if (facts.columns.empty()) {  // this also locks what is read, so that its columns stay
      const query described = partition_opening::description_of(facts);
      row_stream none = co_await db.stream(described, on.limits);
      while (co_await none.next()) continue;
      const std::span<const result_column> columns = none.columns();
      facts.columns = columns_of({columns.begin(), columns.end()});
    }
    partition_opening::decide_shape(facts, each);
    descriptors_.push_back(written(facts));
    ++facts.index;
  }

  std::vector<std::int64_t> locks;
  for (const std::string& each : descriptors_) locks.push_back(lock_of(each));
  bool are_held = false;
  const query lock = sql("select pg_catalog.bool_and(pg_catalog.pg_try_advisory_xact_lock_shared(k)) from "
                         "pg_catalog.unnest($1::pg_catalog.int8[]) k",
                         locks)
                         .as_columns();
  co_await first_row(on, lock, [&](row one) { are_held = one.get<bool>(0); });
  if (!are_held)
    throw error{errc::bad_state, "partitions: another session has an advisory lock that they need: try again"};
}

error held_snapshot::is_lost() const {
  return error{error_info{.code = errc::connection_lost,
                          .message = "partitions: the connection to " + place_ +
                                     " that held their snapshot is lost: no more of them can be opened",
                          .server = {},
                          .retryable = true}};
}

asio::awaitable<void> held_snapshot::lost(std::shared_ptr<held_snapshot> self) {
  const raised is_watched{self->is_watched_};
  asio::awaitable<void> watching = self->watch();
  asio::awaitable<void> watched = self->wanted_.unless_over(std::move(watching));
  co_await std::move(watched);
}

asio::awaitable<void> held_snapshot::watch() {
  for (;;) {
    const std::shared_ptr<wire::session> on = session_;
    if (on == nullptr) throw is_lost();
    wire::link::moved moved{wire::link::moved::end};
    try {
      moved = on->hear();
    } catch (const error&) {  // it broke the protocol
      on->discard();
    }
    if (moved == wire::link::moved::end) throw is_lost();
    if (moved != wire::link::moved::nothing && !on->io.turn_is_over()) continue;
    const wire::clock::time_point latest = wire::limit_after(wire::clock::now(), check_interval_);
    const wire::link::wait_end how = co_await wire::ready_by(on->io, latest);
    if (how == wire::link::wait_end::cut_off) throw error{errc::cancelled, "cancelled while the snapshot is held"};
    if (how != wire::link::wait_end::late) continue;
    wanted_.require();
    bool answers = true;
    const raised is_asking{is_asking_};
    try {
      co_await wire::run_statements(*on, {});
    } catch (const error& why) {
      if (why.code() == errc::cancelled) throw;
      answers = false;
    }
    if (!answers) throw is_lost();
  }
}

asio::awaitable<void> held_snapshot::end(std::shared_ptr<held_snapshot> self) {
  self->wanted_.end();
  const std::shared_ptr<wire::session> session = std::move(self->session_);
  if (session == nullptr) co_return;
  if (self->is_asking_) {  // the question is cut off, so nothing else can be said any more
    session->discard();
    co_return;
  }
  while (self->is_watched_) {  // until `lost` has let go of the connection
    asio::awaitable<void> turn = asio::post(self->on_, asio::use_awaitable);
    co_await std::move(turn);
  }
  co_await wire::run_statements(*session, "commit");
  session->close();
}

void held_snapshot::leave() noexcept {
  wanted_.end();
  close();
}

void held_snapshot::close() noexcept {
  if (session_ != nullptr) session_->close();
}

}  // namespace sluice::detail
