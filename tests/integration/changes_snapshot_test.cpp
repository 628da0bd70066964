// A snapshot before the changes: the rows that were there, once each, and then what happens to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <exception>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "followed.hpp"

namespace changes_snapshot_test {
namespace {

using namespace sluice::test;
using sluice::change;
using sluice::change_chunk;
using sluice::change_options;
using sluice::errc;
using sluice::operation;
using sluice::position;
using testing::ElementsAre;
using strings = std::vector<std::string>;

/// What a table is, rebuilt from what was told of it: each row under its id.
class rebuilt {
 public:
  void apply(const change& each) {
    ++changes_;
    const std::string id = id_of(each.operation() == operation::remove ? each.old_text() : each.text());
    switch (each.operation()) {
      case operation::snapshot: EXPECT_TRUE(rows_.emplace(id, each.text()).second) << "each row once"; break;
      case operation::insert: rows_[id] = each.text(); break;
      case operation::update:
        if (!each.old_text().empty()) rows_.erase(id_of(each.old_text()));
        rows_[id] = each.text();
        break;
      case operation::remove: rows_.erase(id); break;
      case operation::truncate: rows_.clear(); break;
      default: break;
    }
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& [id, row] : rows_) all += row + '\n';
    return all;
  }

 private:
  static std::string id_of(std::string_view text) {
    const std::size_t begin = text.find(':') + 1;
    std::string id{text.substr(begin, text.find_first_of(",}", begin) - begin)};
    return std::string(10 - std::min<std::size_t>(10, id.size()), '0') + id;
  }
  std::map<std::string, std::string> rows_;
  int changes_{0};
};

class Snapshot : public testing::TestWithParam<std::uint32_t> {};
TEST_P(Snapshot, IsFollowedByChangesWithoutASeam) {
  const published here{"without_a_seam"};
  here.run("insert into t select n, 'before' from generate_series(1, 3000) n");
  std::atomic<bool> is_over{false};
  std::thread writer{[&] {
    sluice::client db{dsn()};
    db.execute("set search_path = " + here.name());
    for (int i = 0; !is_over; ++i) {
      const std::string n = std::to_string(i % 3000 + 1);
      db.execute("update t set v = 'changed " + std::to_string(i) + "' where id = " + n);
      db.execute("delete from t where id = " + std::to_string(i * 7 % 3000));
      db.execute("insert into t values (" + std::to_string(10000 + i) + ", 'new')");
    }
    db.execute("insert into t values (0, 'last')");
  }};
  change_options how = here.kept();
  how.snapshot = sluice::initial_snapshot::when_created;
  how.snapshot_connections = GetParam();
  sluice::blocking_change_stream changes{dsn(), how};
  rebuilt table;
  bool is_last = false;
  int after = 0;
  position before{};
  while (!is_last) {
    const change_chunk some = changes.next();
    for (const change each : some) {
      EXPECT_LT(before, each.position());
      before = each.position();
      table.apply(each);
      if (each.operation() != operation::snapshot && ++after == 500) is_over = true;
      is_last = each.text() == R"({"id":0,"v":"last"})";
    }
    changes.acknowledge(some.last());
  }
  writer.join();
  EXPECT_EQ(table.text(), here.ask("select row_to_json(t) from t order by id") + '\n');
  EXPECT_EQ(here.slot("temporary"), "f");
}
INSTANTIATE_TEST_SUITE_P(Connections, Snapshot, testing::Values(1, 3));

TEST(SnapshotOfChanges, WaitsForItsAcknowledgement) {
  const published here{"not_acknowledged"};
  here.run("insert into t values (1, 'a')");
  change_options how = here.kept();
  how.snapshot = sluice::initial_snapshot::when_created;
  {
    sluice::blocking_change_stream changes{dsn(), how};
    strings seen;
    change_chunk some = changes.next();
    for (const change each : some) seen.push_back(line_of(each));
    EXPECT_THAT(seen, ElementsAre(R"(snapshot t {"id":1,"v":"a"})"));
    some = changes.next();
    EXPECT_TRUE(some);
    try {
      (void)changes.next();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::bad_state) << e.what();
    }
    EXPECT_EQ(here.slot("slot_name"), "") << "nothing stays of a snapshot that was not acknowledged";
    changes.acknowledge(some.last());
    here.run("insert into t values (2, 'b')");
    EXPECT_THAT(take(changes, 1), ElementsAre(R"(insert t {"id":2,"v":"b"})"));
  }
  EXPECT_EQ(here.slot("temporary"), "f");
}

