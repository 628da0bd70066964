// Ten million rows in one transaction, followed as JSON: the whole process stays under 16 MiB, whatever the number of
// rows. Run by ci/load, in a process of its own.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <sluice/sluice.hpp>
#include <sluice/stream/changes.hpp>
#include <string>
#include <string_view>

#include "cluster.hpp"
#include "process.hpp"

namespace {

using namespace sluice;
using sluice::test::dsn;
using sluice::test::psql;
using clock = std::chrono::steady_clock;

constexpr std::uint64_t count{10'000'000};
constexpr long limit{16L << 20};  // of the process with everything in it

/// What has come; the ids are 1, 2, 3 and so on in this order.
struct account {
  std::uint64_t rows{0};
  std::uint64_t in_order{0};
  std::uint64_t bytes{0};
  long early_peak{0};  // when a tenth was read

  void add(const change_chunk& some) {
    for (const change each : some) {
      if (each.operation() != operation::insert) continue;
      const std::string_view text = each.text();
      ++rows;
      bytes += text.size();
      if (id_of(text) == rows) ++in_order;
      if (rows == count / 10) early_peak = sluice::test::peak_resident_bytes();
    }
  }

 private:
  static std::uint64_t id_of(std::string_view row) {
    constexpr std::string_view begin{R"({"id":)"};
    if (!row.starts_with(begin)) return 0;
    std::uint64_t id = 0;
    std::from_chars(row.data() + begin.size(), row.data() + row.size(), id);
    return id;
  }
};

/// Each test has a copy of the slot that has the transaction. The streams are left without `close`, because the server
/// may need longer for the end of such a transaction than that waits.
class ChangesMemory : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(
        "create table load_changed (id int8, note text, tags text);"
        "create publication load_changes for table load_changed");
    psql("select pg_create_logical_replication_slot('load_changes', 'pgoutput')");
    psql(
        "set synchronous_commit = on; insert into load_changed select i, 'note ' || i, case when i % 3 > 0 then "
        "'\"tag\" ' || i % 100 end from generate_series(1, 10000000) i");
  }
  static void TearDownTestSuite() {
    psql("select pg_drop_replication_slot('load_changes'); drop publication load_changes; drop table load_changed");
  }
  void SetUp() override { psql("select pg_copy_logical_replication_slot('load_changes', 'load_run')"); }
  void TearDown() override {
    psql(
        "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = 'load_run' and "
        "active_pid is not null; select pg_drop_replication_slot('load_run')");
  }

  static change_options how() {
    change_options wanted;
    wanted.slot = "load_run";
    wanted.publications.emplace_back("load_changes");
    return wanted;
  }

  /// @param follow  reads until an account has all rows
  template <class Follow>
  static void expect_flat(const Follow& follow) {
    const long before = sluice::test::begin_peak_of_memory();
    const clock::time_point began = clock::now();
    account seen;
    follow(seen);
    const std::chrono::duration<double> took = clock::now() - began;
    const long peak = sluice::test::peak_resident_bytes();
    std::cout << seen.bytes << " bytes of JSON in " << took.count() << " s; memory " << before << ", after a tenth "
              << seen.early_peak << ", peak " << peak << '\n';
    EXPECT_EQ(seen.rows, count);
    EXPECT_EQ(seen.in_order, count);
    EXPECT_LE(peak, limit);
    EXPECT_LE(peak - seen.early_peak, 1L << 20) << "memory grows with the rows";
  }
};

asio::awaitable<void> follow_until_all(change_options how, account& seen) {
  change_stream changes = co_await follow(dsn(), std::move(how));
  while (seen.rows < count) {
    const change_chunk some = co_await changes.next();
    seen.add(some);
    changes.acknowledge(some.last());
  }
}

TEST_F(ChangesMemory, OfOneTransactionOfTenMillionRowsIsFlatInAThread) {
  expect_flat([](account& seen) {
    blocking_change_stream changes{dsn(), how()};
    while (seen.rows < count) {
      const change_chunk some = changes.next();
      seen.add(some);
      changes.acknowledge(some.last());
    }
  });
}

TEST_F(ChangesMemory, OfOneTransactionOfTenMillionRowsIsFlatInACoroutine) {
  expect_flat([](account& seen) {
    asio::io_context context{1};
    asio::co_spawn(context, follow_until_all(how(), seen), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
    context.run();
  });
}

}  // namespace
