// A small service that is watched: tasks read users through a cache, one changes users, one looks at a few rows of a
// large result, and one follows the changes of users and counts them in a table. Its metrics are served for Prometheus,
// on http://127.0.0.1:PORT/metrics; docs/dashboard.md shows them.
//
//     watched PORT [CONNINFO]
//
// It needs sql/demo.sql and sql/invalidate.sql, and
//
//     create publication watched for table app.users;
//     create table app.user_changes as select 0::bigint as seen;
//
// and runs until it is killed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include <prometheus/exposer.h>
#include <prometheus/registry.h>
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/cache/invalidations.hpp>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/prometheus.hpp>

namespace {

using namespace std::chrono_literals;

asio::awaitable<void> rest(std::chrono::milliseconds time) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  asio::steady_timer timer{on, time};
  co_await timer.async_wait(asio::use_awaitable);
}

/// A user among a few who are asked for often.
asio::awaitable<void> look_up(const sluice::result_cache& cache, int user) {
  const sluice::query_options limits{.timeout = 10s};
  sluice::pooled_stream rows =
      cache.stream(sluice::from("v_user").where(sluice::field("id").as_numeric() == user), {}, limits);
  for (;;) {
    const sluice::chunk chunk = co_await rows.next();
    if (!chunk) break;
  }
}

asio::awaitable<void> rename(sluice::pool& pool, int user) {
  const sluice::query what = sluice::sql("update app.users set name = name where id = $1", user);
  co_await pool.execute(what);
}

/// Pages come as long as somebody wants them.
asio::awaitable<void> glance(const sluice::pool& pool) {
  const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 100};
  sluice::pooled_stream rows = pool.stream(sluice::from("v_user"), in_pages);
  for (int chunks = 0; chunks < 3; ++chunks) {
    const sluice::chunk chunk = co_await rows.next();
    if (!chunk) break;
  }
}

/// Acknowledges what it has counted; it is as fast as the table in which it counts.
asio::awaitable<void> follow_users(const sluice::conninfo& server, sluice::pool& pool, sluice::observer& metrics) {
  sluice::change_options how;
  how.slot = "watched";
  how.publications.emplace_back("watched");
  how.create = sluice::slot_creation::if_missing;
  how.reconnect = true;
  how.max_backoff = 1s;
  how.health_interval = 500ms;
  how.connection.watch = &metrics;
  asio::awaitable<sluice::change_stream> starting = sluice::follow(server, how);
  sluice::change_stream changes = co_await std::move(starting);
  for (;;) {
    const sluice::change_chunk some = co_await changes.next();
    if (!some) break;
    const std::int64_t count = std::ranges::distance(some);
    const sluice::query note = sluice::sql("update app.user_changes set seen = seen + $1", count);
    co_await pool.execute(note);
    changes.acknowledge(some.last());
  }
}

/// Whatever fails is counted by the observer; the service goes on.
template <class Work>
asio::awaitable<void> again_and_again(Work work, std::chrono::milliseconds pause) {
  for (int turn = 0;; ++turn) {
    try {
      asio::awaitable<void> once = work(turn);
      co_await std::move(once);
    } catch (const sluice::error&) {
    }
    co_await rest(pause);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string conninfo = argc > 2 ? argv[2] : "";
  const auto registry = std::make_shared<prometheus::Registry>();
  sluice::prometheus_observer metrics{*registry, "service"};
  prometheus::Exposer exposer{std::string{"127.0.0.1:"} + (argc > 1 ? argv[1] : "9464")};
  exposer.RegisterCollectable(registry);

  asio::io_context context{1};
  sluice::connection_options each;
  each.max_row_bytes = 1U << 20U;
  each.watch = &metrics;
  sluice::pool pool{context.get_executor(), conninfo, {.max_size = 4, .acquire_timeout = 1s}, each};
  const sluice::result_cache cache{pool, {.ttl = 60s, .watch = &metrics}};
  const sluice::invalidations feed{conninfo, cache};

  for (int reader = 0; reader < 8; ++reader) {
    const auto work = [&cache, reader](int turn) { return look_up(cache, (turn * 7 + reader * 11) % 20 + 1); };
    asio::co_spawn(context, again_and_again(work, 20ms), asio::detached);
  }
  const auto changing = [&pool](int turn) { return rename(pool, turn % 1000 + 1); };
  asio::co_spawn(context, again_and_again(changing, 1s), asio::detached);
  const auto glancing = [&pool](int) { return glance(pool); };
  asio::co_spawn(context, again_and_again(glancing, 300ms), asio::detached);
  const auto server = sluice::conninfo::parse(conninfo);
  const auto following = [&](int) { return follow_users(server, pool, metrics); };
  asio::co_spawn(context, again_and_again(following, 300ms), asio::detached);
  context.run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "watched: %s\n", e.what());
  return 1;
}
