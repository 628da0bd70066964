// Ten million rows as Arrow batches, over one connection and over four: the peak of the process's memory is given by
// the bounds of a batch, whatever the number of rows. Run by ci/load, in a process of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <optional>
#include <sluice/arrow/reader.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stream/parallel.hpp>
#include <string>

#include "arrow_values.hpp"
#include "cluster.hpp"
#include "process.hpp"

namespace {

using namespace sluice;
using sluice::test::dsn;
using sluice::test::psql;
using sluice::test::value_at;
using clock = std::chrono::steady_clock;

constexpr std::uint64_t count{10'000'000};
constexpr long receive_buffers{1L << 20};  // of a connection, with its session

/// What all rows have in common is their sum, in whatever order they come.
struct totals {
  std::uint64_t rows{0};
  std::uint64_t ids{0};
  std::uint64_t batches{0};
  std::size_t longest{0};
  long early_peak{0};  // when a tenth was read

  void read(arrow_reader from) {
    const arrow_schema schema = from.schema();
    ASSERT_STREQ(schema.schema().children[0]->format, "l");
    while (const arrow_batch batch = from.next()) {
      const ArrowArray& of = batch.array();
      for (std::int64_t i = 0; i < of.length; ++i)
        ids += static_cast<std::uint64_t>(value_at<std::int64_t>(of.children[0]->buffers[1], i));
      rows += batch.rows();
      longest = std::max(longest, batch.rows());
      ++batches;
      if (early_peak == 0 && rows >= count / 10) early_peak = sluice::test::peak_resident_bytes();
    }
  }
};

class ArrowMemory : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(
        "create unlogged table load_columns (id int8, at timestamptz, price numeric(12,2), kind text, note text);"
        "insert into load_columns select i, timestamptz '2025-01-01' + i * interval '1 s', i % 100000 / 100.0, "
        "'kind ' || i % 100, case when i % 3 > 0 then md5(i::text) end from generate_series(1, 10000000) i");
    psql("vacuum (analyze, freeze) load_columns");
  }
  static void TearDownTestSuite() { psql("drop table load_columns"); }

  /// Reads everything as `open` says, and compares memory with what a batch may take.
  template <class Open>
  static void expect_bounded(const char* what, const arrow_options& how, long connections, const Open& open) {
    SCOPED_TRACE(what);
    const long before = sluice::test::begin_peak_of_memory();
    const clock::time_point began = clock::now();
    totals seen;
    seen.read(open());
    const std::chrono::duration<double> took = clock::now() - began;
    const long peak = sluice::test::peak_resident_bytes();
    std::cout << what << ", batches of " << how.max_bytes << " bytes: " << took.count() << " s, " << seen.batches
              << " batches; memory " << before << ", after a tenth " << seen.early_peak << ", peak " << peak << '\n';
    EXPECT_EQ(seen.rows, count);
    EXPECT_EQ(seen.ids, count * (count + 1) / 2);
    EXPECT_LE(seen.longest, how.max_rows);
    // The batch in use, the one that is made meanwhile, and a column that moves to a larger place.
    const auto batches = 3 * static_cast<long>(how.max_bytes);
    EXPECT_LE(peak - before, batches + connections * receive_buffers);
    // A later batch may have more columns to move; what grew with the rows would be tens of megabytes.
    EXPECT_LE(peak - seen.early_peak, (1L << 20) + static_cast<long>(how.max_bytes)) << "memory grows with the rows";
  }
};

constexpr arrow_options small{.max_rows = 100'000, .max_bytes = 1U << 20U};

TEST_F(ArrowMemory, OfTenMillionRowsOverOneConnectionIsThatOfABatch) {
  for (const arrow_options& how : {small, arrow_options{}})
    for (const fetch_mode mode : {fetch_mode::plain, fetch_mode::bulk, fetch_mode::paged}) {
      client db{dsn()};
      const char* const name = mode == fetch_mode::plain ? "plain" : mode == fetch_mode::bulk ? "in bulk" : "paged";
      expect_bounded(name, how, 1, [&] {
        return db.arrow(sql("select * from load_columns"), how, {.mode = mode, .page_rows = 10'000});
      });
    }
}

TEST_F(ArrowMemory, OfTenMillionRowsOverFourConnectionsIsThatOfABatchAndFourBuffers) {
  for (const arrow_options& how : {small, arrow_options{}}) {
    parallel_options parallel;
    parallel.connections = 4;
    const relation all = arrow_relation(from("load_columns").of_columns(), how);
    expect_bounded("four connections", how, 4, [&] { return arrow_reader{parallel_range{dsn(), all, parallel}, how}; });
    parallel.query.mode = fetch_mode::bulk;
    expect_bounded("four connections in bulk", how, 4,
                   [&] { return arrow_reader{parallel_range{dsn(), all, parallel}, how}; });
  }
}

}  // namespace
