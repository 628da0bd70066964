// Spans on a real server: which there are, and what they are part of.
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <sluice/sluice.hpp>
#include <sluice/stream/changes.hpp>
#include <sluice/stream/copy.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cluster.hpp"

namespace tracing_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using kind = sluice::span_event::kind;
using sluice::sql;
using sluice::trace_context;

struct span {
  kind is;
  trace_context context;
  std::array<std::byte, 8> parent;
  std::chrono::system_clock::time_point began;
  std::chrono::nanoseconds took;
  std::string database;
  std::string text;
  std::uint64_t rows;
  std::uint64_t bytes;
  bool has_failed;
  bool was_left;
};

struct span_list : sluice::observer {
  void on_span(const sluice::span_event& event) noexcept override {
    all.push_back({event.is, event.context, event.parent_id, event.began, event.took, std::string{event.database},
                   std::string{event.text}, event.rows, event.bytes, event.failure != nullptr, event.was_left});
  }
  [[nodiscard]] std::vector<span> of(kind what) const {
    std::vector<span> some;
    for (const span& each : all)
      if (each.is == what) some.push_back(each);
    return some;
  }
  std::vector<span> all;
};

sluice::connection_options watched_by(sluice::observer& with, const trace_context& parent = {}) {
  sluice::connection_options each;
  each.watch = &with;
  each.parent = parent;
  return each;
}
sluice::query_options part_of(const trace_context& parent) {
  sluice::query_options how;
  how.parent = parent;
  return how;
}
int count(sluice::row_range rows) {
  int all = 0;
  for ([[maybe_unused]] const sluice::row each : rows) ++all;
  return all;
}
sluice::query numbers(int upto) {
  return sql("select to_json(n) from generate_series(1, $1::int) n", upto).as_document();
}

TEST(Tracing, ReportsAQueryAndItsFirstRow) {
  span_list spans;
  const trace_context parent = trace_context::root();
  const auto before = std::chrono::system_clock::now();
  sluice::client db{dsn(), watched_by(spans, parent)};
  EXPECT_EQ(count(db.stream(numbers(500), part_of(parent))), 500);
  ASSERT_EQ(spans.all.size(), 3U);
  const span connect = spans.all[0];
  EXPECT_EQ(connect.is, kind::connect);
  EXPECT_EQ(connect.parent, parent.span_id);
  const span query = spans.all[2];
  EXPECT_EQ(query.is, kind::query);
  EXPECT_EQ(query.parent, parent.span_id);
  EXPECT_EQ(query.context.trace_id, parent.trace_id);
  EXPECT_EQ(query.rows, 500U);
  EXPECT_EQ(query.bytes, 1392U);
  EXPECT_EQ(query.database, "sluice");
  EXPECT_EQ(query.text, "select to_json(n) from generate_series(1, $1::int) n");
  EXPECT_FALSE(query.has_failed);
  EXPECT_GE(query.began, before);
  EXPECT_LE(query.began, std::chrono::system_clock::now());
  const span first = spans.all[1];
  EXPECT_EQ(first.is, kind::first_row);
  EXPECT_EQ(first.parent, query.context.span_id);
  EXPECT_LE(first.took, query.took);
  EXPECT_NE(query.context.span_id, first.context.span_id);
}

TEST(Tracing, ReportsNothingUnlessTheTraceIsRecorded) {
  span_list spans;
  trace_context unsampled = trace_context::root();
  unsampled.flags = 0;
  for (const trace_context& parent : {trace_context{}, unsampled}) {
    sluice::client db{dsn(), watched_by(spans, parent)};
    EXPECT_EQ(count(db.stream(numbers(5), part_of(parent))), 5);
    db.execute(sql("select 1"), part_of(parent));
  }
  EXPECT_EQ(spans.all.size(), 0U);
  sluice::client unwatched{dsn()};
  EXPECT_EQ(count(unwatched.stream(numbers(5), part_of(trace_context::root()))), 5);
}

TEST(Tracing, ReportsFailuresAndWhatIsAbandoned) {
  span_list spans;
  const sluice::query_options how = part_of(trace_context::root());
  sluice::client db{dsn(), watched_by(spans)};
  EXPECT_THROW(db.execute(sql("select 1 / 0"), how), sluice::error);
  ASSERT_EQ(spans.all.size(), 1U);
  EXPECT_TRUE(spans.all[0].has_failed);
  {
    sluice::row_range rows = db.stream(numbers(10'000'000), how);
    EXPECT_NE(rows.begin(), rows.end());
  }
  EXPECT_EQ(count(db.stream(numbers(1))), 1);
  ASSERT_EQ(spans.of(kind::query).size(), 2U);
  EXPECT_TRUE(spans.of(kind::query)[1].was_left);
  db.execute("select 1; select 2", how);
  EXPECT_EQ(spans.of(kind::query).size(), 3U);
}

