// Pages of a server at a distance: many of them are on their way at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/sluice.hpp>
#include <sluice/stream/single_row.hpp>

#include "cluster.hpp"
#include "distant_server.hpp"
#include "watching.hpp"

namespace distant_pages_test {
namespace {

using namespace std::chrono_literals;
using namespace sluice::test;
using sluice::sql;

class DistantPages : public testing::Test {
 protected:
  sluice::row_range pages_of(const sluice::query& what, std::uint32_t rows = 10, std::size_t bytes = 16U << 20U) {
    return db_.stream(what, {.mode = sluice::fetch_mode::paged, .page_rows = rows, .page_bytes = bytes});
  }
  /// Reads numbers from 1 on.
  /// @return how many there were
  static std::uint64_t read(sluice::row_range& rows, std::uint64_t most = UINT64_MAX) {
    std::uint64_t seen = 0;
    while (seen < most) {
      const sluice::chunk some = rows.next();
      if (!some) break;
      for (const sluice::row each : some) EXPECT_EQ(each.text(), std::to_string(++seen));
    }
    return seen;
  }
  void expect_usable() { EXPECT_EQ(sluice::value<int>(db_, sql("select 7")), 7); }

  distant_server far_away_{static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT"))), 8ms};
  std::string far_dsn_{cluster_value("SLUICE_TEST_TCP_DSN") +
                       " sslmode=disable port=" + std::to_string(far_away_.port())};
  sluice::client db_{far_dsn_};
};

sluice::query numbers(int count) { return sql("select to_json(n) from generate_series(1, $1) n", count).as_document(); }

/// The most pages that were requested and had not ended.
int most_under_way(const std::vector<std::string>& messages) {
  int now = 0;
  int most = 0;
  for (const std::string_view message : messages) {
    const bool is_request = message.starts_with('F') && message.find("Execute") != message.npos;
    const bool is_end = message.find("PortalSuspended") != message.npos;
    now += (is_request ? 1 : 0) - (is_end ? 1 : 0);
    most = std::max(most, now);
  }
  return most;
}

TEST_F(DistantPages, ComeManyAtATime) {
  recorder seen;
  db_ = sluice::client{far_dsn_, {.watch = &seen, .trace = true}};
  {
    sluice::row_range rows = pages_of(numbers(3'005));
    EXPECT_EQ(read(rows), 3'005U);
    EXPECT_EQ(rows.stats().pages, 301U);
  }
  EXPECT_GE(most_under_way(seen.lines), 8) << "so many are tried at least";
  db_ = sluice::client{far_dsn_};
  expect_usable();
}

TEST_F(DistantPages, EndWithTheErrorOfOneOfThem) {
  sluice::row_range rows =
      pages_of(sql("select to_json(n + 0 / (n - 1005)) from generate_series(1, 3000) n").as_document());
  std::uint64_t seen = 0;
  try {
    while (const sluice::chunk some = rows.next())
      for (const sluice::row each : some) EXPECT_EQ(each.text(), std::to_string(++seen));
    ADD_FAILURE() << "no error";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.sqlstate(), "22012");
    EXPECT_TRUE(e.connection_usable());
  }
  EXPECT_EQ(seen, 1'004U);
  expect_usable();
}

TEST_F(DistantPages, EndWithTheErrorOfOneOfThemInATransaction) {
  sluice::blocking_transaction of = db_.begin();
  sluice::row_range rows =
      of.stream(sql("select to_json(n + 0 / (n - 1005)) from generate_series(1, 3000) n").as_document(),
                {.mode = sluice::fetch_mode::paged, .page_rows = 10});
  EXPECT_THROW(read(rows), sluice::error);
  of.rollback();
  expect_usable();
}

TEST_F(DistantPages, AreLeftInTheMiddle) {
  for (const std::uint64_t most : {1U, 25U, 400U, 1'500U}) {
    {
      sluice::row_range rows = pages_of(numbers(100'000));
      EXPECT_GE(read(rows, most), most);
    }
    expect_usable();
  }
  sluice::row_range rows = pages_of(numbers(100'000));
  EXPECT_GE(read(rows, 400), 400U);
  (void)rows.cancel();
  expect_usable();
}

TEST_F(DistantPages, FitIntoWhatMayBeBufferedForAnotherQuery) {
  constexpr std::size_t little = 64U << 10U;
  sluice::row_range rows =
      pages_of(sql("select to_json(repeat('x', 1000)) from generate_series(1, 2000) n").as_document(), 10, little);
  std::uint64_t seen = 0;
  while (const sluice::chunk some = rows.next()) {
    for (const sluice::row each : some) seen += each.text().size() == 1'002 ? 1U : 0U;
    if (seen % 100 < 10) expect_usable();
  }
  EXPECT_EQ(seen, 2'000U);
}

TEST_F(DistantPages, FitAlsoIfTheirRowsHaveManyColumnsAndFewBytes) {
  std::string text = "select n";
  for (int i = 0; i < 200; ++i) text += ", null::int";
  sluice::row_range rows = pages_of(sql(text + " from generate_series(1, 3000) n").as_columns(), 10, 256U << 10U);
  int seen = 0;
  while (const sluice::chunk some = rows.next()) {
    for (const sluice::row each : some) EXPECT_EQ(each.get<int>(0), ++seen);
    if (seen % 300 < 10) expect_usable();
  }
  EXPECT_EQ(seen, 3'000);
}

TEST_F(DistantPages, AreThoseOfStatementsThatWriteAndOfCommandsThatReturnRows) {
  db_.execute("create temp table distant_written (n int)");
  sluice::row_range written = pages_of(
      sql("insert into distant_written select n from generate_series(1, 505) n returning to_json(n)").as_document());
  EXPECT_EQ(read(written), 505U);
  EXPECT_EQ(sluice::value<std::int64_t>(db_, sql("select count(*) from distant_written")), 505);
  std::uint64_t settings = 0;
  sluice::row_range shown = pages_of(sql("show all").as_columns());
  while (const sluice::chunk some = shown.next())
    for (const sluice::row each : some) settings += each.get<std::string>(0).empty() ? 0U : 1U;
  EXPECT_GT(settings, 100U);
  expect_usable();
}

}  // namespace
}  // namespace distant_pages_test
