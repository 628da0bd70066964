// What an observer receives, and what a trace contains.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "watching.hpp"

namespace telemetry_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::errc;
using sluice::sql;

sluice::connection_options watched(recorder& by, bool trace = false) {
  sluice::connection_options options;
  options.watch = &by;
  options.trace = trace;
  return options;
}

std::vector<std::string> names(const recorder& seen) {
  std::vector<std::string> all;
  for (const recorder::step& each : seen.steps) all.push_back(each.what);
  return all;
}

TEST(Observer, IsToldEachStepOfConnecting) {
  recorder seen;
  const sluice::client db{tcp_dsn() + " sslmode=require", watched(seen)};
  EXPECT_EQ(names(seen), (std::vector<std::string>{"dial", "tls", "authentication", "connect"}));
  EXPECT_FALSE(seen.steps.back().failure);
  EXPECT_TRUE(seen.steps.back().tls_version.starts_with("TLSv1.")) << seen.steps.back().tls_version;
  EXPECT_NE(seen.steps.back().host.find(':'), std::string::npos) << seen.steps.back().host;
}

TEST(Observer, IsToldWhyNobodyGotIn) {
  recorder seen;
  EXPECT_THROW((sluice::client{dsn() + " dbname=missing", watched(seen)}), sluice::error);
  EXPECT_EQ(names(seen), (std::vector<std::string>{"dial", "authentication", "connect"}));
  EXPECT_EQ(seen.steps[1].failure, errc::server_error);
  EXPECT_EQ(seen.steps[2].failure, errc::server_error);
}

template <class Face>
class Watched : public testing::Test {};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(Watched, faces);