TEST(SnapshotOfChanges, RespectsFiltersAndColumnLists) {
  if (server_version() < 150000) GTEST_SKIP() << "publications have them from 15 on";
  psql(
      "drop schema if exists filtered cascade; create schema filtered; create table filtered.t (id int primary key, v"
      " text, hidden int); insert into filtered.t values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");
  psql("create publication filtered for table filtered.t (id, v) where (id > 1)");
  change_options how;
  how.slot = "filtered";
  how.publications.emplace_back("filtered");
  how.create = sluice::slot_creation::temporary;
  how.snapshot = sluice::initial_snapshot::when_created;
  {
    sluice::blocking_change_stream changes{dsn(), how};
    strings seen = take(changes, 2);
    psql("insert into filtered.t values (0, 'd', 4), (4, 'e', 5)");
    for (const std::string& each : take(changes, 1)) seen.push_back(each);
    EXPECT_THAT(seen, ElementsAre(R"(snapshot t {"id":2,"v":"b"})", R"(snapshot t {"id":3,"v":"c"})",
                                  R"(insert t {"id":4,"v":"e"})"));
  }
  psql("drop publication filtered; drop schema filtered cascade");
}

TEST(SnapshotOfChanges, HasTheGeneratedColumnsThatArePublished) {
  const std::string table =
      "create table half (id int primary key, v text, doubled int generated always as (id * 2) stored)";
  const bool can_publish_them = server_version() >= 180000;
  for (const bool are_published : {false, true}) {
    if (are_published && !can_publish_them) continue;
    const published here{"generated_columns", table, are_published ? " with (publish_generated_columns = stored)" : ""};
    here.run("insert into half values (1, 'a')");
    change_options how = here.passing();
    how.snapshot = sluice::initial_snapshot::when_created;
    sluice::blocking_change_stream changes{dsn(), how};
    EXPECT_THAT(take(changes, 1), ElementsAre(are_published ? R"(snapshot half {"id":1,"v":"a","doubled":2})"
                                                            : R"(snapshot half {"id":1,"v":"a"})"));
    here.run("insert into half values (2, 'b')");
    EXPECT_THAT(take(changes, 1), ElementsAre(are_published ? R"(insert half {"id":2,"v":"b","doubled":4})"
                                                            : R"(insert half {"id":2,"v":"b"})"));
  }
}

TEST(SnapshotOfChanges, TellsARowOnceWhereItsRootIsPublishedAsWell) {
  const published here{"with_roots",
                       "create table whole_one (id int primary key) partition by range (id); create table part_of_one"
                       " partition of whole_one for values from (0) to (9); create table no_part (id int primary key)"};
  here.run(
      "insert into whole_one values (1); insert into no_part values (2);"
      "create publication with_roots_too for table whole_one with (publish_via_partition_root = true)");
  change_options how = here.passing();
  how.publications.emplace_back("with_roots_too");
  how.snapshot = sluice::initial_snapshot::when_created;
  {
    sluice::blocking_change_stream changes{dsn(), how};
    EXPECT_THAT(take(changes, 2), ElementsAre(R"(snapshot no_part {"id":2})", R"(snapshot whole_one {"id":1})"));
    here.run("update part_of_one set id = 3");
    EXPECT_THAT(take(changes, 1), ElementsAre(R"(update whole_one key {"id":1} {"id":3})"));
  }
  psql("drop publication with_roots_too");
}

/// A snapshot that two connections read, of which the first rows have been handed out.
sluice::blocking_change_stream begun_by_two(const published& of) {
  of.run("insert into t select n, repeat('x', 1000) from generate_series(1, 20000) n");
  change_options how = of.kept();
  how.snapshot = sluice::initial_snapshot::when_created;
  how.snapshot_connections = 2;
  sluice::blocking_change_stream changes{dsn() + " application_name=" + of.name(), how};
  EXPECT_TRUE(changes.next());
  return changes;
}

TEST(SnapshotOfChanges, IsGivenUpWhenAConnectionIsLost) {
  const published here{"lost_in_a_snapshot"};
  sluice::blocking_change_stream changes = begun_by_two(here);
  psql(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'lost_in_a_snapshot' and"
      " query like '%ctid%' and state = 'active' limit 1");
  try {
    for (;;) {
      const change_chunk some = changes.next();
      for (const change each : some) EXPECT_EQ(each.operation(), operation::snapshot);
      changes.acknowledge(some.last());
    }
  } catch (const sluice::error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("the snapshot was interrupted"));
    EXPECT_NE(e.code(), errc::bad_state) << e.what();
  }
  EXPECT_EQ(here.slot("temporary"), "") << "nothing stays";
}

TEST(SnapshotOfChanges, IsLeftInItsMidst) {
  const published here{"left_in_a_snapshot"};
  {
    const sluice::blocking_change_stream changes = begun_by_two(here);
  }
  wait_until("not exists (select from pg_stat_activity where application_name = 'left_in_a_snapshot')");
  EXPECT_EQ(here.slot("temporary"), "");
}

