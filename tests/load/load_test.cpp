// High load over a long time: a thousand streams on one thread, ten million rows through a consumer that stalls and
// into a server that does, and a mixture of everything for SLUICE_SOAK_SECONDS (60 by default). Every row is counted;
// memory and descriptors do not grow. Run by ci/load, with a server that allows a thousand connections.
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/pool.hpp>

#include "cluster.hpp"
#include "faces.hpp"
#include "process.hpp"

namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::sql;
using clock = std::chrono::steady_clock;

constexpr long slack{8L << 20};  // an allocator keeps freed memory

asio::awaitable<void> pause(clock::duration time) {
  asio::steady_timer timer{co_await asio::this_coro::executor, time};
  co_await timer.async_wait(asio::use_awaitable);
}

sluice::query numbers(int count) {
  return sql("select to_json(generate_series(1, " + std::to_string(count) + "))").as_document();
}

/// Counts rows that are numbers.
struct account {
  std::uint64_t rows{0};
  std::uint64_t sum{0};

  void add(const sluice::chunk& chunk) {
    for (const sluice::row row : chunk) {
      ++rows;
      sum += std::stoull(std::string{row.text()});
    }
  }
  /// Whether the rows were 1, 2, 3 and so on, each once.
  [[nodiscard]] bool is_whole(std::uint64_t count) const { return rows == count && sum == count * (count + 1) / 2; }
};

constexpr int streams = 1'000;
constexpr int rows_each = 20'000;  // more than all buffers between server and client hold

asio::awaitable<void> read_beside_others(int& open, int& whole) {
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query query = numbers(rows_each);
  sluice::row_stream rows = co_await db.stream(query);
  account seen;
  seen.add(co_await rows.next());
  ++open;
  while (open < streams) co_await pause(10ms);
  while (const sluice::chunk chunk = co_await rows.next()) seen.add(chunk);
  if (seen.is_whole(rows_each)) ++whole;
}

TEST(Load, AThousandStreamsAreOpenOnOneThread) {
  const std::ptrdiff_t before = descriptors();
  int open = 0;
  int whole = 0;
  {
    asio::io_context context{1};
    for (int i = 0; i < streams; ++i)
      asio::co_spawn(context, read_beside_others(open, whole), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
      });
    context.run();
  }
  EXPECT_EQ(open, streams);
  EXPECT_EQ(whole, streams);
  EXPECT_EQ(descriptors(), before);
}