TEST(Tracing, ReportsEachPage) {
  span_list spans;
  sluice::query_options how = part_of(trace_context::root());
  how.mode = sluice::fetch_mode::paged;
  how.page_rows = 100;
  sluice::client db{dsn(), watched_by(spans)};
  EXPECT_EQ(count(db.stream(numbers(250), how)), 250);
  const std::vector<span> pages = spans.of(kind::page);
  ASSERT_EQ(pages.size(), 3U);
  EXPECT_EQ(pages[0].rows, 100U);
  EXPECT_EQ(pages[2].rows, 50U);
  const span whole = spans.of(kind::query).at(0);
  for (const span& page : pages) {
    EXPECT_EQ(page.parent, whole.context.span_id);
    EXPECT_GE(page.began + 10us, whole.began);
    EXPECT_LE(page.took, whole.took);
  }
}

TEST(Tracing, ReportsCopies) {
  span_list spans;
  const sluice::query_options how = part_of(trace_context::root());
  sluice::client db{dsn(), watched_by(spans)};
  db.execute("create temp table traced_copy (n int)");
  sluice::blocking_copy_writer into = db.copy_into("traced_copy", {"n"}, how);
  for (int n = 0; n < 10; ++n) into.write(n);
  into.finish();
  sluice::query_options bulk = how;
  bulk.mode = sluice::fetch_mode::bulk;
  EXPECT_EQ(count(db.stream(sql("select to_json(n) from traced_copy").as_document(), bulk)), 10);
  EXPECT_EQ(spans.of(kind::copy).size(), 2U);
  EXPECT_EQ(spans.of(kind::copy).at(1).rows, 10U);
}

