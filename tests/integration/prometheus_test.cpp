// The metrics of a pool on a real server, as Prometheus would scrape them.
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <sluice/cache/result_cache.hpp>
#include <sluice/stream/prometheus.hpp>
#include <string>
#include <thread>

#include "asking.hpp"
#include "cluster.hpp"
#include "followed.hpp"

namespace prometheus_test {
namespace {

using namespace sluice::test;
using sluice::sql;

std::string scraped(const prometheus::Registry& registry) {
  return prometheus::TextSerializer{}.Serialize(registry.Collect());
}

/// The value of a series, or -1.
double value(const std::string& text, const std::string& series) {
  const std::size_t at = text.find('\n' + series + ' ');
  return at == text.npos ? -1 : std::stod(text.substr(at + series.size() + 2));
}

asio::awaitable<void> use(sluice::pool& from) {
  for (int i = 0; i < 3; ++i) {
    sluice::pooled_connection lent = co_await from.acquire();
    const std::string all =
        co_await answer(*lent, sql("select to_json(n) from generate_series(1, 50) n").as_document());
    EXPECT_FALSE(all.empty());
  }
  sluice::pooled_connection lent = co_await from.acquire();
  (void)co_await answer(*lent, sql("select 1 / 0").as_document());
  {
    const sluice::query endless = sql("select to_json(generate_series(1, 100000000))").as_document();
    sluice::row_stream rows = co_await lent->stream(endless);
    const sluice::chunk chunk = co_await rows.next();
    EXPECT_TRUE(chunk);
  }
  (void)co_await answer(*lent, sql("select to_json(1)").as_document());
  lent.release();
  from.close();
}

asio::awaitable<void> use_cache(sluice::pool& from, sluice::result_cache& cache) {
  for (int i = 0; i < 4; ++i) {
    sluice::pooled_stream rows = cache.stream(sql("select to_json(1)").as_document());
    for (;;) {
      const sluice::chunk chunk = co_await rows.next();
      if (!chunk) break;
    }
    if (i == 1) cache.invalidate_all();
  }
  const sluice::cache_use past{.how = sluice::cache_use::mode::bypass};
  sluice::pooled_stream rows = cache.stream(sql("select to_json(1)").as_document(), past);
  (void)co_await rows.next();
  from.close();
}

TEST(Prometheus, ShowsWhatACacheHasDone) {
  prometheus::Registry registry;
  sluice::prometheus_observer metrics{registry, "main"};
  {
    asio::io_context context{1};
    sluice::pool from{context.get_executor(), dsn()};
    sluice::result_cache cache{from, {.watch = &metrics}};
    asio::co_spawn(context, use_cache(from, cache), asio::detached);
    context.run();
  }
  const std::string text = scraped(registry);
  const std::string pool = R"(db_client_connection_pool_name="main")";
  const auto calls = [&](const std::string& answer) {
    return value(text, "sluice_cache_calls_total{answer=\"" + answer + "\"," + pool + "}");
  };
  EXPECT_EQ(calls("hit"), 2) << text;
  EXPECT_EQ(calls("miss"), 2);
  EXPECT_EQ(calls("bypass"), 1);
  EXPECT_EQ(value(text, "sluice_cache_results_total{" + pool + ",outcome=\"stored\"}"), 2);
  EXPECT_EQ(value(text, "sluice_cache_hit_age_seconds_count{" + pool + "}"), 2);
  EXPECT_EQ(value(text, "sluice_cache_entries{" + pool + "}"), 1);
  EXPECT_GT(value(text, "sluice_cache_bytes{" + pool + "}"), 0);
}

TEST(Prometheus, ShowsWhatAPoolHasDone) {
  prometheus::Registry registry;
  sluice::prometheus_observer metrics{registry, "main"};
  sluice::connection_options each;
  each.watch = &metrics;
  {
    asio::io_context context{1};
    sluice::pool from{context.get_executor(), dsn(), {.max_size = 2}, each};
    asio::co_spawn(context, use(from), asio::detached);
    context.run();
  }
  const std::string text = scraped(registry);
  const std::string good = R"({db_namespace="sluice",db_system_name="postgresql",error_type=""})";
  const std::string bad = R"({db_namespace="sluice",db_system_name="postgresql",error_type="sql"})";
  EXPECT_EQ(value(text, "db_client_operation_duration_seconds_count" + good), 5) << text;
  EXPECT_EQ(value(text, "db_client_operation_duration_seconds_count" + bad), 1) << text;
  EXPECT_GE(value(text, "db_client_response_returned_rows_sum" + good), 151);
  EXPECT_EQ(value(text, "sluice_first_row_seconds_count" + good), 5);
  EXPECT_GT(value(text, R"(sluice_document_bytes_total{db_namespace="sluice"})"), 150);
  EXPECT_EQ(value(text, R"(sluice_left_queries_total{outcome="cancelled"})"), 1);
  EXPECT_GE(value(text, "sluice_cancel_requests_total"), 1);
  EXPECT_EQ(value(text, "db_client_connection_create_time_seconds_count" + good), 1);
  EXPECT_EQ(value(text, R"(db_client_connection_wait_time_seconds_count{db_client_connection_pool_name="main"})"), 4);
  EXPECT_EQ(value(text, R"(db_client_connection_use_time_seconds_count{db_client_connection_pool_name="main"})"), 4);
  for (const char* const state : {"idle", "used"})
    EXPECT_EQ(value(text, std::string{R"(db_client_connection_count{db_client_connection_pool_name="main",)"} +
                              "db_client_connection_state=\"" + state + "\"}"),
              0)
        << "closed";
}

TEST(Prometheus, ShowsHowAChangeStreamIs) {
  const published here{"metered_slot"};
  prometheus::Registry registry;
  sluice::prometheus_observer metrics{registry};
  sluice::change_options how = here.kept();
  how.connection.watch = &metrics;
  sluice::blocking_change_stream changes{dsn(), how};
  here.run("insert into t values (1, 'a'), (2, 'b')");
  int seen = 0;
  while (seen < 2) {
    const sluice::change_chunk some = changes.next();
    for ([[maybe_unused]] const sluice::change each : some) ++seen;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds{2});
  (void)changes.lag();
  const std::string text = scraped(registry);
  const std::string slot = R"(slot="metered_slot")";
  EXPECT_EQ(value(text, "sluice_changes_total{" + slot + '}'), 2) << text;
  EXPECT_GT(value(text, "sluice_changes_behind_bytes{" + slot + '}'), 0);
  EXPECT_GE(value(text, "sluice_changes_unacknowledged_seconds{" + slot + '}'), 0.001);
  EXPECT_EQ(value(text, "sluice_slot_active{" + slot + '}'), 1);
  EXPECT_GT(value(text, "sluice_slot_retained_bytes{" + slot + '}'), 0);
  EXPECT_EQ(value(text, "sluice_slot_wal_status{" + slot + R"(,status="reserved"})"), 1);
  EXPECT_EQ(value(text, "sluice_slot_wal_status{" + slot + R"(,status="lost"})"), 0);
}

TEST(Prometheus, HasFewValuesForALabel) {
  prometheus::Registry registry;
  sluice::prometheus_observer metrics{registry};
  for (int i = 0; i < 1'000; ++i) {
    const std::string database = "db" + std::to_string(i);
    sluice::connect_event event;
    event.database = database;
    metrics.on_connect(event);
  }
  const std::string text = scraped(registry);
  EXPECT_EQ(value(text, R"(db_client_connection_create_time_seconds_count{db_namespace="db31",)"
                        R"(db_system_name="postgresql",error_type=""})"),
            1);
  EXPECT_EQ(value(text, R"(db_client_connection_create_time_seconds_count{db_namespace="other",)"
                        R"(db_system_name="postgresql",error_type=""})"),
            968);
}

}  // namespace
}  // namespace prometheus_test