TEST(Load, TenMillionRowsPassAConsumerThatStalls) {
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  std::minstd_rand random{seed};
  constexpr int count = 10'000'000;
  sluice::client db{dsn()};
  sluice::row_range rows = db.stream(numbers(count));
  account seen;
  long least = std::numeric_limits<long>::max();
  long most = 0;
  for (std::uint64_t look = count / 10; const sluice::chunk chunk = rows.next();) {
    seen.add(chunk);
    if (random() % 2'000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{random() % 100});
    if (seen.rows < look) continue;
    look += count / 10;
    least = std::min(least, resident_bytes());
    most = std::max(most, resident_bytes());
  }
  EXPECT_TRUE(seen.is_whole(count)) << seen.rows;
  EXPECT_LE(most - least, 1L << 20);
}

/// The resident memory of this process while it writes, looked at ten times.
class memory_range {
 public:
  explicit memory_range(std::uint64_t rows) noexcept : between_{rows / 10}, next_{between_} {}

  void look(std::uint64_t row) {
    if (row < next_) return;
    next_ += between_;
    least_ = std::min(least_, resident_bytes());
    most_ = std::max(most_, resident_bytes());
  }
  [[nodiscard]] long width() const noexcept { return most_ - least_; }

 private:
  std::uint64_t between_;
  std::uint64_t next_;
  long least_{std::numeric_limits<long>::max()};
  long most_{0};
};

constexpr int written_rows{10'000'000};

asio::awaitable<void> copy_rows(memory_range& memory) {
  sluice::connection db = co_await sluice::connect(dsn());
  sluice::copy_writer to = co_await db.copy_into("load_rows", "n");
  for (int n = 1; n <= written_rows; ++n) {
    co_await to.write(n);
    memory.look(to.rows());
  }
  const std::uint64_t rows = co_await to.finish();
  EXPECT_EQ(rows, to.rows());
}

void copy_rows_in_a_loop(memory_range& memory) {
  sluice::client db{dsn()};
  sluice::blocking_copy_writer to = db.copy_into("load_rows", "n");
  for (int n = 1; n <= written_rows; ++n) {
    to.write(n);
    memory.look(to.rows());
  }
  EXPECT_EQ(to.finish(), to.rows());
}

/// Through a server that stalls: each two hundred thousandth row takes it 0.1 s.
TEST(Load, TenMillionRowsAreCopiedIn) {
  psql(
      "create or replace function load_stalls() returns trigger language plpgsql as "
      "'begin perform pg_sleep(0.1); return new; end'; "
      "create unlogged table load_rows (n int); create trigger stalls before insert on load_rows for each row "
      "when (new.n % 200000 = 0) execute function load_stalls()");
  for (const bool awaits : {false, true}) {
    memory_range memory{written_rows};
    const auto began = clock::now();
    if (awaits)
      run(copy_rows(memory));
    else
      copy_rows_in_a_loop(memory);
    const std::chrono::duration<double> took = clock::now() - began;
    std::cout << "ten million rows in " << took.count() << " s, memory moved by " << memory.width() << " of "
              << resident_bytes() << " bytes\n";
    EXPECT_LE(memory.width(), 1L << 20);
    EXPECT_EQ(psql("select count(*), sum(n) from load_rows"), "10000000|50000005000000");
    psql("truncate load_rows");
  }
  psql("drop table load_rows");
}

class soak {
 public:
  explicit soak(clock::duration time) : until_{clock::now() + time} {}

  void run() {
    asio::io_context context{1};
    sluice::pool pool{context.get_executor(), dsn(), {.max_size = 8}};
    for (unsigned i = 0; i < workers; ++i)
      asio::co_spawn(context, work(pool, i), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
      });
    asio::co_spawn(context, watch(), [](const std::exception_ptr&) {});
    context.run();
  }
  void expect_all_is_well() const {
    std::cout << whole_ << " whole results, " << left_ << " left, " << failed_ << " with the error that was due\n";
    ASSERT_GT(memory_.size(), 2U);
    EXPECT_LE(memory_.back(), memory_.front() + slack);
    EXPECT_EQ(wrong_, 0U);
    EXPECT_GT(std::min({whole_, left_, failed_}), 100U);
  }

 private:
  static constexpr unsigned workers = 24;

  asio::awaitable<void> work(sluice::pool& pool, unsigned seed) {
    std::minstd_rand random{seed + 1};
    while (clock::now() < until_) {
      const int count = static_cast<int>(random() % 5'000) + 20;
      const unsigned what = random() % 4;
      sluice::pooled_connection db = co_await pool.acquire();
      if (what == 0)
        co_await leave(*db, count);
      else if (what == 1)
        co_await fail(*db, count);
      else
        co_await read(*db, count, what == 2 ? sluice::fetch_mode::plain : sluice::fetch_mode::paged);
    }
    if (++ended_ == workers) pool.close();
  }
  asio::awaitable<void> read(sluice::connection& db, int count, sluice::fetch_mode mode) {
    const sluice::query query = numbers(count);
    const sluice::query_options options{.mode = mode, .page_rows = 500};
    sluice::row_stream rows = co_await db.stream(query, options);
    account seen;
    while (const sluice::chunk chunk = co_await rows.next()) seen.add(chunk);
    ++(seen.is_whole(static_cast<std::uint64_t>(count)) ? whole_ : wrong_);
  }
  asio::awaitable<void> leave(sluice::connection& db, int count) {
    const sluice::query query = numbers(count * 1'000);
    sluice::row_stream rows = co_await db.stream(query);
    const sluice::chunk some = co_await rows.next();
    ++(some ? left_ : wrong_);
  }
  asio::awaitable<void> fail(sluice::connection& db, int count) {
    const sluice::query query =
        sql("select to_json(1 / (10 - generate_series(1, " + std::to_string(count) + ")))").as_document();
    sluice::row_stream rows = co_await db.stream(query);
    account seen;
    std::string sqlstate;
    try {
      while (const sluice::chunk chunk = co_await rows.next()) seen.add(chunk);
    } catch (const sluice::error& e) {
      sqlstate = e.sqlstate();
    }
    ++(seen.rows == 9 && sqlstate == "22012" ? failed_ : wrong_);
  }
  asio::awaitable<void> watch() {
    constexpr int looks = 10;
    const clock::duration between = (until_ - clock::now()) / (looks + 1);
    for (int i = 0; i < looks; ++i) {
      co_await pause(between);
      memory_.push_back(resident_bytes());
    }
  }

  clock::time_point until_;
  unsigned ended_{0};
  std::vector<long> memory_;
  std::uint64_t whole_{0};
  std::uint64_t left_{0};
  std::uint64_t failed_{0};
  std::uint64_t wrong_{0};
};

TEST(Load, OfEveryKindIsBorneForLong) {
  const char* const text = std::getenv("SLUICE_SOAK_SECONDS");
  const std::ptrdiff_t before = descriptors();
  soak everything{std::chrono::seconds{text == nullptr ? 60 : std::stol(text)}};
  everything.run();
  everything.expect_all_is_well();
  EXPECT_EQ(descriptors(), before);
}

}  // namespace
