// A hundred tasks share four connections: each counts the orders of some users.
//
//     pool [CONNINFO]
#include <cstdio>
#include <exception>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <sluice/sluice.hpp>

namespace {

struct totals {
  int tasks{0};
  int orders{0};
};

asio::awaitable<void> count_orders(sluice::pool& pool, int part, totals& all) {
  sluice::pooled_connection conn = co_await pool.acquire();  // waits for a free connection
  const sluice::query orders =
      sluice::sql("select data from v_order where (data->'customer'->>'id')::int % 100 = $1", part);
  sluice::row_stream rows = co_await conn->stream(orders);
  while (const sluice::chunk chunk = co_await rows.next())
    for ([[maybe_unused]] const sluice::row order : chunk) ++all.orders;
  ++all.tasks;
}  // the connection goes back to the pool

}  // namespace

int main(int argc, char** argv) try {
  asio::io_context context{1};
  sluice::pool pool{context.get_executor(), argc > 1 ? argv[1] : "", {.max_size = 4}};
  totals all;
  int left = 100;
  for (int part = 0; part < 100; ++part)
    asio::co_spawn(context, count_orders(pool, part, all), [&](const std::exception_ptr& failure) {
      if (--left == 0) pool.close();  // an open pool would keep run() from returning
      if (failure) std::rethrow_exception(failure);
    });
  context.run();
  std::printf("%d tasks, %d orders\n", all.tasks, all.orders);
} catch (const std::exception& e) {
  std::fprintf(stderr, "pool: %s\n", e.what());
  return 1;
}