TYPED_TEST(Watched, QueriesAreToldFromTheirFlightToTheirEnd) {
  recorder seen;
  const auto what = sql("select to_json(n) as told from generate_series(1, $1) n", 50'000).as_document();
  const outcome got = TypeParam::ask(dsn(), what, {}, watched(seen));
  const std::size_t ours = 0;  // the coroutine test sends another one afterwards
  ASSERT_FALSE(seen.ends.empty());
  EXPECT_EQ(seen.queries[ours].text, what.text());
  EXPECT_FALSE(seen.queries[ours].database.empty());
  EXPECT_EQ(seen.first_rows, 1U);
  EXPECT_EQ(seen.chunks, got.stats.chunks);
  EXPECT_GT(seen.chunk_bytes, got.stats.bytes);
  EXPECT_GE(seen.least_consumer_wait.count(), 0);
  EXPECT_LE(seen.consumer_waits, seen.ends[ours].consumer_wait);
  EXPECT_EQ(seen.ends[ours].rows, 50'000U);
  EXPECT_EQ(seen.ends[ours].bytes, got.stats.bytes);
  EXPECT_FALSE(seen.ends[ours].failure);
  EXPECT_FALSE(seen.ends[ours].was_left);
  EXPECT_GT(seen.ends[ours].first_row.count(), 0);
  EXPECT_GE(seen.ends[ours].took, seen.ends[ours].first_row);
  EXPECT_GE(seen.ends[ours].took, seen.ends[ours].server_wait + seen.ends[ours].consumer_wait);
}

TYPED_TEST(Watched, QueriesThatFailAreTold) {
  recorder seen;
  (void)TypeParam::ask(dsn(), sql("select 1 / 0").as_document(), {}, watched(seen));
  ASSERT_FALSE(seen.ends.empty());
  EXPECT_EQ(seen.ends[0].failure, errc::server_error);
  EXPECT_EQ(seen.first_rows, 0U);
}

TEST(Observer, IsToldHowAQueryWasLeft) {
  recorder seen;
  sluice::client db{dsn(), watched(seen)};
  {
    const sluice::row_range rows = db.stream(sql("select to_json(generate_series(1, 100000000))").as_document());
  }
  ASSERT_EQ(seen.ends.size(), 1U);
  EXPECT_TRUE(seen.ends[0].was_left);
  ASSERT_EQ(seen.leaves.size(), 1U);
  EXPECT_EQ(seen.leaves[0].outcome, sluice::leaving::cancelled);
  EXPECT_GE(seen.leaves[0].requests, 1);
  EXPECT_GT(seen.leaves[0].took.count(), 0);
}

TEST(Observer, TellsTheServersTimeFromTheConsumers) {
  recorder seen;
  sluice::client db{dsn(), watched(seen)};
  sluice::row_range rows = db.stream(sql("select to_json(n), pg_sleep(0.1) from generate_series(1, 2) n").as_object());
  EXPECT_TRUE(rows.next());
  std::this_thread::sleep_for(50ms);
  while (rows.next()) {
  }
  ASSERT_EQ(seen.ends.size(), 1U);
  EXPECT_GE(seen.ends[0].server_wait, 100ms);
  EXPECT_GE(seen.ends[0].consumer_wait, 50ms);
}

TEST(Observer, IsToldHowLongAStatementTookThatWentOnAfterAPause) {
  recorder seen;
  sluice::client db{dsn(), watched(seen)};
  db.execute("create temp table paused (n int)");
  {
    const auto what = sql("insert into paused select generate_series(1, 1000) returning n").as_columns();
    sluice::row_range rows = db.stream(what, {.mode = sluice::fetch_mode::paged, .page_rows = 100});
    EXPECT_TRUE(rows.next());
    rows.pause();
    std::this_thread::sleep_for(100ms);
  }
  ASSERT_EQ(seen.ends.size(), 2U);
  EXPECT_TRUE(seen.ends[1].was_left);
  EXPECT_GE(seen.ends[1].took, 100ms);
  EXPECT_GE(seen.ends[1].took, seen.ends[1].server_wait);
}

TEST(StreamStats, CountAHandlersTimeBeforeTheFirstRow) {
  sluice::client db{dsn()};
  db.execute(
      "create function pg_temp.told() returns int language plpgsql as $$ begin raise notice 'once'; return 1; end $$");
  db.on_notice([](const sluice::server_message& /*notice*/) { std::this_thread::sleep_for(50ms); });
  sluice::row_range rows = db.stream(sql("select pg_temp.told()").as_columns());
  EXPECT_TRUE(rows.next());
  EXPECT_GE(rows.stats().first_row, 50ms);
  EXPECT_FALSE(rows.next());
}

TEST(Observer, IsWarnedOfALargeRowOnce) {
  recorder seen;
  sluice::connection_options options = watched(seen);
  options.max_row_bytes = 100'000;
  sluice::client db{dsn(), options};
  const auto rows = [&](int bytes) {
    return sql("select to_json(repeat('x', $1::int)) from generate_series(1, 3)", bytes).as_document();
  };
  EXPECT_EQ(answer(db, rows(50'000)).size(), 3 * 50'002U);
  EXPECT_TRUE(seen.limits.empty());
  EXPECT_EQ(answer(db, rows(90'000)).size(), 3 * 90'002U);
  ASSERT_EQ(seen.limits.size(), 1U);
  EXPECT_EQ(seen.limits[0].of, sluice::limit_event::kind::row);
  EXPECT_GE(seen.limits[0].bytes, 90'000U);
  EXPECT_EQ(seen.limits[0].limit, 100'000U);
  EXPECT_NE(answer(db, rows(110'000)).find("row limit"), std::string::npos);
}

TEST(Observer, IsWarnedBeforeAStreamIsTooLarge) {
  recorder seen;
  sluice::client db{dsn(), watched(seen)};
  const sluice::query_options bounded{.max_stream_bytes = 1'000'000};
  sluice::row_range rows =
      db.stream(sql("select to_json(repeat('x', 1000)) from generate_series(1, 100000)").as_document(), bounded);
  std::uint64_t taken = 0;
  try {
    while (const sluice::chunk chunk = rows.next()) {
      for (const sluice::row row : chunk) taken += row.text().size();
      if (taken < 790'000) {
        EXPECT_TRUE(seen.limits.empty());
      }
    }
    ADD_FAILURE() << "it is larger";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::stream_too_large);
    EXPECT_EQ(e.kind(), sluice::condition::limit);
  }
  ASSERT_EQ(seen.limits.size(), 1U);
  EXPECT_EQ(seen.limits[0].of, sluice::limit_event::kind::stream);
  EXPECT_LT(taken, 1'200'000U);
  EXPECT_EQ(rows.cancel(), sluice::leaving::cancelled);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

TEST(Observer, IsWarnedOfPagesThatWaitForAnotherQuery) {
  recorder seen;
  sluice::client db{dsn(), watched(seen)};
  const sluice::query_options in_pages{.mode = sluice::fetch_mode::paged, .page_rows = 100, .page_bytes = 250'000};
  sluice::row_range rows =
      db.stream(sql("select to_json(repeat('x', 1000)) from generate_series(1, 1000)").as_document(), in_pages);
  EXPECT_TRUE(rows.next());
  EXPECT_TRUE(seen.limits.empty());
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  EXPECT_TRUE(seen.limits.empty()) << "two pages of 100 kB at most were on their way";
  rows = db.stream(sql("select to_json(repeat('x', 1000)) from generate_series(1, 1000)").as_document(),
                   {.mode = sluice::fetch_mode::paged, .page_rows = 230, .page_bytes = 250'000});
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  ASSERT_EQ(seen.limits.size(), 1U);
  EXPECT_EQ(seen.limits[0].of, sluice::limit_event::kind::aside);
  EXPECT_GE(seen.limits[0].bytes, 200'000U);
}

TEST(Trace, ShowsTheMessagesInTheirOrder) {
  recorder seen;
  {
    sluice::client db{dsn(), watched(seen, true)};
    EXPECT_EQ(answer(db, sql("select to_json($1::int)", 7).as_document()), "7");
    EXPECT_NE(answer(db, sql("select 1 / 0").as_document()), "");
  }
  std::vector<std::string> expected{"F ",
                                    "StartupMessage 3.",
                                    "B ",
                                    "Authentication 0",
                                    "BackendKeyData",
                                    "ReadyForQuery I",
                                    "Parse \"\" \"select to_json($1::int)\"",
                                    "Bind \"\" \"\"",
                                    "Describe P \"\"",
                                    "Execute \"\" 0",
                                    "Sync",
                                    "ParseComplete",
                                    "BindComplete",
                                    "RowDescription 1",
                                    "DataRow 1",
                                    "CommandComplete \"SELECT 1\"",
                                    "ReadyForQuery I",
                                    "ErrorResponse ERROR 22012 \"division by zero\"",
                                    "Terminate"};
  auto at = seen.lines.begin();
  for (const std::string& each : expected) {
    const auto found =
        std::find_if(at, seen.lines.end(), [&](const std::string& line) { return line.find(each) != line.npos; });
    ASSERT_NE(found, seen.lines.end()) << each;
    at = found;
  }
}

TEST(Trace, LeavesOutWhatIsSecret) {
  recorder seen;
  sluice::client db{as_user("scram_user") + " sslmode=require", watched(seen, true)};
  (void)answer(db, sql("select to_json($1::text)", "a value of the caller's").as_document());
  EXPECT_TRUE(seen.has_line("SSLRequest"));
  EXPECT_TRUE(seen.has_line("SSLResponse S"));
  EXPECT_TRUE(seen.has_line("Authentication answer, left out"));
  EXPECT_FALSE(seen.has_line("a value of"));
  EXPECT_FALSE(seen.has_line("n=,r=")) << "SASL";
  EXPECT_FALSE(seen.has_line(std::string{user_password}));
}

TEST(Trace, PassesOverTheRestOfLongMessages) {
  recorder seen;
  sluice::client db{dsn(), watched(seen, true)};
  EXPECT_EQ(answer(db, sql("select to_json(repeat('x', 1000000))").as_document()).size(), 1'000'002U);
  EXPECT_TRUE(seen.has_line("B 1000013 DataRow 1"));
  for (const std::string& line : seen.lines) EXPECT_LT(line.size(), 1'000U);
}

}  // namespace
}  // namespace telemetry_test
