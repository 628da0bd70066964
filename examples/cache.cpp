// A hundred tasks ask for the same ten users: the server is asked once for each.
//
//     cache [CONNINFO]
#include <cstdio>
#include <exception>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <sluice/cache/result_cache.hpp>
#include <sluice/sluice.hpp>

namespace {

asio::awaitable<void> read_user(const sluice::result_cache& cache, int id, int& rows_read) {
  sluice::pooled_stream rows = cache.stream(sluice::from("v_user").where(sluice::field("id").as_numeric() == id));
  for (;;) {
    const sluice::chunk chunk = co_await rows.next();
    if (!chunk) break;
    for ([[maybe_unused]] const sluice::row user : chunk) ++rows_read;
  }
}

}  // namespace

int main(int argc, char** argv) try {
  asio::io_context context{1};
  sluice::pool pool{context.get_executor(), argc > 1 ? argv[1] : "", {.max_size = 4}};
  const sluice::result_cache cache{pool, {.max_bytes = 16U << 20U}};
  int rows = 0;
  int left = 100;
  for (int task = 0; task < 100; ++task)
    asio::co_spawn(context, read_user(cache, task % 10 + 1, rows), [&](const std::exception_ptr& failure) {
      if (--left == 0) pool.close();  // an open pool would keep run() from returning
      if (failure) std::rethrow_exception(failure);
    });
  context.run();
  const sluice::cache_stats stats = cache.stats();
  std::printf("%d rows, %llu queries, %llu hits\n", rows, static_cast<unsigned long long>(stats.misses),
              static_cast<unsigned long long>(stats.hits + stats.wait_hits));
} catch (const std::exception& e) {
  std::fprintf(stderr, "cache: %s\n", e.what());
  return 1;
}
