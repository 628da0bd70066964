// Promise 3: no heap allocation per row or per chunk. Counts this thread's calls to operator new.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <sluice/sluice.hpp>
#include <string>

#include "engine/statement_names.hpp"

#include "counted_memory.hpp"
#include "listener.hpp"

namespace {

using sluice::test::backend;
using sluice::test::listener;
using sluice::test::server_end;

constexpr int blocks = 2'000;
constexpr int rows_per_block = 1'000;
constexpr std::uint64_t warm_up_chunks = 200;

void serve(const server_end& client) {
  client.let_in();
  (void)client.receive();
  backend block;
  for (int i = 0; i < rows_per_block; ++i) block.data_row(R"({"id":1,"name":"somebody"})");
  client.send(backend{}.parse_complete().bind_complete().row_description().bytes);
  for (int i = 0; i < blocks; ++i) client.send(block.bytes);
  client.send(backend{}.command_complete("SELECT 2000000").ready_for_query().bytes);
  client.receive_all();
}

struct counts {
  std::uint64_t rows{0};
  std::uint64_t chunks{0};
  std::size_t allocations{0};  // after the warm-up

  void add(const sluice::chunk& chunk) {
    for (const sluice::row row : chunk) rows += row.is_null() ? 0U : 1U;
    if (++chunks == warm_up_chunks) before_ = sluice::test::counted.allocations;
    if (chunks >= warm_up_chunks) allocations = sluice::test::counted.allocations - before_;
  }

 private:
  std::size_t before_{0};
};

void expect_none(const counts& seen) {
  EXPECT_EQ(seen.rows, std::uint64_t{blocks} * rows_per_block);
  EXPECT_GT(seen.chunks, 4 * warm_up_chunks);
  // Each of Asio's kinds of wait allocates its memory at first use, and the warm-up may not have used all of them.
  EXPECT_LE(seen.allocations, 2U) << "in " << seen.chunks << " chunks";
}

TEST(Allocations, AreNoneInABlockingLoop) {
  const listener server{{[](server_end client) { serve(client); }}};
  sluice::client db{server.dsn()};
  sluice::row_range rows = db.stream(sluice::from("t"));
  counts seen;
  while (const sluice::chunk chunk = rows.next()) seen.add(chunk);
  expect_none(seen);
}

asio::awaitable<counts> stream_all(std::string dsn) {
  sluice::connection conn = co_await sluice::connect(dsn);
  const sluice::query query = sluice::from("t");
  sluice::row_stream stream = co_await conn.stream(query);
  counts seen;
  while (const sluice::chunk chunk = co_await stream.next()) seen.add(chunk);
  co_return seen;
}

TEST(Allocations, AreNoneInACoroutine) {
  const listener server{{[](server_end client) { serve(client); }}};
  asio::io_context context{1};
  auto done = asio::co_spawn(context, stream_all(server.dsn()), asio::use_future);
  context.run();
  expect_none(done.get());
}

/// The server's memory is what a connection's prepared statements take.
TEST(Allocations, AreNoneThatStayForTheTextOfALongStatement) {
  constexpr std::size_t length = 1U << 20U;
  sluice::wire::statement_names names{100};
  const std::string rest(length, ' ');
  const std::size_t before = sluice::test::counted.live;
  for (int i = 0; i < 20; ++i) {
    const std::string text = "select " + std::to_string(i) + rest;
    EXPECT_EQ(names.of({.text = text}), sluice::wire::statement_names::name_of({.text = text}));
    EXPECT_EQ(names.of({.text = text}), sluice::wire::statement_names::name_of({.text = text}));
  }
  EXPECT_LT(sluice::test::counted.live - before, length);
}

}  // namespace