void on_a_pool(sluice::observer& with, const trace_context& parent,
               const std::function<asio::awaitable<void>(sluice::pool&)>& work) {
  asio::io_context context{1};
  sluice::pool pool{context.get_executor(), dsn(), {.max_size = 1, .acquire_timeout = 50ms}, watched_by(with, parent)};
  std::exception_ptr failure;
  asio::co_spawn(context, work(pool), [&](std::exception_ptr why) {
    failure = std::move(why);
    pool.close();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
}

TEST(Tracing, ReportsTheWaitForAConnection) {
  span_list spans;
  const trace_context parent = trace_context::root();
  on_a_pool(spans, {}, [&](sluice::pool& pool) -> asio::awaitable<void> {
    const sluice::query_options how = part_of(parent);
    const sluice::query what = numbers(3);
    sluice::pooled_stream rows = pool.stream(what, how);
    for (;;) {
      const sluice::chunk some = co_await rows.next();
      if (!some) break;
    }
    const sluice::query one = sql("select 1");
    (void)co_await pool.execute(one, how);
    sluice::pooled_connection lent = co_await pool.acquire(parent);
    EXPECT_EQ(spans.of(kind::acquire).size(), 3U);
    bool is_refused = false;
    try {
      sluice::pooled_connection another = co_await pool.acquire(parent);
    } catch (const sluice::error&) {
      is_refused = true;
    }
    EXPECT_TRUE(is_refused);
    lent.release();
    const sluice::transaction_options as_part{.parent = parent};
    sluice::transaction block = co_await pool.begin(as_part);
    co_await block.rollback();
  });
  const std::vector<span> waits = spans.of(kind::acquire);
  ASSERT_EQ(waits.size(), 5U);
  for (const span& each : waits) EXPECT_EQ(each.parent, parent.span_id);
  EXPECT_TRUE(waits[3].has_failed);
  EXPECT_GE(waits[3].took, 50ms);
  EXPECT_EQ(spans.of(kind::query).size(), 2U);
  EXPECT_EQ(spans.of(kind::connect).size(), 0U) << "the pool was given no trace";
}

TEST(Tracing, ReportsBatchesOfChanges) {
  psql(
      "drop publication if exists traced_changes; drop table if exists traced_table; create table traced_table (n "
      "int); "
      "create publication traced_changes for table traced_table");
  span_list spans;
  const trace_context parent = trace_context::root();
  sluice::change_options how{.slot = "traced_slot", .publications = {"traced_changes"}};
  how.create = sluice::slot_creation::temporary;
  how.connection = watched_by(spans, parent);
  {
    sluice::blocking_change_stream changes{dsn(), how};
    psql("insert into traced_table select generate_series(1, 3)");
    int seen = 0;
    while (seen < 3) {
      const sluice::change_chunk some = changes.next();
      for ([[maybe_unused]] const sluice::change each : some) ++seen;
    }
    changes.close();
  }
  std::uint64_t rows = 0;
  for (const span& batch : spans.of(kind::change_batch)) {
    EXPECT_EQ(batch.parent, parent.span_id);
    rows += batch.rows;
  }
  EXPECT_EQ(rows, 3U);
}

std::string seen_by_server(sluice::client& db, const sluice::query& what, const sluice::query_options& how) {
  std::string text;
  for (const sluice::row each : db.stream(what, how)) text = each.text();
  return text;
}
const sluice::query& own_text() {
  static const sluice::query what =
      sql("select to_json(query) from pg_stat_activity where pid = pg_backend_pid() -- the end").as_document();
  return what;
}

TEST(Tracing, TellsTheServerInAComment) {
  span_list spans;
  const trace_context parent = trace_context::root();
  sluice::query_options how = part_of(parent);
  sluice::client db{dsn(), watched_by(spans)};
  EXPECT_EQ(seen_by_server(db, own_text(), how).find("traceparent"), std::string::npos) << "off unless asked for";
  how.comment_traceparent = true;
  const std::string seen = seen_by_server(db, own_text(), how);
  const trace_context query = spans.of(kind::query).back().context;
  EXPECT_NE(seen.find("-- the end\\n/*traceparent='" + query.to_string() + "'*/"), std::string::npos) << seen;
  EXPECT_EQ(query.trace_id, parent.trace_id);
  EXPECT_EQ(spans.of(kind::query).back().text.find("traceparent"), std::string::npos);

  const std::string expected = "/*traceparent='" + parent.to_string() + "'*/";
  sluice::client unwatched{dsn()};
  for (const sluice::fetch_mode mode : {sluice::fetch_mode::plain, sluice::fetch_mode::paged}) {
    how.mode = mode;
    EXPECT_NE(seen_by_server(unwatched, own_text(), how).find(expected), std::string::npos) << "of the caller's span";
  }
  how.mode = sluice::fetch_mode::plain;
  const sluice::query undeclared = sql("select query as data from pg_stat_activity where pid = pg_backend_pid()");
  for (int i = 0; i < 3; ++i)
    EXPECT_NE(seen_by_server(unwatched, undeclared, how).find(expected), std::string::npos) << i;
  unwatched.execute("create temp table traced_texts (t text)");
  unwatched.execute(sql("insert into traced_texts select query from pg_stat_activity where pid = pg_backend_pid()"),
                    how);
  unwatched.execute("insert into traced_texts select query from pg_stat_activity where pid = pg_backend_pid()", how);
  const sluice::query kept =
      sql("select to_json(count(*)) from traced_texts where t like '%' || $1", expected).as_document();
  EXPECT_EQ(seen_by_server(unwatched, kept, {}), "2");
  how.mode = sluice::fetch_mode::bulk;
  EXPECT_EQ(seen_by_server(unwatched, own_text(), how).find("traceparent"), std::string::npos);
  how.mode = sluice::fetch_mode::plain;
  how.parent = {};
  EXPECT_EQ(seen_by_server(unwatched, own_text(), how).find("traceparent"), std::string::npos);
}

TEST(Tracing, RefusesCommentsWhereStatementsStayPrepared) {
  sluice::connection_options each;
  each.statement_cache = 8;
  sluice::client db{dsn(), each};
  sluice::query_options how = part_of(trace_context::root());
  how.comment_traceparent = true;
  try {
    (void)count(db.stream(numbers(1), how));
    ADD_FAILURE() << "not refused";
  } catch (const sluice::error& why) {
    EXPECT_EQ(why.code(), sluice::errc::bad_query);
    EXPECT_NE(std::string_view{why.what()}.find("statement_cache"), std::string_view::npos) << why.what();
  }
  EXPECT_EQ(count(db.stream(numbers(1))), 1) << "the connection goes on";
}

}  // namespace
}  // namespace tracing_test