TEST(SnapshotOfChanges, OfManyTablesAndPartitionsHasEachRowOnce) {
  const published here{
      "many_snapshot_tables",
      "create table snapshot_whole (id int primary key, v text) partition by range (id);"
      "create table low partition of snapshot_whole for values from (0) to (5000) partition by range (id);"
      "create table lowest partition of low for values from (0) to (1000);"
      "create table lower partition of low for values from (1000) to (5000);"
      "create table high partition of snapshot_whole for values from (5000) to (20000);"
      "create table snapshot_none (id int primary key); create table snapshot_small (id int)",
      " with (publish_via_partition_root)"};
  here.run(
      "insert into snapshot_whole select n, repeat('x', 200) from generate_series(0, 19999) n; insert into "
      "snapshot_small values"
      " (1), (1)");
  change_options how = here.kept();
  how.snapshot = sluice::initial_snapshot::when_created;
  how.snapshot_connections = 4;
  sluice::blocking_change_stream changes{dsn(), how};
  std::map<std::string, int> seen;
  for (bool is_over = false; !is_over;) {
    const change_chunk some = changes.next();
    for (const change each : some) ++seen[each.relation().name + std::string{each.text()}];
    changes.acknowledge(some.last());
    is_over = !changes.progress().in_snapshot;
  }
  EXPECT_EQ(seen.size(), 20'001U);
  EXPECT_EQ(seen["snapshot_small{\"id\":1}"], 2);
  EXPECT_EQ(std::ranges::count_if(seen, [](const auto& each) { return each.second != 1; }), 1);
}

/// Reads the snapshot by several connections, and closes the stream.
asio::awaitable<int> rows_of_snapshot(std::string where, change_options how) {
  how.snapshot = sluice::initial_snapshot::when_created;
  how.snapshot_connections = 3;
  asio::awaitable<sluice::change_stream> begun = sluice::follow(where, std::move(how));
  sluice::change_stream changes = co_await std::move(begun);
  int rows = 0;
  for (bool is_over = false; !is_over;) {
    asio::awaitable<change_chunk> more = changes.next();
    const change_chunk some = co_await std::move(more);
    for (const change each : some) rows += each.operation() == operation::snapshot ? 1 : 0;
    changes.acknowledge(some.last());
    is_over = !changes.progress().in_snapshot;
  }
  asio::awaitable<void> end = changes.close();
  co_await std::move(end);
  co_return rows;
}

TEST(SnapshotOfChanges, IsReadOnManyThreads) {
  const published here{"snapshot_on_threads"};
  here.run("insert into t select n, repeat('x', 200) from generate_series(1, 20000) n");
  asio::thread_pool threads{4};
  std::future<int> rows =
      asio::co_spawn(asio::make_strand(threads), rows_of_snapshot(dsn(), here.passing()), asio::use_future);
  EXPECT_EQ(rows.get(), 20'000);
  threads.join();
}

TEST(SnapshotOfChanges, EndsInOurErrorWhereverItIsCancelled) {
  const published here{"snapshot_cancelled"};
  here.run("insert into t select n, repeat('x', 200) from generate_series(1, 2000) n");
  const std::string where = dsn() + " application_name=snapshot_cancelled";
  bool was_over = false;
  for (int turns = 1; !was_over; turns += 1 + turns / 16) {
    SCOPED_TRACE("cancelled after " + std::to_string(turns) + " turns");
    asio::io_context context{1};
    asio::cancellation_signal stop;
    std::exception_ptr failure;
    bool is_over = false;
    asio::co_spawn(context, rows_of_snapshot(where, here.passing()),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown, int rows) {
                     failure = std::move(thrown);
                     is_over = true;
                     EXPECT_EQ(rows, failure ? 0 : 2'000);
                   }));
    for (int i = 0; i < turns && !is_over; ++i) context.run_one();
    was_over = is_over;
    if (!is_over) stop.emit(asio::cancellation_type::terminal);
    context.run();
    EXPECT_TRUE(is_over);
    wait_until("not exists (select from pg_replication_slots where slot_name = 'snapshot_cancelled')");
    if (!failure) continue;
    try {
      std::rethrow_exception(failure);
    } catch (const sluice::error& e) {
      EXPECT_EQ(e.code(), errc::cancelled) << e.what();
    }
  }
  wait_until("not exists (select from pg_stat_activity where application_name = 'snapshot_cancelled')");
}

TEST(SnapshotOfChanges, IsReadByAtLeastOneConnection) {
  const published here{"read_by_none"};
  change_options how = here.kept();
  how.snapshot_connections = 0;
  try {
    const sluice::blocking_change_stream changes{dsn(), how};
    ADD_FAILURE() << "nothing was thrown";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::bad_query) << e.what();
  }
}

}  // namespace
}  // namespace changes_snapshot_test
