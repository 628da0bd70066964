// The memory that idle connections of a pool take in this process after each has streamed some rows: heap bytes and
// resident bytes per connection, on a real server (SLUICE_TEST_DSN, as ci/with-postgres sets it), with as many
// connections as it allows, at most a thousand. Compared with libpq connections after the same rows in single-row mode.
// Then the memory of a thousand idle subscribers of one change stream, each with a condition and a coroutine that
// waits, after each has got some changes.
#include <malloc.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <sluice/sluice.hpp>
#include <sluice/stream/change_fan_out.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "process.hpp"
#include "rethrow.hpp"
#include "server.hpp"

namespace {

using sluice::bench::dsn;
using sluice::bench::rethrow;
using sluice::test::resident_bytes;

const char* const rows_sql = "select to_json(repeat('x', 200)) from generate_series(1, 5000)";

asio::awaitable<void> fill(sluice::pool& from, std::size_t count) {
  const sluice::query what = sluice::sql(rows_sql).as_document();
  std::vector<sluice::pooled_connection> lent;
  for (std::size_t i = 0; i < count; ++i) {
    lent.push_back(co_await from.acquire());
    sluice::row_stream rows = co_await lent.back()->stream(what);
    while (const sluice::chunk chunk = co_await rows.next()) {
    }
  }
}

/// @return the bytes that the program has allocated on the heap
long heap_bytes() {
  const struct mallinfo2 now = ::mallinfo2();
  return static_cast<long>(now.uordblks + now.hblkhd);
}

/// Measures the memory of each of `count` objects: the growth over this object's lifetime.
class measurement {
 public:
  measurement(const char* what, std::size_t count) : what_{what}, count_{static_cast<long>(count)} {
    ::malloc_trim(0);  // memory that malloc keeps for reuse would hide some of the growth
    heap_ = heap_bytes();
    resident_ = resident_bytes();
  }
  ~measurement() {
    ::malloc_trim(0);  // and does not belong to the objects
    std::printf("{\"what\":\"%s\",\"count\":%ld,\"heap_bytes_each\":%ld,\"resident_bytes_each\":%ld}\n", what_, count_,
                (heap_bytes() - heap_) / count_, (resident_bytes() - resident_) / count_);
  }
  measurement(const measurement&) = delete;
  measurement& operator=(const measurement&) = delete;

 private:
  const char* what_;
  long count_;
  long heap_{};
  long resident_{};
};

void pool_keeps(std::size_t count) {
  asio::io_context context{1};
  sluice::pool from{context.get_executor(), dsn(), {.max_size = count, .idle_timeout = std::chrono::milliseconds{0}}};
  const measurement measured{"sluice, idle in a pool", count};
  asio::co_spawn(context, fill(from, count), asio::detached);
  context.run();
}

void libpq_keeps(std::size_t count) {
  std::deque<sluice::bench::libpq_client> all;
  const measurement measured{"libpq, idle", count};
  for (std::size_t i = 0; i < count; ++i) all.emplace_back().stream(rows_sql, [](const char*, std::size_t) {});
}

constexpr int subscribers = 1'000;
constexpr int changes_each = 10;

class published_orders {
 public:
  published_orders() {
    db_.execute(
        "create table bench_orders (id bigint generated always as identity primary key, customer int, note text);"
        "create publication bench_orders for table bench_orders");
  }
  ~published_orders() { db_.execute("drop table bench_orders; drop publication bench_orders"); }
  published_orders(const published_orders&) = delete;
  published_orders& operator=(const published_orders&) = delete;

  /// In one transaction.
  void change() {
    db_.execute("set synchronous_commit = on; insert into bench_orders (customer, note) select n % " +
                std::to_string(subscribers) + ", repeat('x', 200) from generate_series(1, " +
                std::to_string(subscribers * changes_each) + ") n");
  }
  static sluice::change_options how() {
    sluice::change_options wanted;
    wanted.slot = "bench_orders";
    wanted.publications.emplace_back("bench_orders");
    wanted.create = sluice::slot_creation::temporary;
    return wanted;
  }

 private:
  sluice::client db_{dsn()};
};

/// Reads for ever; `got` is told of each change.
asio::awaitable<void> subscribe(sluice::change_subscriber mine, const std::function<void(std::size_t)>& got) {
  while (const sluice::change_batch some = co_await mine.next()) {
    for (const sluice::shared_change& each : some)
      if (each.text().empty()) throw std::runtime_error{"a change without a row"};
    mine.acknowledge(some.last());
    got(some.size());
  }
}

asio::awaitable<void> begin_to_follow(sluice::change_stream& into) {
  sluice::change_options wanted = published_orders::how();
  into = co_await sluice::follow(dsn(), std::move(wanted));
}

void fan_out_keeps() {
  published_orders orders;
  asio::io_context context{1};
  sluice::change_stream changes;
  asio::co_spawn(context, begin_to_follow(changes), rethrow);
  while (changes.progress().received == sluice::lsn{}) context.run_one();
  sluice::change_fan_out all{std::move(changes)};
  std::size_t missing = std::size_t{subscribers} * changes_each;
  const std::function<void(std::size_t)> got = [&](std::size_t count) { missing -= count; };
  {
    const measurement measured{"a subscriber of a change stream", subscribers};
    for (int i = 0; i < subscribers; ++i) {
      sluice::subscriber_options wanted;
      wanted.table = "public.bench_orders";
      wanted.where = sluice::field("customer") == i;
      asio::co_spawn(context, subscribe(all.subscribe(wanted), got), rethrow);
    }
    orders.change();
    while (missing > 0) context.run_one();
    while (context.poll() > 0) continue;  // until each waits again
  }
  asio::co_spawn(context, all.close(), rethrow);
  context.run();
}

std::size_t most_connections() {
  sluice::client db{dsn()};
  std::size_t most = 0;
  for (const sluice::row row :
       db.stream(sluice::sql("select to_json(least(1000, current_setting('max_connections')::int - "
                             "current_setting('superuser_reserved_connections')::int - 10))")))
    most = std::stoul(std::string{row.text()});
  return most;
}

}  // namespace

int main() try {
  const std::size_t count = most_connections();
  pool_keeps(count);
  libpq_keeps(count);
  fan_out_keeps();
  return 0;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "idle-memory: %s\n", failure.what());
  return 1;
}
