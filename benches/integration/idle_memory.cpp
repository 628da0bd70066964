// The memory that idle connections of a pool take in this process after each has streamed some rows: heap bytes and
// resident bytes per connection, on a real server (SLUICE_TEST_DSN, as ci/with-postgres sets it), with as many
// connections as it allows, at most a thousand. Compared with libpq connections after the same rows in single-row mode.
#include <malloc.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <cstdio>
#include <deque>
#include <sluice/sluice.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "process.hpp"
#include "server.hpp"

namespace {

using sluice::bench::dsn;
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
  measurement(const char* what, std::size_t count) : what_{what}, count_{static_cast<long>(count)} {}
  ~measurement() {
    ::malloc_trim(0);  // memory that malloc keeps for reuse does not belong to the connections
    std::printf("{\"what\":\"%s\",\"connections\":%ld,\"heap_bytes_each\":%ld,\"resident_bytes_each\":%ld}\n", what_,
                count_, (heap_bytes() - heap_) / count_, (resident_bytes() - resident_) / count_);
  }
  measurement(const measurement&) = delete;
  measurement& operator=(const measurement&) = delete;

 private:
  const char* what_;
  long count_;
  long heap_{heap_bytes()};
  long resident_{resident_bytes()};
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
  return 0;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "idle-memory: %s\n", failure.what());
  return 1;
}
