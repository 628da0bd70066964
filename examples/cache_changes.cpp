// Two programs in one: a cache that follows the changes of app.users, and a change. The cache notices it without
// triggers and without a time limit. Needs wal_level = logical.
//
//     cache_changes [CONNINFO]
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/cache/invalidations.hpp>
#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>

namespace {

using namespace std::chrono_literals;

asio::awaitable<void> rest() {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  asio::steady_timer timer{on, 1ms};
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<std::string> first_user(const sluice::result_cache& cache) {
  const sluice::query what = sluice::from("v_user").where(sluice::field("id").as_numeric() == 1);
  sluice::pooled_stream rows = cache.stream(what);
  std::string found;
  for (;;) {
    const sluice::chunk some = co_await rows.next();
    if (!some) break;
    for (const sluice::row user : some) found = user.text();
  }
  co_return found;
}

asio::awaitable<void> run(sluice::pool& pool, std::string conninfo) {
  const sluice::query dropping = sluice::sql("drop publication if exists cached_users");
  const sluice::query creating = sluice::sql("create publication cached_users for table app.users");
  co_await pool.execute(dropping);
  co_await pool.execute(creating);
  const sluice::result_cache cache{pool};
  sluice::change_invalidation_options how;
  how.publications = {"cached_users"};
  how.tags = {{"app.users", {"v_user"}}};  // the view that reads the table
  const sluice::invalidations feed = sluice::invalidations::by_changes(conninfo, cache, how);
  while (!feed.is_listening()) co_await rest();

  const std::string before = co_await first_user(cache);
  const sluice::query change = sluice::sql("update app.users set name = name || '.' where id = 1");
  co_await pool.execute(change);
  for (std::string after = before; after == before;) {
    co_await rest();
    after = co_await first_user(cache);
  }
  const sluice::cache_stats stats = cache.stats();
  std::printf("changed, after %llu queries\n", static_cast<unsigned long long>(stats.misses));
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string conninfo = argc > 1 ? argv[1] : "";
  asio::io_context context{1};
  sluice::pool pool{context.get_executor(), conninfo, {.max_size = 2}};
  asio::co_spawn(context, run(pool, conninfo), [&](const std::exception_ptr& failure) {
    pool.close();
    if (failure) std::rethrow_exception(failure);
  });
  context.run();
} catch (const std::exception& e) {
  std::fprintf(stderr, "cache_changes: %s\n", e.what());
  return 1;
}
